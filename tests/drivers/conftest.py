"""A driver of a VPS provider with a double of its API behind it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clouds.calls import FAKES, Caller, caller
from tests.clouds.digitalocean import DigitalOceanFake
from tests.clouds.linode import LinodeFake
from tests.clouds.vultr import VultrFake


@pytest.fixture(params=FAKES, ids=lambda fake: fake.driver)
def vps(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Caller]:
    """Each of the three, one after the other."""
    with caller(request.param(), tmp_path / "home") as made:
        yield made


@pytest.fixture
def linode(tmp_path: Path) -> Iterator[Caller]:
    with caller(LinodeFake(), tmp_path / "home") as made:
        yield made


@pytest.fixture
def vultr(tmp_path: Path) -> Iterator[Caller]:
    with caller(VultrFake(), tmp_path / "home") as made:
        yield made


@pytest.fixture
def digitalocean(tmp_path: Path) -> Iterator[Caller]:
    with caller(DigitalOceanFake(), tmp_path / "home") as made:
        yield made
