"""The SQLite file: opened once, checked, migrated, and written in short durable transactions.

Every transaction is IMMEDIATE (a deferred one fails when two processes write) and every commit reaches the
disk before it returns, because an intent that is not on disk does not protect a machine.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from onecore.errors import StoreFailed

APPLICATION_ID = 0x4F4E4531
BUSY_TIMEOUT_S = 30.0
SMALLEST_FILE = 512

Row = sqlite3.Row
Value = str | int | float | bytes | None


@dataclass(frozen=True)
class Schema:
    """The numbered migrations of one component: `<component>_<number>.sql` in `folder`."""

    component: str
    folder: Path
    version: int

    def script(self, number: int) -> str:
        return (self.folder / f"{self.component}_{number:04}.sql").read_text()


CORE = Schema("core", Path(__file__).parent / "sql", 1)


class Transaction:
    """One short unit of reading and writing; it is over when its `with` block is."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, sql: str, parameters: Mapping[str, Value] | Sequence[Value] = ()) -> int:
        """Execute one statement; returns the number of rows it changed."""
        return self._connection.execute(sql, parameters).rowcount

    def run_many(self, sql: str, rows: Sequence[Mapping[str, Value] | Sequence[Value]]) -> None:
        self._connection.executemany(sql, rows)

    def all(self, sql: str, parameters: Mapping[str, Value] | Sequence[Value] = ()) -> list[Row]:
        return self._connection.execute(sql, parameters).fetchall()

    def one(self, sql: str, parameters: Mapping[str, Value] | Sequence[Value] = ()) -> Row | None:
        row: Row | None = self._connection.execute(sql, parameters).fetchone()
        return row

    def next_id(self, kind: str) -> int:
        """The next number of `kind`: from 0, never given twice."""
        row = self.one(
            "INSERT INTO sequence (kind, next) VALUES (?, 1)"
            " ON CONFLICT (kind) DO UPDATE SET next = next + 1 RETURNING next - 1",
            (kind,),
        )
        if row is None:
            raise AssertionError("an upsert with RETURNING answers one row")
        return int(row[0])

    def keep_id(self, kind: str, number: int) -> None:
        """That number is taken: `next_id` gives it to nobody any more."""
        self.run(
            "INSERT INTO sequence (kind, next) VALUES (?, ?)"
            " ON CONFLICT (kind) DO UPDATE SET next = max(next, excluded.next)",
            (kind, number + 1),
        )


class Database:
    """An open state file. `boundary` is told the name of every point at which a crash could fall."""

    def __init__(self, connection: sqlite3.Connection, path: Path, boundary: Callable[[str], None]) -> None:
        self._connection = connection
        self._path = path
        self._boundary = boundary

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """A write transaction: durable when the block ends, undone when it raises."""
        with _explained(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            with _explained(self._path):
                yield Transaction(self._connection)
                self._boundary("before commit")
                self._connection.execute("COMMIT")
        except BaseException:
            # A full disk may have rolled back already.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._boundary("after commit")

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """One consistent view, for reading only."""
        with _explained(self._path):
            self._connection.execute("BEGIN")
            try:
                yield Transaction(self._connection)
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("COMMIT")

    def changes(self) -> int:
        """A number that changes with every commit of somebody else: another process or connection."""
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        self._connection.close()


def open_database(
    path: Path,
    schemas: Sequence[Schema],
    boundary: Callable[[str], None] = lambda name: None,
    seed: Callable[[Transaction], None] = lambda tx: None,
) -> Database:
    """Open the state file, making or migrating it as needed.

    `seed` fills a new file inside the transaction that makes it. Refuses (StoreFailed) a file that is
    damaged, that another program made, or that a newer version of the suite wrote.
    """
    with _explained(path):
        connection = _connect(path)
    try:
        database = Database(connection, path, boundary)
        if _is_behind(connection, schemas, path):
            _migrate(database, schemas, path, seed)
    except BaseException:
        connection.close()
        raise
    return database


def _connect(path: Path) -> sqlite3.Connection:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    elif 0 < path.stat().st_size < SMALLEST_FILE:
        # SQLite would take it for a new file and write over it.
        raise sqlite3.DatabaseError("file is not a database")
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)


def _is_behind(connection: sqlite3.Connection, schemas: Sequence[Schema], path: Path) -> bool:
    """Whether the file lacks migrations; raises StoreFailed for one that we must not touch."""
    with _explained(path):
        connection.row_factory = sqlite3.Row
        versions = _versions(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
    for schema in schemas:
        found = versions.get(schema.component, 0)
        if found > schema.version:
            raise StoreFailed(
                f"{path} was written by a newer version ({schema.component} schema {found}, "
                f"this program knows {schema.version})",
                hint="upgrade onesuite, or point ONE_HOME at another folder",
            )
    return any(versions.get(schema.component, 0) < schema.version for schema in schemas)


def _versions(connection: sqlite3.Connection, path: Path) -> dict[str, int]:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if application not in (0, APPLICATION_ID) or (application == 0 and tables):
        raise StoreFailed(
            f"{path} is the database of another program", hint="point ONE_HOME at another folder"
        )
    if not tables:
        return {}
    return dict(connection.execute("SELECT component, version FROM schema_version").fetchall())


def _migrate(
    database: Database, schemas: Sequence[Schema], path: Path, seed: Callable[[Transaction], None]
) -> None:
    with database.begin() as tx:
        # Another process may have been faster: what is missing is asked again under the write lock.
        versions = _versions(database._connection, path)
        new = not versions
        if new:
            tx.run(f"PRAGMA application_id = {APPLICATION_ID}")
            tx.run(
                "CREATE TABLE schema_version (component TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT"
            )
        for schema in schemas:
            for number in range(versions.get(schema.component, 0) + 1, schema.version + 1):
                for statement in _statements(schema.script(number)):
                    tx.run(statement)
            tx.run(
                "INSERT INTO schema_version VALUES (?, ?)"
                " ON CONFLICT (component) DO UPDATE SET version = excluded.version",
                (schema.component, schema.version),
            )
        if new:
            seed(tx)


def _statements(script: str) -> Iterator[str]:
    """The statements of a script one by one: `executescript` would commit in between."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    yield statement


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as exc:
        raise _explain(exc, path) from exc
    except OSError as exc:
        raise StoreFailed(
            f"cannot use {path}: {exc.strerror}", hint="check ONE_HOME and its permissions"
        ) from exc


def _explain(exc: sqlite3.DatabaseError, path: Path) -> StoreFailed:
    text = str(exc)
    if "full" in text:
        return StoreFailed(
            f"the disk of {path} is full", hint="free some space and repeat; nothing was changed by this step"
        )
    if "readonly" in text or "unable to open" in text:
        return StoreFailed(
            f"cannot write {path}: {text}", hint="check ONE_HOME, its owner and its permissions"
        )
    if "locked" in text or "busy" in text:
        return StoreFailed(f"{path} is locked by another process", hint="repeat in a moment", retryable=True)
    if "malformed" in text or "not a database" in text or "no such table" in text or "no such column" in text:
        return StoreFailed(
            f"{path} is damaged: {text}",
            hint=f"nothing was changed; restore a backup, or try: sqlite3 {path} .recover",
        )
    return StoreFailed(f"{path}: {text}", hint="nothing was changed")
