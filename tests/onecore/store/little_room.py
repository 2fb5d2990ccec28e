"""Writes to a state file until there is no room left, and says what came of it, as JSON.

Run as a process of its own: `python -m tests.onecore.store.little_room FOLDER mount|limit`. With `mount` the
folder is a small file system; with `limit` no file may grow past a few hundred KiB.
"""

import json
import resource
import sys
from contextlib import closing
from pathlib import Path

from onecore import config
from onecore.errors import StoreFailed
from onecore.home import open_home
from onecore.store import events
from onecore.store.engine import Database, Transaction

BALLAST = 300 * 1024
MOST = 600 * 1024


def main(folder: Path, way: str) -> None:
    settings = config.read({"ONE_HOME": str(folder)})
    ballast = folder / "ballast"
    if way == "mount":
        ballast.write_bytes(bytes(BALLAST))
    with closing(open_home(settings, ())) as database:
        if way == "limit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (MOST, resource.RLIM_INFINITY))
        committed, refused = filled(database)
        report = {"committed": committed, "message": refused.message, "hint": refused.hint}
        report["found"] = lines(database)
    with closing(open_home(settings, ())) as database:
        report["found by another"] = lines(database)
        with database.read() as tx:
            report["integrity"] = tx.all("PRAGMA integrity_check")[0][0]
        ballast.unlink(missing_ok=True)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        with database.begin() as tx:
            write(tx)
        report["found with room again"] = lines(database)
    print(json.dumps(report))


def filled(database: Database) -> tuple[int, StoreFailed]:
    committed = 0
    while True:
        try:
            with database.begin() as tx:
                write(tx)
        except StoreFailed as exc:
            return committed, exc
        committed += 1


def write(tx: Transaction) -> None:
    for _ in range(2):
        events.add(tx, "provision/0", 0.0, "Plan", "x" * 20_000)


def lines(database: Database) -> int:
    with database.read() as tx:
        return len(events.of(tx, "provision/0"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
