"""A transaction happens wholly or not at all, whoever else writes and whenever the process dies."""

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from onecore.errors import InvalidInput, StoreFailed
from onecore.store import events
from onecore.store.engine import Database
from tests.onecore.store.builders import count, finished, opened, program

PROCESSES = 8
TIMES = 200
INCREMENT = """
database = open_database(path, (CORE,))
sys.stdin.read()
for _ in range(int(sys.argv[2])):
    with database.begin() as tx:
        row = tx.one("SELECT next FROM sequence WHERE kind = 'read and written'")
        tx.run("UPDATE sequence SET next = ? WHERE kind = 'read and written'", (row["next"] + 1,))
        number = tx.next_id("given")
    print(number)
"""
DIE = """
def die(name):
    if name == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
database = open_database(path, (CORE,))
database._boundary = die
with database.begin() as tx:
    events.add(tx, "provision/0", 0.0, "Plan", "a line")
"""


def test_what_raises_is_undone(tmp_path: Path):
    with opened(tmp_path / "one.db") as database:
        with pytest.raises(InvalidInput), database.begin() as tx:
            events.add(tx, "provision/0", 0.0, "Plan", "a line")
            raise InvalidInput("no")
        assert count(database) == 0
        with database.begin() as tx:
            events.add(tx, "provision/0", 0.0, "Plan", "a line")
        assert count(database) == 1


def test_a_statement_that_is_wrong_undoes_the_whole(tmp_path: Path):
    with opened(tmp_path / "one.db") as database:
        with pytest.raises(StoreFailed, match="syntax error"), database.begin() as tx:
            events.add(tx, "provision/0", 0.0, "Plan", "a line")
            tx.run("SELEKT")
        assert count(database) == 0


def test_a_broken_promise_of_the_tables_is_a_bug_and_not_a_failed_store(tmp_path: Path):
    with opened(tmp_path / "one.db") as database:
        with pytest.raises(sqlite3.IntegrityError), database.begin() as tx:
            tx.run("INSERT INTO user VALUES (0, 'ann', '', 77)")
        assert count(database, "user") == 0


def test_every_commit_passes_two_boundaries(tmp_path: Path):
    heard: list[str] = []
    with opened(tmp_path / "one.db", boundary=heard.append) as database:
        heard.clear()
        with database.begin() as tx:
            tx.next_id("host")
            heard.append("inside")
        assert heard == ["inside", "before commit", "after commit"]
        with database.read():
            pass
        assert len(heard) == 3


@pytest.mark.parametrize(("boundary", "lines"), [("before commit", 0), ("after commit", 1)])
def test_a_process_killed_at_a_boundary(tmp_path: Path, boundary, lines):
    with opened(tmp_path / "one.db"):
        pass
    code, _, err = finished(program(DIE, tmp_path / "one.db", boundary))
    assert (code, err) == (-signal.SIGKILL, "")
    with opened(tmp_path / "one.db") as database:
        assert count(database) == lines


def test_numbers_count_from_0_by_kind_and_are_never_given_twice(tmp_path: Path):
    with opened(tmp_path / "one.db") as database:
        with database.begin() as tx:
            assert [tx.next_id("host") for _ in range(3)] == [0, 1, 2]
            assert tx.next_id("cluster") == 0
        with database.begin() as tx:
            tx.run("DELETE FROM event")
            assert tx.next_id("host") == 3


def test_a_number_of_an_undone_transaction_was_never_given(tmp_path: Path):
    with opened(tmp_path / "one.db") as database:
        with pytest.raises(InvalidInput), database.begin() as tx:
            tx.next_id("host")
            raise InvalidInput("no")
        with database.begin() as tx:
            assert tx.next_id("host") == 0


def test_a_reader_sees_one_moment(tmp_path: Path):
    with opened(tmp_path / "one.db") as reader, opened(tmp_path / "one.db") as writer:
        with reader.read() as tx:
            assert tx.all("SELECT * FROM event") == []
            with writer.begin() as other:
                events.add(other, "provision/0", 0.0, "Plan", "a line")
            assert tx.all("SELECT * FROM event") == []
        assert count(reader) == 1


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path):
    with opened(tmp_path / "one.db") as database, database.begin() as tx:
        tx.run("INSERT INTO sequence VALUES ('read and written', 0)")
    writers = [program(INCREMENT, tmp_path / "one.db", TIMES) for _ in range(PROCESSES)]
    ends = [finished(writer) for writer in writers]
    assert [(code, err) for code, _, err in ends] == [(0, "")] * PROCESSES
    with opened(tmp_path / "one.db") as database, database.read() as tx:
        (row,) = tx.all("SELECT next FROM sequence WHERE kind = 'read and written'")
    given = sorted(int(number) for _, out, _ in ends for number in out.split())
    assert row["next"] == PROCESSES * TIMES
    assert given == list(range(PROCESSES * TIMES))


def test_a_file_that_stays_locked_is_said_and_worth_repeating(tmp_path: Path):
    path = tmp_path / "one.db"
    with (
        opened(path) as holder,
        closing(sqlite3.connect(path, timeout=0.05, isolation_level=None)) as impatient,
        holder.begin(),
        pytest.raises(StoreFailed, match="locked by another process") as refused,
        Database(impatient, path, lambda name: None).begin(),
    ):
        pass
    assert refused.value.retryable
