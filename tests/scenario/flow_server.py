"""A server in a forked process that may kill itself at a boundary, and a client of it."""

import base64
import hashlib
import http.client
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.scenario import killing
from tests.scenario.flow_judge import SETTLED
from tests.scenario.killing import STUCK_AFTER_S, Boundary, Kill, Place, Run

LOOK_S = 0.01
SERVE = ("serve", "--port", "0")


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: Any = None


@dataclass(frozen=True)
class Served:
    """How the process ended, how it answered the request (0: not at all), and how many boundaries it had
    passed when it began to listen."""

    run: Run
    status: int = 0
    began_at: int = 0


Main = Callable[[Sequence[str], Boundary], int]


@dataclass(frozen=True)
class Product:
    """Its command line, and whether everything in a state file rests."""

    main: Main
    rests: Callable[[Path, sqlite3.Connection], bool]


def serve(
    place: Place, request: Request | None = None, kill: Kill | None = None, product: Product | None = None
) -> Served:
    """Start a server on this state, ask it for something, and stop it in order once everything rests; unless
    it was killed before."""
    product = product or Product(_oneflow, _rests)
    heard, said = os.pipe()
    pid = killing.begun(place, SERVE, kill, partial(_speaking, said, product.main))
    os.close(said)
    with os.fdopen(heard) as voice:
        url = _listening(place, voice)
        began_at = len((place.folder / "trace.txt").read_text().splitlines())
        status = _asked(place.home, url, request) if url and request else 0
        if url and _rests_in_time(place.home, pid, product):
            os.kill(pid, signal.SIGTERM)
        elif url and not killing.ends_in(pid, 0):
            os.kill(pid, signal.SIGTERM)  # the judge says what does not rest
        _note(place, voice.read())
    return Served(killing.ended(place, pid), status, began_at)


def cheapen(home: Path) -> None:
    """Store the password of this installation by a hash that costs no time: hundreds of servers check it."""
    password = (home / "one_auth").read_text().strip().partition(":")[2]
    digest = hashlib.scrypt(password.encode(), salt=b"salt", n=2, r=1, p=1, dklen=32).hex()
    with closing(sqlite3.connect(home / "one.db")) as db, db:
        db.execute("UPDATE user SET password = ? WHERE id = 0", (f"scrypt$2$1$1${b'salt'.hex()}${digest}",))


def _speaking(stderr: int, main: Main, argv: Sequence[str], boundary: Boundary) -> int:
    sys.stderr = os.fdopen(stderr, "w")
    return main(argv, boundary)


def _oneflow(argv: Sequence[str], boundary: Boundary) -> int:
    from oneflow.__main__ import main

    return main(argv, boundary=boundary)


def _listening(place: Place, voice: Any) -> str:
    """Where it listens, empty for one that ended before."""
    for line in voice:
        _note(place, line)
        if " listens on " in line:
            return str(line.rsplit(" ", 1)[1].strip())
    return ""


def _note(place: Place, text: str) -> None:
    with place.output.open("a") as file:
        file.write(text)


def _asked(home: Path, url: str, request: Request) -> int:
    user = (home / "one_auth").read_text().strip()
    header = {"Authorization": "Basic " + base64.b64encode(user.encode()).decode()}
    body = None if request.body is None else json.dumps(request.body)
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=STUCK_AFTER_S)
    try:
        connection.request(request.method, request.path, body, header)
        return connection.getresponse().status
    except (http.client.HTTPException, OSError):
        return 0  # it died with the answer
    finally:
        connection.close()


def _rests_in_time(home: Path, pid: int, product: Product) -> bool:
    until = time.monotonic() + STUCK_AFTER_S
    with closing(sqlite3.connect(f"file:{home / 'one.db'}?mode=ro", uri=True)) as db:
        while time.monotonic() < until:
            if killing.ends_in(pid, 0):
                return False
            if product.rests(home, db):
                return True
            time.sleep(LOOK_S)
    return False


def _rests(home: Path, db: sqlite3.Connection) -> bool:
    """No service is on its way, no driver at work, and nothing is left of one that was."""
    services = db.execute("SELECT state, body FROM document WHERE type = '100'").fetchall()
    if any(state not in SETTLED or '"leaving": true' in body for state, body in services):
        return False
    if db.execute("SELECT 1 FROM operation WHERE ended_at IS NULL").fetchone():
        return False
    run = home / "run"
    return not (run.is_dir() and any(run.iterdir()))
