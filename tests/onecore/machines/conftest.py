"""Fixtures of the tests that run real drivers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.dummy_cloud import Cloud
from tests.onecore.machines.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench.at(tmp_path)
    yield bench
    bench.database.close()


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    """The dummy cloud of `bench`, read from its files."""
    return Cloud(tmp_path)
