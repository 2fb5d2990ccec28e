"""The state file is made, migrated and checked when it is opened; what is not ours or whole is refused."""

import shutil
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from onecore.errors import StoreFailed
from onecore.store import events
from onecore.store.engine import CORE, open_database
from tests.onecore.store.builders import a_schema, count, opened

FIRST = "CREATE TABLE toy (id INTEGER) STRICT;\nINSERT INTO toy VALUES (1);\n"
SECOND = "ALTER TABLE toy ADD COLUMN name TEXT NOT NULL DEFAULT 'one';\n"
THIRD = "-- uses what the second made\nUPDATE toy SET name = name || ' and three';\n"


def toys(path: Path, *schemas) -> list[tuple]:
    with opened(path, *schemas) as database, database.read() as tx:
        return [tuple(row) for row in tx.all("SELECT * FROM toy")]


def filled(path: Path) -> Path:
    """A state file of some hundred pages."""
    with opened(path) as database, database.begin() as tx:
        for number in range(500):
            events.add(tx, "provision/0", number, "Plan", "x" * 500)
    return path


def read_everything(path: Path) -> None:
    with opened(path) as database, database.read() as tx:
        for row in tx.all("SELECT name FROM sqlite_schema WHERE type = 'table'"):
            tx.all(f"SELECT * FROM {row['name']}")
        tx.all("SELECT subject, id FROM event ORDER BY subject, id")


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
)
def test_a_commit_is_on_disk_before_it_returns(tmp_path: Path, pragma, value):
    with opened(tmp_path / "one.db") as database, database.read() as tx:
        (row,) = tx.all(f"PRAGMA {pragma}")
    assert row[0] == value


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path):
    with opened(tmp_path / "deep" / "one.db"):
        assert stat.S_IMODE((tmp_path / "deep" / "one.db").stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "deep").stat().st_mode) == 0o700


def test_a_new_file_is_seeded_once(tmp_path: Path):
    seeded: list[object] = []
    for _ in range(2):
        with closing(open_database(tmp_path / "one.db", (CORE,), seed=seeded.append)):
            pass
    assert len(seeded) == 1


def test_a_seed_that_fails_leaves_a_file_that_can_be_made_again(tmp_path: Path):
    def fail(tx):
        raise StoreFailed("no")

    with pytest.raises(StoreFailed, match="no"):
        open_database(tmp_path / "one.db", (CORE,), seed=fail)
    with opened(tmp_path / "one.db") as database:
        assert count(database, "user_group") == 0


# -- migrations --------------------------------------------------------------------------------------------


def test_migrations_are_applied_in_order(tmp_path: Path):
    assert toys(tmp_path / "one.db", a_schema(tmp_path / "sql", FIRST, SECOND, THIRD)) == [
        (1, "one and three")
    ]


def test_an_older_file_gets_only_what_it_lacks(tmp_path: Path):
    schema = a_schema(tmp_path / "sql", FIRST, SECOND, THIRD)
    assert toys(tmp_path / "one.db", replace(schema, version=1)) == [(1,)]
    assert toys(tmp_path / "one.db", schema) == [(1, "one and three")]
    assert toys(tmp_path / "one.db", schema) == [(1, "one and three")]


def test_a_component_that_is_new_is_added(tmp_path: Path):
    with opened(tmp_path / "one.db"):
        pass
    assert toys(tmp_path / "one.db", a_schema(tmp_path / "sql", FIRST)) == [(1,)]


def test_a_migration_that_fails_leaves_the_old_file(tmp_path: Path):
    schema = a_schema(tmp_path / "sql", FIRST, SECOND, "INSERT INTO toy VALUES (2, 'two');\nNONSENSE;\n")
    assert toys(tmp_path / "one.db", replace(schema, version=2)) == [(1, "one")]
    with pytest.raises(StoreFailed, match="NONSENSE"):
        open_database(tmp_path / "one.db", (CORE, schema))
    assert toys(tmp_path / "one.db", replace(schema, version=2)) == [(1, "one")]


def test_a_last_statement_without_its_semicolon_counts(tmp_path: Path):
    schema = a_schema(tmp_path / "sql", FIRST + "INSERT INTO toy VALUES (2)")
    assert toys(tmp_path / "one.db", schema) == [(1,), (2,)]


def test_a_component_this_program_does_not_know_is_left_alone(tmp_path: Path):
    schema = a_schema(tmp_path / "sql", FIRST)
    toys(tmp_path / "one.db", schema)
    with opened(tmp_path / "one.db"):
        pass
    assert toys(tmp_path / "one.db", schema) == [(1,)]


# -- refusals ----------------------------------------------------------------------------------------------


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path):
    schema = a_schema(tmp_path / "sql", FIRST, SECOND)
    toys(tmp_path / "one.db", schema)
    before = (tmp_path / "one.db").read_bytes()
    with pytest.raises(StoreFailed, match=r"newer version \(toy schema 2, this program knows 1\)") as refused:
        open_database(tmp_path / "one.db", (CORE, replace(schema, version=1)))
    assert "upgrade" in refused.value.hint
    assert (tmp_path / "one.db").read_bytes() == before


@pytest.mark.parametrize("application", [0, 12345])
def test_the_database_of_another_program_is_refused(tmp_path: Path, application):
    with closing(sqlite3.connect(tmp_path / "one.db", isolation_level=None)) as other:
        other.execute(f"PRAGMA application_id = {application}")
        other.execute("CREATE TABLE bookmark (url TEXT)")
    before = (tmp_path / "one.db").read_bytes()
    with pytest.raises(StoreFailed, match="database of another program") as refused:
        open_database(tmp_path / "one.db", (CORE,))
    assert "ONE_HOME" in refused.value.hint
    assert (tmp_path / "one.db").read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"x", id="one byte"),
        pytest.param(b"# notes\n" * 1000, id="text"),
        pytest.param(bytes(8192), id="zeros"),
    ],
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, content):
    (tmp_path / "one.db").write_bytes(content)
    with pytest.raises(StoreFailed, match="damaged"):
        open_database(tmp_path / "one.db", (CORE,))
    assert (tmp_path / "one.db").read_bytes() == content


@pytest.mark.parametrize("keep", [1, 100, 511, 512, 4096, 5000, 40_960, -4096])
def test_a_file_that_was_cut_is_refused_and_never_made_anew(tmp_path: Path, keep):
    whole = filled(tmp_path / "whole.db").read_bytes()
    (tmp_path / "one.db").write_bytes(whole[:keep])
    with pytest.raises(StoreFailed, match="damaged") as refused:
        read_everything(tmp_path / "one.db")
    assert ".recover" in refused.value.hint
    assert (tmp_path / "one.db").read_bytes() == whole[:keep]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param(0, 4096, id="first page"),
        pytest.param(4096, None, id="all others"),
        pytest.param(-4096, None, id="last page"),
    ],
)
def test_a_file_with_pages_of_noise_is_refused_and_left_alone(tmp_path: Path, start, end):
    content = bytearray(filled(tmp_path / "one.db").read_bytes())
    content[start:end] = b"\xa5" * len(content[start:end])
    (tmp_path / "one.db").write_bytes(content)
    with pytest.raises(StoreFailed, match="damaged"):
        read_everything(tmp_path / "one.db")
    assert (tmp_path / "one.db").read_bytes() == content


def test_a_file_without_its_own_tables_is_damaged_not_new(tmp_path: Path):
    with opened(tmp_path / "one.db"):
        pass
    with closing(sqlite3.connect(tmp_path / "one.db", isolation_level=None)) as other:
        other.execute("DROP TABLE schema_version")
    with pytest.raises(StoreFailed, match="damaged: no such table"):
        open_database(tmp_path / "one.db", (CORE,))


def test_a_folder_in_the_place_of_the_file_is_said(tmp_path: Path):
    (tmp_path / "one.db").mkdir()
    with pytest.raises(StoreFailed, match="unable to open"):
        open_database(tmp_path / "one.db", (CORE,))


def test_a_copy_of_the_file_is_a_whole_backup_once_nobody_uses_it(tmp_path: Path):
    shutil.copy(filled(tmp_path / "one.db"), tmp_path / "copy.db")
    with opened(tmp_path / "copy.db") as database:
        assert count(database) == 500
