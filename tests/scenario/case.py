"""One crash: prepare, kill, recover (perhaps killed once more), and judge what is left."""

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from tests.scenario import oracle
from tests.scenario.killing import Kill, Mode, Place, Run, run
from tests.scenario.oracle import DONE, Cloud, Intent, Violation
from tests.scenario.scenarios import DEPROVISION, Command, Scenario, adapted

OK, WRONG_STATE = 0, 5


@dataclass(frozen=True)
class Base:
    """A prepared state that every run of a scenario starts from a copy of. Has no home when nothing comes
    before."""

    scenario: Scenario
    folder: Path
    environ: Mapping[str, str]
    cloud: Cloud


@dataclass(frozen=True)
class Crash:
    """Kill the scenario's command, then do `recovery`. `again`: kill that too, and repeat it."""

    scenario: str
    kill: Kill
    recovery: Command
    again: Kill | None = None

    def __str__(self) -> str:
        words = ["--only", f"'{self.scenario}'", "--kill", f"{self.kill.at}:{self.kill.mode}"]
        words += ["--recovery", self.recovery[0]]
        words += ["--again", f"{self.again.at}:{self.again.mode}"] if self.again else []
        return f"python -m tests.scenario.crash {' '.join(words)}"


@dataclass(frozen=True)
class Report:
    """What came of a crash. `kills` that really fell: 0 when the command had ended before."""

    crash: Crash
    kills: int
    recovery_boundaries: int
    violations: tuple[Violation, ...]
    folder: Path
    seconds: float


def prepare(scenario: Scenario, folder: Path) -> Base:
    """Run what comes before; with a cloud.conf its last command is expected to fail."""
    place = Place(folder, _environ(scenario, folder))
    place.home.mkdir(parents=True)
    conf = place.home / "dummy" / "cloud.conf"
    if scenario.conf:
        conf.parent.mkdir()
        conf.write_text(scenario.conf)
    for argv in scenario.before:
        done = run(place, argv)
        fails = scenario.conf and argv == scenario.before[-1]
        if done.exit_code != (1 if fails else 0):
            raise AssertionError(f"{argv} ended with {done.exit_code}: {place.output.read_text()}")
    conf.unlink(missing_ok=True)
    return Base(scenario, folder, place.environ, oracle.read_cloud(place.home))


def count_boundaries(base: Base, folder: Path) -> tuple[str, ...]:
    """The boundaries of the command when nobody kills it."""
    place = _copy(base, folder)
    done = run(place, base.scenario.argv)
    if done.exit_code not in (0, 1):
        raise AssertionError(f"{base.scenario.argv} ended with {done.exit_code}: {place.output.read_text()}")
    shutil.rmtree(folder)
    return done.boundaries


def crash(base: Base, what: Crash, folder: Path) -> Report:
    """Carry it out in `folder`, which is kept when the law is broken."""
    started = time.monotonic()
    place = _copy(base, folder)
    first = run(place, base.scenario.argv, what.kill)
    wanted = oracle.intent(oracle.read_store(place.home), base.scenario.planned)
    kills, boundaries = int(first.killed), 0
    violations = _of_run(first, (OK, 1))
    if wanted.state is not None:
        if what.again:
            second = run(place, what.recovery, what.again)
            kills += int(second.killed)
            violations += _of_run(second, (OK, WRONG_STATE))
            violations += _intent_lost(place, wanted, what.recovery)
        before = oracle.read_store(place.home).state
        last = run(place, what.recovery)
        boundaries = len(last.boundaries)
        violations += _of_run(last, (WRONG_STATE,) if before == DONE else (OK,))
    violations += oracle.judge(place.home, _after(wanted, what.recovery), base.cloud)
    if _knows_orphans():
        violations += _of_run(run(place, ("orphans",)), (OK,))
    if not violations:
        shutil.rmtree(folder)
    return Report(what, kills, boundaries, tuple(violations), folder, time.monotonic() - started)


def sampled(again: int, some: int, modes: Sequence[Mode], chance: Random) -> list[Kill]:
    """Kills during a recovery of `again` boundaries: each, or `some` of them."""
    points = list(range(1, again + 1))
    if some < again:
        points = sorted(chance.sample(points, some))
    return [Kill(point, chance.choice(modes)) for point in points]


def _after(wanted: Intent, recovery: Command) -> Intent:
    if _removes(recovery) and wanted.state is not None:
        return Intent(DONE, 0, 0, frozenset(), frozenset())
    return wanted


def _removes(recovery: Command) -> bool:
    return recovery[0] == DEPROVISION[0]


def _intent_lost(place: Place, wanted: Intent, recovery: Command) -> list[Violation]:
    """A crash of the recovery must not change what was asked for."""
    if _removes(recovery) or wanted.machine_names is None:
        return []
    now = oracle.intent(oracle.read_store(place.home), (0, 0))
    same = replace(now, state=wanted.state) == wanted
    return [] if same else [Violation("wrong", f"after the second crash {now} is wanted instead of {wanted}")]


def _of_run(done: Run, codes: Sequence[int]) -> list[Violation]:
    if done.stuck:
        return [Violation("stuck", "a run did not end")]
    if done.killed or done.exit_code in codes:
        return []
    return [Violation("stuck", f"a run ended with exit code {done.exit_code}")]


def _copy(base: Base, folder: Path) -> Place:
    place = Place(folder, base.environ)
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(base.folder / "home", place.home)
    return place


def _environ(scenario: Scenario, folder: Path) -> dict[str, str]:
    environ = dict.fromkeys((name for name in os.environ if name.startswith("ONE_")), "")
    if scenario.change:
        environ["ONE_REMOTES"] = str(adapted(folder / "remotes", scenario.change))
    return environ


def _knows_orphans() -> bool:
    from importlib.util import find_spec

    return find_spec("oneprovision.cli.orphans") is not None
