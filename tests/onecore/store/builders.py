"""State files, records and processes that use them, with sensible defaults for the tests."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from onecore.machines.model import Kind, Resource
from onecore.store.engine import CORE, Database, Schema, Transaction, open_database
from onecore.store.lease import Owner

START = """
import os, signal, sys
from pathlib import Path
from onecore.store import lease, events
from onecore.store.engine import CORE, open_database
path = Path(sys.argv[1])
"""


def opened(path: Path, *schemas: Schema, boundary: Callable[[str], None] = lambda name: None):
    """A state file with the tables of the core and of `schemas`, closed at the end of the `with` block."""
    return closing(open_database(path, (CORE, *schemas), boundary))


def a_schema(folder: Path, *scripts: str) -> Schema:
    """A component `toy` with these migrations."""
    folder.mkdir(exist_ok=True)
    for number, script in enumerate(scripts, 1):
        (folder / f"toy_{number:04}.sql").write_text(script)
    return Schema("toy", folder, len(scripts))


def a_resource(number: int = 0, **changed) -> Resource:
    given = {
        "id": number,
        "kind": Kind.MACHINE,
        "name": f"provision-{number:048x}",
        "owner": "provision/0",
        "driver": "dummy",
        "provider_id": None,
        "number": number,
        "label": f"host-{number}",
    }
    return Resource(**{**given, **changed})


def an_owner(**changed) -> Owner:
    return Owner(
        **{"host": "here", "boot": "boot-1", "space": "pid:[1]", "pid": 1, "started": "1", **changed}
    )


def program(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A process of its own that runs `code` after START, with the arguments from sys.argv[1] on."""
    return subprocess.Popen(
        [sys.executable, "-c", START + code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def count(database: Database, table: str = "event") -> int:
    with database.read() as tx:
        return rows(tx, table)


def rows(tx: Transaction, table: str) -> int:
    return len(tx.all(f"SELECT 1 FROM {table}"))
