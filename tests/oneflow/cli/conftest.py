"""Homes for `oneflow`."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nebula.cloud import Cloud
from tests.nebula.server import serving
from tests.oneflow.cli.homes import FlowHome, NebulaHome
from tests.scenario.command import ROOT

WEB = str(ROOT / "examples" / "web-application.json")


@pytest.fixture
def flow(tmp_path: Path) -> Iterator[FlowHome]:
    """An empty home in which `oneflow` is run."""
    home = FlowHome(tmp_path)
    home.path.mkdir(mode=0o700)
    yield home
    home.close()


@pytest.fixture
def nebula(tmp_path: Path) -> Iterator[NebulaHome]:
    """An empty home whose VMs live in an OpenNebula, with the credentials of its administrator."""
    cloud = Cloud(time.time, pace=0.01)
    for name in ("small", "medium", "large"):
        cloud.add_template(name, CPU="1", MEMORY="512")
    (tmp_path / ".one").mkdir(mode=0o700)
    (tmp_path / ".one" / "one_auth").write_text("oneadmin:secret\n")
    with serving(cloud) as server:
        home = NebulaHome(tmp_path, nebula=server)
        home.path.mkdir(mode=0o700)
        (home.path / "oneflow-server.conf").write_text("late_s: 1\n")
        yield home
        home.close()


@pytest.fixture(params=["flow", "nebula"])
def site(request: pytest.FixtureRequest) -> FlowHome:
    """Each of the clouds in turn."""
    home: FlowHome = request.getfixturevalue(request.param)
    return home
