"""Kills `oneprovision` at the boundaries of its work with real OpenTofu, alone and together with it, and
judges what is left: `python -m tests.scenario.oneform_crash [--long]`.

In mode `process` OpenTofu outlives us; in mode `power` it dies with us, in the middle of whatever it does.
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.scenario import killing
from tests.scenario.killing import Kill, Mode, Place, Run
from tests.scenario.oneform_law import Law

# A knob of the dummy cloud: long enough for a kill to fall inside the making of machines.
LATENCY = "latency=0.1\n"
INTERESTING = (
    *("driver starts", "apply_start", "apply_complete", "run recorded"),
    *("driver started", "driver ended"),
)


@dataclass(frozen=True)
class Case:
    """Commands that lead to a provision, the one that is killed, how it is taken up again, and how many hosts
    and addresses there are then."""

    name: str
    before: Sequence[Sequence[str]]
    killed: Sequence[str]
    again: Sequence[str]
    hosts: int
    addresses: int = 0


ORDER = ("create", "dummy", "{inputs}", "-d", "dummy_cluster")
CASES = (
    Case("create", (), ORDER, ("retry", "0"), 2, 1),
    Case("add-host", (ORDER,), ("add-host", "0", "--amount", "2"), ("retry", "0"), 4, 1),
    Case("del-host", (ORDER,), ("del-host", "0", "--host-ids", "0"), ("retry", "0"), 1, 1),
    Case("add-ip", (ORDER,), ("add-ip", "0"), ("retry", "0"), 2, 2),
    Case("deprovision", (ORDER,), ("deprovision", "0", "--yes"), ("deprovision", "0", "--yes"), 0),
)


def main() -> int:
    whole = "--long" in sys.argv
    started, kills, broken = time.monotonic(), 0, 0
    killing.warm()
    with tempfile.TemporaryDirectory(prefix="oneform-") as folder:
        for case in CASES:
            for problem in _problems(Path(folder), case, whole):
                kills += 1
                if problem:
                    broken += 1
                    print(problem, flush=True)
    print(f"{kills} kills in {time.monotonic() - started:.0f} s, {broken} broke the law")
    return 1 if broken else 0


def _problems(folder: Path, case: Case, whole: bool) -> Iterator[str]:
    """What broke the law, for each kill; empty where nothing did."""
    passed = _killed(folder / f"{case.name}-whole", case, None).boundaries
    points = [at for at, name in enumerate(passed, 1) if whole or _chosen(passed, at, name)]
    every = [(at, mode) for at in points for mode in (Mode.PROCESS, Mode.POWER)]
    # The short form alternates: a point is killed in one mode, the next one in the other.
    turns = every if whole else [every[2 * turn + turn % 2] for turn in range(len(points))]
    for at, mode in turns:
        place = folder / f"{case.name}-{mode}-{at}"
        run = _killed(place, case, Kill(at, mode))
        yield _judged(Place(place, {}), case, run, f"{case.name} {mode} at {at} ({passed[at - 1]})")
        shutil.rmtree(place)


def _chosen(passed: Sequence[str], at: int, name: str) -> bool:
    """The short form: the first boundary of each kind inside a run, and the commit of its intent."""
    first = name in INTERESTING and name not in passed[: at - 1]
    return first or "driver starts" in passed[at : at + 1] or "driver started" in passed[at : at + 1]


def _killed(folder: Path, case: Case, kill: Kill | None) -> Run:
    """On a copy of the state in which the case begins, which is made once."""
    base = folder.parent / f"base-{len(case.before)}"
    if not base.exists():
        _begin(base, case)
    shutil.copytree(base, folder)
    return killing.run(Place(folder, {}), _words(case.killed, folder / "inputs.json"), kill)


def _begin(folder: Path, case: Case) -> None:
    folder.mkdir()
    place = Place(folder, {})
    inputs = folder / "inputs.json"
    inputs.write_text(json.dumps({"oneform_hosts": 2, "oneform_public_ips": 1}))
    (place.home / "dummy").mkdir(parents=True)
    place.home.chmod(0o700)
    (place.home / "dummy" / "oneform.conf").write_text(LATENCY)
    for command in case.before:
        done = killing.run(place, _words(command, inputs))
        assert done.exit_code == 0, place.output.read_text()


def _words(command: Sequence[str], inputs: Path) -> list[str]:
    return [word.format(inputs=inputs) for word in command]


def _judged(place: Place, case: Case, run: Run, what: str) -> str:
    law = Law(place.home)
    if run.stuck:
        return f"{what}: stuck"
    if run.killed and not law.is_recorded():
        return ""  # nothing was recorded, so nothing may exist
    again = killing.run(place, case.again) if run.killed and not law.is_over() else run
    try:
        law.holds(case.hosts)
        assert len(law.addresses()) == case.addresses, law.addresses()
    except AssertionError as exc:
        return (
            f"{what}: {str(exc)[:300]}; then exit code {again.exit_code}\n{place.output.read_text()[-1500:]}"
        )
    return "" if again.exit_code == 0 else f"{what}: carried on with exit code {again.exit_code}"


if __name__ == "__main__":
    sys.exit(main())
