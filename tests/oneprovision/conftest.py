"""An OpenNebula, and who registers objects in it."""

import time

import pytest

from onecore.opennebula.client import Client, Endpoint
from oneprovision.engines.registrar import Registrar
from tests.nebula.cloud import Cloud
from tests.nebula.server import serving


@pytest.fixture
def nebula():
    """Nothing takes any time there, unless a test lets it."""
    with serving(Cloud(time.time, pace=0.0)) as running:
        yield running


@pytest.fixture
def registrar(nebula, tmp_path):
    (tmp_path / "one_auth").write_text("oneadmin:secret")
    return Registrar(Client(Endpoint(nebula.url, tmp_path / "one_auth")), b"the key of this installation")
