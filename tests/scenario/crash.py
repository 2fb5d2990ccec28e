"""The crash law by enumeration: a kill at every journal boundary and inside every driver call, once and again
during the recovery, ends with wanted == existing: nothing leaked, doubled or stuck.

    python -m tests.scenario.crash                every boundary once
    python -m tests.scenario.crash --short        a fifth of them
    python -m tests.scenario.crash --long         more scenarios, both ways to recover, more second kills
    python -m tests.scenario.crash --only add-host --kill 17:power --recovery retry --again 5:process
"""

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from tests.scenario import case, killing
from tests.scenario.case import Base, Crash, Report
from tests.scenario.killing import Kill, Mode
from tests.scenario.scenarios import SCENARIOS, Scenario

KINDS = ("leaked", "doubled", "stuck", "wrong")
IN_A_DRIVER = ("driver started", "driver ended")
EVERY = 10_000
# Of the latency of a driver call, half of which passes after its effect.
LATE = 0.75


@dataclass(frozen=True)
class Effort:
    """`share`: one of so many kills is done. `alternate`: each recovers one way, by turns, instead of every
    way. `again`: how many boundaries of each recovery are killed, too. `long`: with those that take time."""

    share: int = 1
    again: int = 1
    alternate: bool = True
    long: bool = False


SHORT = Effort(share=5)
FULL = Effort()
LONG = Effort(again=4, alternate=False, long=True)
WORKERS = 2


@dataclass
class Tally:
    """The line of one scenario in the table."""

    scenario: str
    boundaries: int
    kills: int = 0
    double_kills: int = 0
    seconds: float = 0.0
    violations: Counter[str] = field(default_factory=Counter)

    def add(self, report: Report) -> None:
        self.kills += min(report.kills, 1)
        self.double_kills += max(report.kills - 1, 0)
        self.seconds += report.seconds
        self.violations.update({violation.kind for violation in report.violations})


@dataclass(frozen=True)
class Task:
    """One kill with one recovery, and then the same with that recovery killed `again` times, one by one."""

    base: Base
    crash: Crash
    again: int
    folder: Path


def enumerate_crashes(
    scenarios: Sequence[Scenario], effort: Effort, folder: Path
) -> tuple[list[Tally], list[Report]]:
    """Carry out every crash; returns the table, and the reports of those that broke the law."""
    killing.warm()
    tallies, tasks = [], []
    for scenario in scenarios:
        name = scenario.name.replace(" ", "-")
        base = case.prepare(scenario, folder / f"base-{name}")
        boundaries = case.count_boundaries(base, folder / f"count-{name}")
        tallies.append(Tally(scenario.name, len(boundaries)))
        tasks += list(_tasks(base, boundaries, effort, folder / name))
    broken = []
    lines = {tally.scenario: tally for tally in tallies}
    for report in _carry_out(tasks):
        lines[report.crash.scenario].add(report)
        if report.violations:
            broken.append(report)
            _explain(report)
    return tallies, broken


def _tasks(base: Base, boundaries: Sequence[str], effort: Effort, folder: Path) -> Iterator[Task]:
    scenario, ways = base.scenario, base.scenario.recoveries
    for turn, kill in enumerate(list(_kills(boundaries, scenario))[:: effort.share]):
        for recovery in (ways[turn % len(ways)],) if effort.alternate else ways:
            label = f"{kill.at}-{kill.mode}-{recovery[0]}"
            yield Task(base, Crash(scenario.name, kill, recovery), effort.again, folder / label)


def _kills(boundaries: Sequence[str], scenario: Scenario) -> Iterator[Kill]:
    for at, name in enumerate(boundaries, 1):
        for mode in _modes(name, scenario):
            yield Kill(at, mode, scenario.latency_s * LATE)


def _modes(boundary: str, scenario: Scenario) -> tuple[Mode, ...]:
    if boundary not in IN_A_DRIVER or scenario.outlived:
        return (Mode.PROCESS,)
    if boundary == "driver started" and scenario.latency_s:
        return (Mode.PROCESS, Mode.POWER, Mode.LATE)
    return (Mode.PROCESS, Mode.POWER)


def _carry_out(tasks: Sequence[Task]) -> Iterator[Report]:
    with multiprocessing.get_context("fork").Pool(WORKERS) as pool:
        for reports in pool.imap_unordered(_carry_out_one, tasks):
            yield from reports
        pool.close()
        pool.join()


def _carry_out_one(task: Task) -> list[Report]:
    reports = [case.crash(task.base, task.crash, task.folder / "once")]
    # Seeded by the crash alone, so that a repeated run does the same.
    chance = Random(str(task.crash))
    modes = (Mode.PROCESS,) if task.base.scenario.outlived else (Mode.PROCESS, Mode.POWER)
    for again in case.sampled(reports[0].recovery_boundaries, task.again, modes, chance):
        twice = Crash(task.crash.scenario, task.crash.kill, task.crash.recovery, again)
        reports.append(case.crash(task.base, twice, task.folder / f"again-{again.at}"))
    return reports


def _explain(report: Report) -> None:
    print(f"\nBROKEN: {report.crash}\n  kept: {report.folder}", file=sys.stderr)
    for violation in report.violations:
        print(f"  {violation.kind}: {violation.text}", file=sys.stderr)


def table(tallies: Sequence[Tally]) -> str:
    head = ("scenario", "boundaries", "kills", "double kills", *KINDS, "seconds")
    rows = [head, *(_cells(tally) for tally in tallies), _cells(_total(tallies))]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def fast_folder() -> str | None:
    """In memory where possible: a killed process needs no disk to find its writes again."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and os.access(memory, os.W_OK) else None


def kills(tallies: Sequence[Tally]) -> int:
    return sum(tally.kills + tally.double_kills for tally in tallies)


def _total(tallies: Sequence[Tally]) -> Tally:
    total = Tally("all", 0)
    for tally in tallies:
        total.boundaries += tally.boundaries
        total.kills += tally.kills
        total.double_kills += tally.double_kills
        total.seconds += tally.seconds
        total.violations.update(tally.violations)
    return total


def _cells(tally: Tally) -> tuple[str, ...]:
    numbers = [tally.boundaries, tally.kills, tally.double_kills]
    numbers += [tally.violations[kind] for kind in KINDS]
    return (tally.scenario, *map(str, numbers), f"{tally.seconds:.1f}")


def main(argv: Sequence[str]) -> int:
    """The command line; exit code 1 when the law was broken."""
    given = _parser().parse_args(argv)
    effort = LONG if given.long else SHORT if given.short else FULL
    if given.again_all:
        effort = replace(effort, again=EVERY)
    folder = Path(given.directory or tempfile.mkdtemp(prefix="one-crash-", dir=fast_folder()))
    if given.kill:
        return _reproduce(given, folder)
    chosen = [s for s in SCENARIOS if (s.name in given.only if given.only else effort.long or not s.long)]
    started = time.monotonic()
    tallies, broken = enumerate_crashes(chosen, effort, folder)
    print(table(tallies))
    print(f"{kills(tallies)} kills in {time.monotonic() - started:.0f} s, {len(broken)} broke the law")
    if not broken:
        shutil.rmtree(folder)
    return 1 if broken else 0


def _reproduce(given: argparse.Namespace, folder: Path) -> int:
    """One crash, with what it printed."""
    scenario = next(s for s in SCENARIOS if [s.name] == given.only)
    killing.warm()
    base = case.prepare(scenario, folder / "base")
    recovery = next(way for way in scenario.recoveries if way[0] == given.recovery)
    late_s = scenario.latency_s * LATE
    again = _kill(given.again, late_s) if given.again else None
    report = case.crash(
        base, Crash(scenario.name, _kill(given.kill, late_s), recovery, again), folder / "once"
    )
    if not report.violations:
        print(f"the law holds ({report.kills} kills)")
        shutil.rmtree(folder)
        return 0
    print((folder / "once" / "output.txt").read_text())
    _explain(report)
    return 1


def _kill(text: str, late_s: float) -> Kill:
    at, _, mode = text.partition(":")
    return Kill(int(at), Mode(mode or "process"), late_s)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.scenario.crash", description="The crash law.")
    parser.add_argument("--short", action="store_true", help="a fifth of the kills")
    parser.add_argument(
        "--long", action="store_true", help="every scenario, both recoveries, more second kills"
    )
    parser.add_argument("--again-all", action="store_true", help="kill every boundary of every recovery")
    parser.add_argument(
        "--only", action="append", default=[], metavar="SCENARIO", help="by name; may be repeated"
    )
    parser.add_argument("--kill", metavar="N:MODE", help="only this one: process, power or late")
    parser.add_argument("--recovery", choices=("retry", "deprovision"), default="retry")
    parser.add_argument("--again", metavar="M:MODE", help="kill the recovery, too")
    parser.add_argument("--directory", metavar="FOLDER", help="work here")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
