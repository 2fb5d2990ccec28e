"""One run of ansible-playbook under the lease of a provision: watched, stopped, or taken up after a crash.

Its folder is `run/ansible-<provision>`; it is private, and removed when the results are recorded.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from onecore import alive, ansible
from onecore.ansible import MARK, Job, Results
from onecore.deps import Deps
from onecore.errors import DriverFailed, Interrupted
from onecore.notice import Notice
from onecore.process import Ended, Outcome, Runner
from onecore.store import lease
from onecore.store.lease import Lease
from oneprovision.model.provision import Provision
from oneprovision.readiness import raise_if_asked

TICK_S = 0.25
LAST_WORDS = 5


@dataclass(frozen=True)
class Note:
    """What is to be known of a run by whoever takes it up. `run` marks all its processes; `names`: what it
    calls our hosts, by host id."""

    run: str
    cleanup: bool
    names: Mapping[int, str]
    deadline: float


@dataclass(frozen=True)
class Ran:
    """What a run told. `names`: what it calls our hosts, by host id. `problem`: what befell all of it;
    `stopped`: why it was asked to end; `taken_up`: it was begun by a process that is gone."""

    run: str
    cleanup: bool
    names: Mapping[int, str]
    results: Results
    host_keys: Mapping[str, str]
    problem: str = ""
    stopped: str = ""
    taken_up: bool = False


class PlaybookRun:
    """The one place of a provision where ansible-playbook works; the lease lets only one process use it."""

    def __init__(self, deps: Deps, held: Lease, provision: Provision) -> None:
        self._deps = deps
        self._lease = held
        self._provision = provision
        self._renewed = deps.clock.now()
        self._told = 0
        self.folder = folder_of(deps, provision.id)

    def new_name(self) -> str:
        """A name for a run, which marks all its processes."""
        return f"{self._provision.id}-{self._deps.random_bytes(12).hex()}"

    def carry_out(self, note: Note, job: Job, intended_at: float) -> Ran:
        """Run it to its end. Whoever calls has recorded the intent at `intended_at`.

        Raises WrongState when the lease was lost meanwhile; nothing is left at work then either.
        """
        try:
            command = ansible.write(self.folder, job, note.run, self._deps.settings.base_environment)
            self._leave(note)
        except OSError as exc:
            raise DriverFailed(f"cannot write {self.folder}: {exc.strerror}") from exc
        late = self._deps.clock.now() - intended_at
        if late > lease.TTL_S / 2:
            raise DriverFailed(f"not started: this process stood still for {late:.0f} s", retryable=True)
        runner: Runner[str] = Runner()
        runner.start(note.run, command)
        self._deps.boundary("playbook started")
        try:
            outcome, stopped = self._watch(runner, note.run)
        finally:
            runner.kill()
            alive.kill_bearers(f"{MARK}={note.run}")
        self._deps.boundary("playbook ended")
        return replace(self._told_by(note), problem=_problem(outcome), stopped=stopped)

    def take_up(self, end_it: bool = False) -> Ran | None:
        """What an earlier process began and did not record. Waits until nobody works on it any more, or ends
        it."""
        try:
            noted = json.loads((self.folder / "job.json").read_text())
            names = {int(number): str(name) for number, name in noted["names"].items()}
            note = Note(str(noted["run"]), noted["cleanup"] is True, names, float(noted["deadline"]))
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            self.forget()  # nothing was started: the note is written first
            return None
        mark = f"{MARK}={note.run}"
        if end_it:
            alive.kill_bearers(mark)
        if alive.is_held(self.folder / "output"):
            self._tell("waiting for an ansible-playbook that outlived the process which started it", "W")
        while alive.is_held(self.folder / "output"):
            if self._deps.clock.now() > note.deadline + ansible.GRACE_S:
                alive.kill_bearers(mark)
            raise_if_asked(self._deps, self._provision.id)
            self._keep_lease()
            self._deps.clock.sleep(TICK_S)
        alive.kill_bearers(mark)
        return replace(self._told_by(note), taken_up=True)

    def forget(self) -> None:
        """Remove the folder: the results are recorded, or there are none."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _watch(self, runner: Runner[str], run: str) -> tuple[Outcome, str]:
        stopped = ""
        self._told = 0
        while True:
            for _, outcome in runner.wait(TICK_S):
                self._tell_tasks()
                return outcome, stopped
            self._tell_tasks()
            self._keep_lease()
            stopped = stopped or self._asked_to_stop()
            if stopped:
                runner.stop(run)

    def _asked_to_stop(self) -> str:
        try:
            raise_if_asked(self._deps, self._provision.id)
        except Interrupted as exc:
            return exc.message
        return ""

    def _keep_lease(self) -> None:
        now = self._deps.clock.now()
        if now > self._renewed + lease.TTL_S / 4:
            with self._deps.database.begin() as tx:
                lease.renew(tx, self._lease, now)
            self._renewed = now

    def _tell_tasks(self) -> None:
        tasks = ansible.read(self.folder).tasks
        for task in tasks[self._told :]:
            self._tell(f"ansible: {task}")
        self._told = len(tasks)

    def _tell(self, text: str, level: str = "I") -> None:
        self._deps.notify(Notice(self._deps.clock.now(), f"provision {self._provision.id}", text, level))

    def _told_by(self, note: Note) -> Ran:
        results, keys = ansible.read(self.folder), ansible.learned(self.folder)
        return Ran(note.run, note.cleanup, note.names, results, keys)

    def _leave(self, note: Note) -> None:
        draft = self.folder / "job.draft"
        draft.touch(mode=0o600)
        draft.write_text(json.dumps({**note.__dict__, "names": dict(note.names)}))
        draft.rename(self.folder / "job.json")


def folder_of(deps: Deps, provision_id: int) -> Path:
    return deps.settings.run_directory / f"ansible-{provision_id}"


def _problem(outcome: Outcome) -> str:
    """What befell the run as a whole. Its hosts may have come through all the same."""
    if outcome.ended is Ended.TIMED_OUT:
        return f"ansible-playbook timed out after {outcome.duration_s:.0f} s"
    if outcome.ended is Ended.NOT_STARTED:
        return f"ansible-playbook could not be started: {outcome.problem}"
    if outcome.ended is Ended.SIGNALLED:
        return f"ansible-playbook was killed by signal {abs(outcome.returncode or 0)}"
    return _last_words(outcome) or f"ansible-playbook ended with {outcome.returncode}"


def _last_words(outcome: Outcome) -> str:
    """Why ansible began nothing, such as a playbook that cannot be read: it says so on stderr only."""
    lines = [line.strip() for line in outcome.stderr.decode("utf-8", "replace").splitlines()]
    errors = [line for line in lines if line.startswith("[ERROR]")]
    words = errors or [line for line in lines if line][-LAST_WORDS:]
    return f"ansible-playbook: {'; '.join(words[:LAST_WORDS])}" if words else ""
