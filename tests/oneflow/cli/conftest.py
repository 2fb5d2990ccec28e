"""Homes for `oneflow`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenario.command import ROOT, Home

WEB = str(ROOT / "examples" / "web-application.json")


@pytest.fixture
def flow(tmp_path: Path) -> Iterator[Home]:
    """An empty home in which `oneflow` is run."""
    home = Home(tmp_path, program="oneflow")
    home.path.mkdir(mode=0o700)
    yield home
    home.close()
