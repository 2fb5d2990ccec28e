"""The OpenNebula of the tests, quick, with three VM templates; and an installation that works with it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nebula.cloud import Cloud
from tests.nebula.server import Nebula, serving
from tests.oneflow.nebula.site import Site


@pytest.fixture
def nebula() -> Iterator[Nebula]:
    cloud = Cloud(time.time, pace=0.01)
    cloud.add_template("small", CPU="1", MEMORY="512", CONTEXT={"NETWORK": "YES", "SET": "mine"})
    cloud.add_template("broken", CPU="1", MEMORY="512", SIM_FAILS="BOOT")
    cloud.add_template("router", CPU="1", MEMORY="512", VROUTER="YES")
    with serving(cloud) as running:
        yield running


@pytest.fixture
def site(tmp_path: Path, nebula: Nebula) -> Site:
    return Site(tmp_path, nebula)
