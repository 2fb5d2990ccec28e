"""The crash law for services: a kill at every journal boundary and inside every driver call of a deploy, a
scale or a shutdown, once and again after a restart, ends with as many machines as are wanted, none besides.

    python -m tests.scenario.flow_crash              every boundary once
    python -m tests.scenario.flow_crash --share 5    one of five of them
    python -m tests.scenario.flow_crash --only 'scale up' --kill 7:power --again 3:process
"""

import argparse
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.scenario import killing
from tests.scenario.crash import fast_folder
from tests.scenario.flow_judge import Wish, judge, wish
from tests.scenario.killing import Boundary, Kill, Mode, Place
from tests.scenario.oracle import Violation

LATENCY_S = 0.03
RESTART = ("serve",)
TEMPLATE = {
    "name": "shop",
    "deployment": "straight",
    "roles": [
        {"name": "front", "vm_template": 0, "cardinality": 2, "cooldown": 0},
        {"name": "worker", "vm_template": 0, "cardinality": 2, "cooldown": 0, "parents": ["front"]},
    ],
}

Request = tuple[str, ...]


@dataclass(frozen=True)
class Scenario:
    """`request` is killed, after those of `before` ran to their end; `conf`: cloud.conf meanwhile."""

    name: str
    request: Request
    before: tuple[Request, ...] = ()
    conf: str = f"LATENCY={LATENCY_S}\n"


DEPLOY = ("instantiate", "0")
SCENARIOS = (
    Scenario("deploy", DEPLOY, (("create",),)),
    Scenario("scale up", ("scale", "worker", "4"), (("create",), DEPLOY)),
    Scenario("scale down", ("scale", "front", "1"), (("create",), DEPLOY)),
    Scenario("shutdown", ("shutdown",), (("create",), DEPLOY)),
    Scenario("delete", ("delete",), (("create",), DEPLOY)),
    Scenario("deploy on a bad day", DEPLOY, (("create",),), "FAIL_FIRST=deploy:1\nLIST_LAG=0.2\n"),
    Scenario("shutdown on a bad day", ("shutdown",), (("create",), DEPLOY), "FAIL_FIRST=cancel:1\n"),
)


@dataclass(frozen=True)
class Crash:
    scenario: Scenario
    kill: Kill
    again: Kill | None = None

    def __str__(self) -> str:
        again = f" --again {self.again.at}:{self.again.mode}" if self.again else ""
        kill = f"--kill {self.kill.at}:{self.kill.mode}"
        return f"python -m tests.scenario.flow_crash --only '{self.scenario.name}' {kill}{again}"


@dataclass(frozen=True)
class Report:
    crash: Crash
    kills: int
    restart_boundaries: int
    violations: tuple[Violation, ...]


def program(argv: Sequence[str], boundary: Boundary) -> int:
    """What a server does with one request, and then until everything rests. `serve`: no request."""
    from onecore import config
    from onecore.bootstrap import open_deps
    from oneflow import store
    from oneflow.bootstrap import flow_deps
    from oneflow.controller import Controller
    from oneflow.usecases import services, templates

    deps = flow_deps(open_deps(config.read(), (store.SCHEMA,), boundary=boundary))
    match argv:
        case ["create"]:
            templates.create(deps, TEMPLATE)
        case ["instantiate", number]:
            templates.instantiate(deps, int(number))
        case ["scale", role, cardinality]:
            services.scale(deps, 0, services.Scale(role, int(cardinality)))
        case ["shutdown"]:
            services.shutdown(deps, 0)
        case ["delete"]:
            services.delete(deps, 0)
    Controller(deps).run(lambda: _rests(deps))
    return 0


def _rests(deps) -> bool:
    from oneflow import store
    from oneflow.model.document import Kind
    from oneflow.model.states import SETTLED

    with deps.database.read() as tx:
        services = store.every(tx, Kind.SERVICE)
        driven = tx.one("SELECT 1 FROM operation WHERE ended_at IS NULL")
    return all(service.state in SETTLED for service in services) and driven is None


def crash(base: Path, what: Crash, folder: Path) -> Report:
    """Carry it out on a copy of `base`; the folder is kept when the law is broken."""
    place = _copy(base, folder)
    first = killing.run(place, what.scenario.request, what.kill, program)
    wanted, kills, boundaries = wish(place.home), int(first.killed), 0
    violations: list[Violation] = []
    if what.again:
        second = killing.run(place, RESTART, what.again, program)
        kills += int(second.killed)
        violations += _same(wanted, wish(place.home))
    last = killing.run(place, RESTART, None, program)
    boundaries = len(last.boundaries)
    if last.exit_code != 0:
        violations.append(Violation("stuck", f"the restart ended with {last.exit_code}"))
    violations += judge(place.home, wanted)
    if not violations:
        shutil.rmtree(folder)
    return Report(what, kills, boundaries, tuple(violations))


def _same(wanted: Wish, now: Wish) -> list[Violation]:
    """A second crash must not change what was asked for; a document may be gone that was to go."""
    return [] if now == wanted else [Violation("wrong", f"{now} is wanted instead of {wanted}")]


def prepare(scenario: Scenario, folder: Path) -> tuple[str, ...]:
    """Run what comes before; returns the boundaries of the request when nobody kills it."""
    place = Place(folder, {})
    (place.home / "dummy").mkdir(parents=True)
    (place.home / "dummy" / "cloud.conf").write_text(scenario.conf)
    for request in scenario.before:
        done = killing.run(place, request, None, program)
        if done.exit_code != 0:
            raise AssertionError(f"{request}: {done}: {place.output.read_text()}")
    counting = _copy(folder, folder.with_name(f"{folder.name}-count"))
    done = killing.run(counting, scenario.request, None, program)
    if done.exit_code != 0:
        raise AssertionError(f"{scenario.request}: {done}: {counting.output.read_text()}")
    return done.boundaries


def _kills(boundaries: Sequence[str]) -> Iterator[Kill]:
    for at, name in enumerate(boundaries, 1):
        in_driver = name in ("driver started", "driver ended")
        modes = (Mode.PROCESS, Mode.POWER, Mode.LATE) if in_driver else (Mode.PROCESS,)
        yield from (Kill(at, mode, LATENCY_S * 0.75) for mode in modes)


def _carry_out(task: tuple[Path, Crash, Path]) -> list[Report]:
    base, what, folder = task
    once = crash(base, what, folder / "once")
    if not once.restart_boundaries:
        return [once]
    chance = Random(str(what))
    again = Kill(chance.randint(1, once.restart_boundaries), chance.choice((Mode.PROCESS, Mode.POWER)))
    return [once, crash(base, Crash(what.scenario, what.kill, again), folder / "again")]


def _copy(base: Path, folder: Path) -> Place:
    place = Place(folder, {})
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base / "home", place.home)
    return place


def main(argv: Sequence[str]) -> int:
    """The command line; exit code 1 when the law was broken."""
    given = _parser().parse_args(argv)
    folder = Path(tempfile.mkdtemp(prefix="one-flow-crash-", dir=fast_folder()))
    killing.warm("oneflow")
    started, tasks = time.monotonic(), []
    for scenario in [s for s in SCENARIOS if not given.only or s.name in given.only]:
        base = folder / scenario.name.replace(" ", "-")
        boundaries = prepare(scenario, base)
        kills = [_kill(given.kill)] if given.kill else list(_kills(boundaries))[:: given.share]
        print(f"{scenario.name}: {len(boundaries)} boundaries, {len(kills)} kills")
        tasks += [(base, Crash(scenario, kill), base / f"{kill.at}-{kill.mode}") for kill in kills]
    if given.again:
        base, what, place = tasks[0]
        reports = [crash(base, Crash(what.scenario, what.kill, _kill(given.again)), place)]
    else:
        with multiprocessing.get_context("fork").Pool(2) as pool:
            reports = [report for some in pool.imap_unordered(_carry_out, tasks) for report in some]
    return _report(reports, time.monotonic() - started, folder)


def _report(reports: Sequence[Report], seconds: float, folder: Path) -> int:
    broken = [report for report in reports if report.violations]
    for report in broken:
        print(f"\nBROKEN: {report.crash}", file=sys.stderr)
        for violation in report.violations:
            print(f"  {violation.kind}: {violation.text}", file=sys.stderr)
    kinds = Counter(kind for r in broken for kind in {violation.kind for violation in r.violations})
    print(" ".join(f"{kinds[kind]} {kind}," for kind in ("leaked", "doubled", "stuck", "wrong")))
    print(f"{sum(r.kills for r in reports)} kills in {seconds:.0f} s, {len(broken)} broke the law")
    if not broken:
        shutil.rmtree(folder)
    else:
        print(f"kept: {folder}", file=sys.stderr)
    return 1 if broken else 0


def _kill(text: str) -> Kill:
    at, _, mode = text.partition(":")
    return Kill(int(at), Mode(mode or "process"), LATENCY_S * 0.75)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.scenario.flow_crash")
    parser.add_argument("--share", type=int, default=1, metavar="N", help="one of N kills")
    parser.add_argument("--only", action="append", default=[], metavar="SCENARIO")
    parser.add_argument("--kill", metavar="N:MODE", help="only this one: process, power or late")
    parser.add_argument("--again", metavar="M:MODE", help="kill the restart, too")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
