"""Kills `oneprovision serve`, OpenTofu and ansible-playbook while a provision of a driver folder is made,
grown, shrunk or removed over REST, starts the server again, and judges what is left.

    python -m tests.scenario.oneform_server_crash           every boundary, alone and with what it runs
    python -m tests.scenario.oneform_server_crash --few     the chosen ones of each phase
    python -m tests.scenario.oneform_server_crash --only create --kill apply_start:tool
"""

import argparse
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.scenario import killing
from tests.scenario.crash import fast_folder
from tests.scenario.flow_server import Product, Request, Served, cheapen, serve
from tests.scenario.killing import Kill, Mode, Place
from tests.scenario.oneform_crash import LATENCY
from tests.scenario.oneform_law import Law

API = "/api/v1/provisions"
AT_REST = {6, *range(10, 20)}
ORDER = {
    "driver": "dummy",
    "deployment_type": "dummy_cluster",
    "provider_id": 0,
    "user_inputs_values": {"oneform_hosts": 2, "oneform_public_ips": 1},
}
ACCOUNT = Request("POST", "/api/v1/providers", {"driver": "dummy", "name": "acc"})
RETRY = Request("POST", f"{API}/0/retry", {})


@dataclass(frozen=True)
class Case:
    """A request, and how many hosts and addresses there are before it and once it is carried out."""

    name: str
    request: Request
    before: tuple[int, int]
    after: tuple[int, int]


CASES = (
    Case("create", Request("POST", API, ORDER), (0, 0), (2, 1)),
    Case("add-host", Request("POST", f"{API}/0/hosts", {"amount": 1}), (2, 1), (3, 1)),
    Case("del-host", Request("DELETE", f"{API}/0/hosts?ids=0"), (2, 1), (1, 1)),
    Case("add-ip", Request("POST", f"{API}/0/add-ip", {}), (2, 1), (2, 2)),
    Case("undeploy", Request("POST", f"{API}/0/undeploy", {}), (2, 1), (0, 0)),
)
# Each phase once: of us, of OpenTofu and of ansible-playbook, in every combination that differs.
FEW = (
    *(("create", "apply_start", mode) for mode in (Mode.PROCESS, Mode.POWER, Mode.TOOL)),
    *(("create", "playbook started", mode) for mode in (Mode.PROCESS, Mode.POWER, Mode.TOOL)),
    ("create", "run recorded", Mode.PROCESS),
    ("del-host", "apply_start", Mode.POWER),
    ("undeploy", "apply_start", Mode.TOOL),
)
IN_A_TOOL = ("apply_start", "apply_complete", "driver started", "playbook started")


def main(argv: Sequence[str]) -> int:
    given = _parser().parse_args(argv)
    started, kills, broken = time.monotonic(), 0, 0
    killing.warm()
    folder = Path(tempfile.mkdtemp(prefix="oneform-server-", dir=fast_folder()))
    bases = prepare(folder)
    for case in CASES:
        if given.only and case.name != given.only:
            continue
        for kill, what in _kills(case, bases, folder, given):
            kills += 1
            problem = crash(case, bases[case.name == "create"], kill, folder / "crash")
            if problem:
                broken += 1
                print(f"BROKEN: {case.name} --kill {what}: {problem}", flush=True)
    print(f"{kills} kills in {time.monotonic() - started:.0f} s, {broken} broke the law")
    shutil.rmtree(folder)
    return 1 if broken else 0


def prepare(folder: Path) -> dict[bool, Path]:
    """The states in which cases begin: with an account only (True), or with the provision."""
    made, place = {}, Place(folder / "new", {})
    (place.home / "dummy").mkdir(parents=True)
    place.home.chmod(0o700)
    (place.home / "dummy" / "oneform.conf").write_text(LATENCY)
    for fresh, request in ((True, ACCOUNT), (False, CASES[0].request)):
        _require(served(place, request), place)
        cheapen(place.home)
        made[fresh] = folder / ("account" if fresh else "provision")
        shutil.copytree(place.home, made[fresh] / "home")
    return made


def crash(case: Case, base: Path, kill: Kill, folder: Path) -> str:
    """Carry it out on a copy of the base; what broke the law, or nothing."""
    place = _copy(base, folder)
    first = served(place, case.request, kill)
    law, accepted = Law(place.home), 200 <= first.status < 300
    last = served(place)
    if not accepted and _counts(law) == case.before:
        served(place, case.request)  # nothing of it was recorded: the client asks again
    if law.is_recorded() and not law.is_over():
        last = served(place, RETRY)
    try:
        assert last.run.exit_code == 0, f"the restart ended with {last.run.exit_code}"
        law.holds(case.after[0])
        assert _counts(law) == case.after, (_counts(law), case.after)
    except AssertionError as exc:
        return f"answered {first.status}; {str(exc)[:400]}\n{place.output.read_text()[-3000:]}"
    return ""


def served(place: Place, request: Request | None = None, kill: Kill | None = None) -> Served:
    return serve(place, request, kill, Product(killing.oneprovision, _rests))


def _rests(home: Path, db: sqlite3.Connection) -> bool:
    """No provision is on its way, and no program at work."""
    states = db.execute("SELECT state FROM provision").fetchall()
    if any(state not in AT_REST for (state,) in states):
        return False
    return not db.execute("SELECT 1 FROM operation WHERE ended_at IS NULL").fetchone()


def _kills(
    case: Case, bases: dict[bool, Path], folder: Path, given: argparse.Namespace
) -> Iterator[tuple[Kill, str]]:
    wanted = [(name, mode) for of, name, mode in FEW if of == case.name] if given.few else []
    if given.kill:
        name, _, mode = given.kill.partition(":")
        wanted = [(name, Mode(mode or "process"))]
    if (given.few or given.kill) and not wanted:
        return
    place = _copy(bases[case.name == "create"], folder / "whole")
    whole = served(place, case.request)
    _require(whole, place)
    passed = whole.run.boundaries
    for name, mode in wanted or _every(whole):
        at = int(name) if name.isdecimal() else passed.index(name, whole.began_at) + 1
        yield Kill(at, mode), f"{at}:{mode} ({passed[at - 1]})"


def _every(whole: Served) -> Iterator[tuple[str, Mode]]:
    """From when it listens: what it does to start is killed when it starts again."""
    for at, name in enumerate(whole.run.boundaries[whole.began_at :], whole.began_at + 1):
        modes = (Mode.PROCESS, Mode.POWER, Mode.TOOL) if name in IN_A_TOOL else (Mode.PROCESS,)
        yield from ((str(at), mode) for mode in modes)


def _counts(law: Law) -> tuple[int, int]:
    return len(law.existing()), len(law.addresses())


def _copy(base: Path, folder: Path) -> Place:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base / "home", folder / "home")
    return Place(folder, {})


def _require(done: Served, place: Place) -> None:
    if done.run.exit_code != 0 or not 200 <= done.status < 300:
        raise AssertionError(f"{done}: {place.output.read_text()}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.scenario.oneform_server_crash")
    parser.add_argument("--few", action="store_true", help="the chosen kills")
    parser.add_argument("--only", default="", metavar="CASE")
    parser.add_argument("--kill", default="", metavar="BOUNDARY:MODE", help="by name or number")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
