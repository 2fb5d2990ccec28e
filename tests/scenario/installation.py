"""An installation of its own: the real command as a process, a witness of what is stored and what exists."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests import warm

REPOSITORY = Path(__file__).parents[2]
BUILT_IN = REPOSITORY / "drivers" / "remotes" / "pm" / "dummy"
COMMAND = (sys.executable, "-m", "oneprovision")
# In front of a command: its process is started anew, not forked from a warm one.
ANEW = ("env",)
RUNNING = 6
DONE = 10

_STRANGERS = ("HOME", "PYTHONWARNINGS", "COLUMNS")


@dataclass(frozen=True)
class Answer:
    """How a command ended; `code` is negative when a signal ended it."""

    code: int
    out: str
    err: str

    @property
    def is_clear(self) -> bool:
        """A sentence for people and no more: what is wrong, and no trace of the inside."""
        inside = ("Traceback", "unexpected ", "this is a bug")
        errors = [line for line in self.err.splitlines() if line.startswith("ERROR: ")]
        return len(errors) == 1 and not any(word in self.err for word in inside)


@dataclass(frozen=True)
class Started:
    """A command at work."""

    begun: warm.Begun

    @property
    def pid(self) -> int:
        return self.begun.process.pid

    def answer(self, timeout_s: float = 60) -> Answer:
        code, out, err = self.begun.end(timeout_s)
        return Answer(code, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))

    def end(self) -> None:
        """Kill it, unless it is over."""
        self.begun.process.kill()
        if not self.begun.out.closed:
            self.begun.end(20)


@dataclass(frozen=True)
class Installation:
    """`environ` is added to the environment of each command; `before` is put in front of its arguments."""

    home: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    before: Sequence[str] = ()
    seen_at: Path | None = None

    @property
    def witness(self) -> Path:
        """Where we see the files of the home, should the command live in a mount namespace of its own."""
        return self.seen_at or self.home

    def run(self, *arguments: str, stdin: bytes = b"", timeout_s: float = 60) -> Answer:
        try:
            code, out, err = self._run(arguments, stdin, timeout_s)
        except BaseException:
            self.end_drivers()
            raise
        return Answer(code, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))

    def _run(self, arguments: tuple[str, ...], stdin: bytes, timeout_s: float) -> tuple[int, bytes, bytes]:
        if not self.before:
            return warm.run(self._what(arguments), stdin, timeout_s)
        done = subprocess.run(
            [*self.before, *COMMAND, *arguments],
            env=self.environment(),
            input=stdin,
            capture_output=True,
            cwd=REPOSITORY,
            timeout=timeout_s,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def ok(self, *arguments: str) -> str:
        answer = self.run(*arguments)
        assert answer.code == 0, answer.err
        return answer.out

    def start(self, *arguments: str) -> "Started":
        return Started(warm.begin(self._what(arguments)))

    def _what(self, arguments: tuple[str, ...]) -> warm.Start:
        return warm.Start("oneprovision", arguments, self.environment(), str(REPOSITORY))

    def environment(self) -> dict[str, str]:
        ours = {k: v for k, v in os.environ.items() if not k.startswith("ONE") and k not in _STRANGERS}
        return {**ours, "ONE_HOME": str(self.home), "HOME": str(self.home.parent), **self.environ}

    def end_drivers(self) -> None:
        """Ends the drivers of this home that outlived their command, and whatever they have started."""
        for pid in self.at_work():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def at_work(self) -> list[int]:
        """Every living process that was started with this home."""
        mark, found = f"ONE_HOME={self.home}".encode(), []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
        return found

    # -- what is stored, and what exists -------------------------------------------------------------------

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        if self.seen_at is None:
            return rows(self.home, sql)
        with tempfile.TemporaryDirectory() as copy:  # SQLite does not find its way into a mount namespace
            for file in self.seen_at.glob("one.db*"):
                shutil.copy(file, copy)
            return rows(Path(copy), sql)

    def stored(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table, save the leases: a command may take one and give it back."""
        tables = self.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name != 'lease'")
        return {str(t): self.rows(f"SELECT * FROM {t} ORDER BY rowid") for (t,) in tables}

    def cloud(self) -> dict[str, bytes]:
        """Every file of the dummy cloud."""
        folder = self.witness / "dummy"
        return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}

    def everything(self) -> tuple[object, object]:
        return self.stored(), self.cloud()

    def existing(self) -> set[str]:
        """The machines that the dummy cloud has."""
        return existing(self.witness)

    def wanted(self) -> set[str]:
        sql = "SELECT name FROM resource WHERE kind = 'machine' AND wanted = 'present'"
        return {str(name) for (name,) in self.rows(sql)}

    def recorded(self) -> set[str]:
        return {str(name) for (name,) in self.rows("SELECT name FROM resource WHERE kind = 'machine'")}

    def state(self, provision: int = 0) -> int:
        ((state,),) = self.rows(f"SELECT state FROM provision WHERE id = {provision}")
        return int(str(state))


def rows(home: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{home / 'one.db'}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


def existing(home: Path) -> set[str]:
    folder = home / "dummy" / "machines"
    files = folder.iterdir() if folder.exists() else ()
    return {f.name for f in files if "COMPLETE=1" in f.read_text("utf-8", "replace").splitlines()}


def template(folder: Path, hosts: int = 1, driver: str = "dummy", **parameters: object) -> str:
    """The path of a small template. `parameters` are those of its hosts, as YAML."""
    lines = "".join(f"    {key}: {value}\n" for key, value in parameters.items())
    text = (
        "name: t\nhosts:\n- provision:\n"
        f"    driver: {driver}\n    count: {hosts}\n    hostname: t-${{index}}\n{lines}"
    )
    return written(folder / "t.yaml", text)


def remotes_that(tmp_path: Path, deploy: str) -> str:
    """Remotes whose dummy runs a script; $real is what it would have run."""
    folder = tmp_path / "remotes" / "pm" / "dummy"
    shutil.copytree(BUILT_IN, folder)
    shutil.copytree(BUILT_IN, folder / "real")
    (folder / "deploy").write_text(f'#!/bin/sh\nreal="${{0%/*}}/real/deploy"\n{deploy}\n')
    for file in (folder.parent, folder, *folder.rglob("*")):
        file.chmod(file.stat().st_mode & ~0o022)
    return str(folder.parents[1])


def written(path: Path, text: str | bytes) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def until(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.01)


def end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    process.communicate()
