"""A create of two machines, killed at every boundary and recovered: for drivers that have a witness of
their own. The runs of tests/scenario do the same for more commands, on the dummy driver."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.scenario import killing, oracle
from tests.scenario.killing import Kill, Mode, Place
from tests.scenario.scenarios import DEPROVISION, RETRY

LATE_S = 0.25


@dataclass(frozen=True)
class Cloud:
    """`sets` are the provision parameters; `existing` is the witness: the names of what exists in a home."""

    driver: str
    sets: Mapping[str, str]
    environ: Mapping[str, str]
    existing: Callable[[Path], set[str]]
    login: Mapping[str, str] = field(default_factory=dict)


TEMPLATE = """\
name: crash
defaults:
  provision: {{driver: {driver}}}
hosts:
  - provision: {{count: 2}}
"""


def boundaries(cloud: Cloud, folder: Path) -> int:
    """How many there are when nobody kills; what was made is removed."""
    place, argv = _prepared(cloud, folder)
    done = killing.run(place, argv)
    assert done.exit_code == 0, place.output.read_text()
    assert len(cloud.existing(place.home)) == 2
    assert killing.run(place, DEPROVISION).exit_code == 0, place.output.read_text()
    assert cloud.existing(place.home) == set()
    return len(done.boundaries)


def crash(cloud: Cloud, folder: Path, at: int) -> None:
    """Kill at that boundary, recover, and compare what exists with what is recorded as wanted."""
    mode = (Mode.PROCESS, Mode.POWER, Mode.LATE)[at % 3]
    place, argv = _prepared(cloud, folder)
    killing.run(place, argv, Kill(at, mode, LATE_S))
    said = f"killed at {at}:{mode}\n"
    if oracle.read_store(place.home).state is not None:
        recovered = killing.run(place, DEPROVISION if at % 2 else RETRY)
        said += place.output.read_text()
        assert recovered.exit_code in (0, 5), said
        store = oracle.read_store(place.home)
        assert cloud.existing(place.home) == store.wanted("machine") == store.recorded("machine"), said
        assert len(store.rows) == (0 if at % 2 else 2), said
        assert killing.run(place, ("orphans",)).exit_code == 0, place.output.read_text()
        last = killing.run(place, DEPROVISION)
        assert last.exit_code in (0, 5), place.output.read_text()
    assert cloud.existing(place.home) == set(), said


def _prepared(cloud: Cloud, folder: Path) -> tuple[Place, tuple[str, ...]]:
    place = Place(folder, cloud.environ)
    place.home.mkdir(parents=True)
    template = folder / "crash.yaml"
    template.write_text(TEMPLATE.format(driver=cloud.driver))
    sets = [f"defaults.provision.{name}={value}" for name, value in cloud.sets.items()]
    sets += [f"defaults.connection.{name}={value}" for name, value in cloud.login.items()]
    return place, ("create", str(template), *(word for each in sets for word in ("--set", each)))
