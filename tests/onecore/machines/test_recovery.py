"""After a worker was killed, the next one finds out what became of its calls; nothing leaks or doubles."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from onecore.machines.model import Kind
from onecore.machines.recovery import salvage
from onecore.store import lease
from tests.drivers.dummy_cloud import Cloud
from tests.onecore.machines.bench import Bench, a_driver

ROOT = Path(__file__).parents[3]
BOUNDARIES = [
    ("before commit", 1),
    ("after commit", 1),
    ("driver started", 1),
    ("driver started", 3),
    ("driver ended", 1),
    ("driver ended", 3),
    ("before commit", 2),
    ("before commit", 3),
]
COUNTED = 'echo "$2" >>"$ONE_HOME/deployed"; sleep 0.5; echo "id-$2"'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def prepared(home: Path, *, unwanted: bool = False, count: int = 3, **changed) -> None:
    with closing_bench(home) as bench:
        bench.want(count, **changed)
        if unwanted:
            bench.worker().settle()
            bench.unwant_all()


@contextmanager
def closing_bench(home: Path) -> Iterator[Bench]:
    """A bench whose lease is given back at the end, as a command does."""
    bench = Bench.at(home)
    with closing(bench.database):
        yield bench
        with bench.database.begin() as tx:
            lease.release(tx, bench.held)


def killed_at(home: Path, boundary: str, count: int) -> None:
    command = [sys.executable, "-m", "tests.onecore.machines.dying_worker", str(home), boundary, str(count)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, "")


def carried_on(home: Path) -> tuple[list[str], dict[int, str]]:
    """The states of the records and the problems after the next worker."""
    with closing_bench(home) as bench:
        worker = bench.worker()
        worker.recover()
        problems = worker.settle().problems
        assert bench.left_over() == []
        return bench.states, problems


@pytest.mark.parametrize(("boundary", "count"), BOUNDARIES)
def test_what_is_wanted_exists_after_a_kill(home: Path, boundary, count):
    prepared(home, parameters={"latency": 0.2})
    killed_at(home, boundary, count)
    assert carried_on(home) == (["ready"] * 3, {})
    assert len(Cloud(home).names()) == 3


@pytest.mark.parametrize(("boundary", "count"), BOUNDARIES)
def test_what_is_not_wanted_is_gone_after_a_kill(home: Path, boundary, count):
    prepared(home, unwanted=True, parameters={"latency": 0.2})
    killed_at(home, boundary, count)
    assert carried_on(home) == ([], {})
    assert Cloud(home).names() == set()


def test_a_kill_during_recovery_changes_nothing_either(home: Path):
    prepared(home, parameters={"latency": 0.2})
    for boundary, count in (("driver started", 2), ("before commit", 1), ("after commit", 1)):
        killed_at(home, boundary, count)
    assert carried_on(home) == (["ready"] * 3, {})
    assert len(Cloud(home).names()) == 3


def test_a_driver_that_outlived_its_worker_is_waited_for_and_its_answer_read(home: Path):
    a_driver(home, "blind", "", deploy=COUNTED, poll="echo STATE=a")
    prepared(home, count=1, driver="blind")
    killed_at(home, "driver started", 1)
    # It cannot list: only the answer that it wrote after our death can save the machine.
    assert carried_on(home) == (["ready"], {})
    assert len((home / "deployed").read_text().splitlines()) == 1


def test_every_operation_has_an_end_after_recovery(home: Path):
    prepared(home, parameters={"latency": 0.2})
    killed_at(home, "driver started", 3)
    with closing_bench(home) as bench:
        assert [outcome for _, outcome in bench.journal()] == [None] * 3
        bench.worker().recover()
        assert [outcome for _, outcome in bench.journal()] == ["unknown"] * 3
        assert bench.states == ["unknown"] * 3
        assert bench.reports


def test_files_that_nobody_waits_for_are_removed_and_others_kept(home: Path):
    with closing_bench(home) as bench:
        for name in ("7.out", "8.xml", "notes.txt", "x.out"):
            (home / "run" / name).write_text("")
        bench.worker().recover()
        assert bench.left_over() == ["notes.txt", "x.out"]


@pytest.mark.parametrize(
    ("printed", "kind", "found"),
    [
        (b"id-7\n", Kind.MACHINE, "id-7"),
        (b"  id-7  \n\n", Kind.MACHINE, "id-7"),
        (b"", Kind.MACHINE, ""),
        (b"two\nlines\n", Kind.MACHINE, ""),
        (b"-rf", Kind.MACHINE, ""),
        (b"\xff\xfe", Kind.MACHINE, ""),
        (b"\x1b[31m", Kind.MACHINE, ""),
        (b"x" * 100_000, Kind.MACHINE, ""),
        (b'{"id": "ip-1", "ip": "192.0.2.1"}', Kind.ADDRESS, "ip-1"),
        (b'{"ip": "192.0.2.1"}', Kind.ADDRESS, ""),
        (b'["ip-1"]', Kind.ADDRESS, ""),
        (b"null", Kind.ADDRESS, ""),
        (b"{", Kind.ADDRESS, ""),
    ],
)
def test_what_a_driver_printed_before_the_end(tmp_path: Path, printed, kind, found):
    (tmp_path / "1.out").write_bytes(printed)
    assert salvage(tmp_path / "1.out", kind) == found


def test_without_a_file_nothing_was_printed(tmp_path: Path):
    assert salvage(tmp_path / "1.out", Kind.MACHINE) == ""
