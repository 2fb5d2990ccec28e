"""The crash law for services: `oneflow serve` is killed at every journal boundary and inside every driver
call of a deploy, a scale or a shutdown that a client asked for, and once more after a restart. It ends with
as many machines as are wanted, none besides, and what was answered is never forgotten.

    python -m tests.scenario.flow_crash              every boundary, once and twice
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
from tests.scenario.flow_scenarios import CREATE, DEPLOY, LATENCY_S, SCENARIOS, Scenario
from tests.scenario.flow_server import Served, cheapen, serve
from tests.scenario.killing import Kill, Mode, Place
from tests.scenario.oracle import Violation

PARALLEL = 4  # most of the time they wait


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


def crash(base: Path, what: Crash, folder: Path) -> Report:
    """Carry it out on a copy of `base`; the folder is kept when the law is broken."""
    place = _copy(base, folder, what.scenario)
    before = wish(place.home)
    first = serve(place, what.scenario.request, what.kill)
    wanted, kills = wish(place.home), int(first.run.killed)
    violations = _forgotten(first, before, wanted, what.scenario.asked)
    if what.again:
        second = serve(place, None, what.again)
        kills += int(second.run.killed)
        violations += _same(wanted, wish(place.home))
    last = serve(place).run
    if last.exit_code != 0:
        violations.append(Violation("stuck", f"the restart ended with {last.exit_code}"))
    violations += judge(place.home, wanted)
    if not violations:
        shutil.rmtree(folder)
    return Report(what, kills, len(last.boundaries), tuple(violations))


def _forgotten(first: Served, before: Wish, now: Wish, asked: Wish) -> list[Violation]:
    """What is wanted is what was asked for, or nothing was answered and it is as before."""
    accepted = 200 <= first.status < 300
    if now == asked or (now == before and not accepted):
        return []
    return [Violation("wrong", f"answered {first.status}, but {now} is wanted instead of {asked}")]


def _same(wanted: Wish, now: Wish) -> list[Violation]:
    """A second crash must not change what was asked for; a document may be gone that was to go."""
    return [] if now == wanted else [Violation("wrong", f"{now} is wanted instead of {wanted}")]


def prepare(folder: Path) -> dict[bool, Path]:
    """The states in which scenarios begin, by whether the service runs."""
    made, place = {}, Place(folder / "new", {})
    (place.home / "dummy").mkdir(parents=True)
    for runs, request in ((False, CREATE), (True, DEPLOY)):
        _require(serve(place, request), place)
        cheapen(place.home)
        made[runs] = folder / ("running" if runs else "template")
        shutil.copytree(place.home, made[runs] / "home")
    return made


def count(task: tuple[Path, Scenario, Path]) -> Served:
    """How the request goes when nobody kills the server."""
    base, scenario, folder = task
    place = _copy(base, folder, scenario)
    done = serve(place, scenario.request)
    _require(done, place)
    return done


def _require(done: Served, place: Place) -> None:
    if done.run.exit_code != 0 or not 200 <= done.status < 300:
        raise AssertionError(f"{done}: {place.output.read_text()}")


def _kills(whole: Served) -> Iterator[Kill]:
    """From when it listens: what it does to start is killed when it starts again."""
    for at, name in enumerate(whole.run.boundaries[whole.began_at :], whole.began_at + 1):
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


def _copy(base: Path, folder: Path, scenario: Scenario) -> Place:
    place = Place(folder, {})
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base / "home", place.home)
    (place.home / "dummy" / "cloud.conf").write_text(scenario.conf)
    return place


def main(argv: Sequence[str]) -> int:
    """The command line; exit code 1 when the law was broken."""
    given = _parser().parse_args(argv)
    folder = Path(tempfile.mkdtemp(prefix="one-flow-crash-", dir=fast_folder()))
    killing.warm("oneflow")
    started = time.monotonic()
    chosen = [s for s in SCENARIOS if not given.only or s.name in given.only]
    bases = prepare(folder)
    places = [(bases[s.runs], s, folder / s.name.replace(" ", "-")) for s in chosen]
    with multiprocessing.get_context("fork").Pool(PARALLEL) as pool:
        wholes = pool.map(count, places)
        tasks = _tasks(places, wholes, given)
        if given.again:
            base, what, place = tasks[0]
            reports = [crash(base, Crash(what.scenario, what.kill, _kill(given.again)), place)]
        else:
            reports = [report for some in pool.imap_unordered(_carry_out, tasks) for report in some]
    return _report(reports, time.monotonic() - started, folder)


def _tasks(
    places: Sequence[tuple[Path, Scenario, Path]], wholes: Sequence[Served], given: argparse.Namespace
) -> list[tuple[Path, Crash, Path]]:
    tasks = []
    for (base, scenario, folder), whole in zip(places, wholes, strict=True):
        all_kills = [_kill(given.kill)] if given.kill else list(_kills(whole))
        kills = all_kills[given.offset % len(all_kills) :: given.share]
        print(f"{scenario.name}: {len(whole.run.boundaries)} boundaries, {len(kills)} kills", flush=True)
        tasks += [(base, Crash(scenario, kill), folder / f"{kill.at}-{kill.mode}") for kill in kills]
    return tasks


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
    parser.add_argument("--offset", type=int, default=0, metavar="N", help="which one of them")
    parser.add_argument("--only", action="append", default=[], metavar="SCENARIO")
    parser.add_argument("--kill", metavar="N:MODE", help="only this one: process, power or late")
    parser.add_argument("--again", metavar="M:MODE", help="kill the restart, too")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
