"""The real command as a process in a home of its own, with the dummy cloud's files as the witness."""

import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import warm

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
CLUSTER = str(EXAMPLES / "dummy-cluster.yaml")
DEADLINE_S = 30.0
# A call that fails is tried once, at once.
ONCE = ("--fail-retry", "0")


@dataclass(frozen=True)
class Answer:
    """How a command ended, and what it printed."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def body(self) -> Any:
        """The body of the provision document that was printed."""
        return self.json["DOCUMENT"]["TEMPLATE"]["PROVISION_BODY"]

    @property
    def error(self) -> Any:
        """The error that `-j` prints, after the lines of progress."""
        return json.loads(self.err[self.err.index("{\n") :])["error"]


@dataclass
class Running:
    """A command at work."""

    argv: tuple[str, ...]
    process: warm.Process
    out: Path
    err: Path
    deadline_s: float = DEADLINE_S

    def end(self, code: int | None = 0) -> Answer:
        ended = self.process.wait(self.deadline_s)
        answer = Answer(self.argv, ended, self.out.read_text(), self.err.read_text())
        assert code is None or ended == code, answer
        return answer

    def says(self, text: str) -> None:
        """Wait until stderr shows `text`."""
        until(lambda: text in self.err.read_text(), f"{text!r} of {self.argv}", self.deadline_s)

    def signal(self, number: int = signal.SIGINT) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(DEADLINE_S)

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None


@dataclass
class Home:
    """One ONE_HOME. `remotes`: a folder with drivers of the test's own; `program`: what is run."""

    folder: Path
    remotes: Path | None = None
    deadline_s: float = DEADLINE_S
    program: str = "oneprovision"
    _started: list[Running] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / "home"

    @property
    def environment(self) -> Mapping[str, str]:
        further = {"ONE_REMOTES": str(self.remotes)} if self.remotes else {}
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "ONE_HOME": str(self.path), **further}

    def run(self, *argv: object, code: int = 0, typed: str = "") -> Answer:
        """Run to the end, which has to be with this exit code."""
        words = tuple(map(str, argv))
        done, out, err = warm.run(self._started_as(words), typed.encode(), self.deadline_s)
        answer = Answer(words, done, out.decode(), err.decode())
        assert answer.code == code, answer
        return answer

    def start(self, *argv: object) -> Running:
        words = tuple(map(str, argv))
        number = len(self._started)
        out, err = self.folder / f"{number}.out", self.folder / f"{number}.err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            with Path(os.devnull).open() as nothing:
                files = (nothing.fileno(), stdout.fileno(), stderr.fileno())
                process = warm.start(self._started_as(words), *files)
        self._started.append(Running(words, process, out, err, self.deadline_s))
        return self._started[-1]

    def _started_as(self, words: tuple[str, ...]) -> warm.Start:
        return warm.Start(self.program, words, self.environment)

    def close(self) -> None:
        """End what a failed test left at work."""
        for running in self._started:
            if not running.is_over:
                running.kill()

    def create(self, *sets: str, options: tuple[str, ...] = (), code: int = 0, hosts: int = 3) -> Answer:
        """A provision of the example, with `sets` as its values."""
        return self.run(*self.creation(*sets, hosts=hosts), *options, code=code)

    def creation(self, *sets: str, hosts: int = 3) -> tuple[str, ...]:
        every = (f"input.hosts={hosts}", *sets)
        return ("create", CLUSTER, *(word for each in every for word in ("--set", each)))

    def show(self, provision: object = 0) -> Any:
        return self.run("show", provision, "-j").body

    def state(self, provision: object = 0) -> str:
        return str(self.show(provision)["state"])

    def states(self, provision: object = 0) -> list[str]:
        """The states that were passed through, in order."""
        lines = self.show(provision)["historic"]
        moves = [line["description"] for line in lines if line["action"] == "State changed"]
        return [text.removeprefix("New state: ").partition(":")[0] for text in moves]

    def host_ids(self, provision: object = 0) -> list[int]:
        return [host["id"] for host in self.show(provision)["one_objects"]["hosts"]]

    def machine_of(self, host: int, provision: object = 0) -> Path:
        """The file of the machine that a host runs on."""
        body = self.show(provision)
        every = body["one_objects"]["hosts"] + body["pending"]
        name = next(each["machine"] for each in every if each["id"] == host)
        return self.cloud / "machines" / str(name)

    def wanted(self) -> set[str]:
        """The names of the machines that are recorded as wanted."""
        with closing(sqlite3.connect(self.path / "one.db")) as db:
            rows = db.execute("SELECT name FROM resource WHERE kind = 'machine' AND wanted = 'present'")
            return {row[0] for row in rows}

    def preset(self, **numbers: int) -> None:
        """The next ids, by kind, as after a long life of the installation."""
        with closing(sqlite3.connect(self.path / "one.db")) as db:
            for kind, number in numbers.items():
                change = "ON CONFLICT (kind) DO UPDATE SET next = excluded.next"
                db.execute(f"INSERT INTO sequence VALUES (?, ?) {change}", (kind, number))
            db.commit()

    def set_state(self, number: int, provision: int = 0) -> None:
        """Put a provision into a state, by OneForm's number, as a crash would leave it."""
        with closing(sqlite3.connect(self.path / "one.db")) as db:
            db.execute("UPDATE provision SET state = ? WHERE id = ?", (number, provision))
            db.commit()

    # -- the witness ---------------------------------------------------------------------------------------

    @property
    def cloud(self) -> Path:
        return self.path / "dummy"

    def machines(self) -> dict[str, str]:
        """What exists: the records of the machines by name."""
        return _whole(self.cloud / "machines")

    def addresses(self) -> dict[str, str]:
        return _whole(self.cloud / "addresses")

    def rehearse(self, *lines: str) -> None:
        """From now on these knobs hold for every machine."""
        self.cloud.mkdir(parents=True, exist_ok=True)
        (self.cloud / "cloud.conf").write_text("".join(f"{line}\n" for line in lines))

    def hold(self, *actions: str) -> None:
        """From now on calls of these actions wait; without any, none does. For a driver that counts."""
        (self.path / "hold").write_text("".join(f"{action}\n" for action in actions))

    def calls(self) -> list[str]:
        """Lines of a driver that counts: `+ deploy HOST` as it starts, `- deploy HOST` as it ends."""
        file = self.path / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def count(self, action: str) -> int:
        return sum(line.startswith(f"+ {action} ") for line in self.calls())


def until(holds: Callable[[], object], what: str, seconds: float = DEADLINE_S) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"this did not come true: {what}"
        time.sleep(0.01)


def edit(machine: Path, line: str) -> None:
    """The official way to rehearse on a live machine."""
    with machine.open("a") as file:
        file.write(f"{line}\n")


def _whole(folder: Path) -> dict[str, str]:
    files = folder.iterdir() if folder.is_dir() else ()
    texts = {file.name: file.read_text() for file in files}
    return {name: text for name, text in texts.items() if "COMPLETE=1" in text.splitlines()}
