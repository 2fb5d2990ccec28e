"""The pm driver protocol: arguments and environment of a call, and the failure behind a bad outcome.

Answers are read by the parsers of `onecore.drivers.answers`, which are part of this module's interface.
"""

import errno
import os
import re
import signal
import stat
import sys
from collections.abc import Collection, Mapping
from dataclasses import replace
from io import FileIO
from pathlib import Path

from onecore.drivers.answers import (
    Address,
    Listed,
    ListState,
    Poll,
    PollState,
    escaped,
    parse_addresses,
    parse_allocated,
    parse_deploy_id,
    parse_list,
    parse_offers,
    parse_poll,
    shown,
)
from onecore.drivers.manifest import is_reserved
from onecore.drivers.secrecy import masked, masked_text
from onecore.errors import DriverFailed, InvalidInput
from onecore.process import Ended, Outcome

__all__ = [
    "Address",
    "ListState",
    "Listed",
    "Poll",
    "PollState",
    "act",
    "allocate_ip",
    "ask",
    "assign_ip",
    "deploy",
    "environment",
    "failure",
    "parse_addresses",
    "parse_allocated",
    "parse_deploy_id",
    "parse_list",
    "parse_offers",
    "parse_poll",
    "release_ip",
    "shutdown",
    "snapshot",
    "write_deployment",
]

POWEROFF = "SHUTDOWN_POWEROFF"
DESTROY = "SHUTDOWN"

Argv = tuple[str, ...]


def deploy(executable: Path, file: Path, host: str, host_id: int | str) -> Argv:
    return _argv(executable, file=str(file), host=host, host_id=host_id, host_again=host)


def act(executable: Path, deploy_id: str, host: str, host_id: int | str) -> Argv:
    """For cancel, poll, reboot, reset, suspend and resume."""
    return _argv(executable, deploy_id=deploy_id, host=host, host_id=host_id, host_again=host)


def shutdown(
    executable: Path, deploy_id: str, host: str, host_id: int | str, lcm_state: str = POWEROFF
) -> Argv:
    return _argv(
        executable, deploy_id=deploy_id, host=host, lcm_state=lcm_state, host_id=host_id, host_again=host
    )


def snapshot(executable: Path, deploy_id: str, host: str, host_id: int | str, name: str) -> Argv:
    return _argv(executable, deploy_id=deploy_id, host=host, name=name, host_id=host_id, host_again=host)


def ask(executable: Path) -> Argv:
    """For the questions without arguments: list, list_ips, locations, plans, images and prices."""
    return _argv(executable)


def allocate_ip(executable: Path, tag: str) -> Argv:
    return _argv(executable, tag=tag)


def release_ip(executable: Path, address_id: str, tag: str) -> Argv:
    return _argv(executable, address_id=address_id, tag=tag)


def assign_ip(executable: Path, address_id: str, deploy_id: str) -> Argv:
    return _argv(executable, address_id=address_id, deploy_id=deploy_id)


def environment(
    one_home: Path, secrets: Mapping[str, str], base_path: str, home: str | None = None
) -> dict[str, str]:
    """Everything a driver sees. `secrets` are the provider's, by environment variable."""
    for variable, value in secrets.items():
        if is_reserved(variable) or not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", variable):
            raise InvalidInput(f"'{escaped(variable)}' cannot carry a secret to a driver")
        if "\0" in value:
            raise InvalidInput(f"the secret for {variable} holds a NUL character")
    # The interpreter that runs us comes first, so that `#!/usr/bin/env python3` finds it and its packages.
    ours = str(Path(sys.executable).parent)
    return {
        "PATH": f"{ours}{os.pathsep}{base_path}" if base_path else ours,
        "HOME": home or _home() or str(one_home),
        "LANG": "C.UTF-8",
        "ONE_HOME": str(one_home),
        **secrets,
    }


def write_deployment(path: Path, xml: str) -> None:
    """The deployment file of one call, readable by nobody else: it holds secrets."""
    with FileIO(_ours_alone(path), "w") as file:
        # Written over and then cut: to cut it to nothing first waits for the disk, see onecore.process.
        left = memoryview(xml.encode())
        while left:
            left = left[file.write(left) :]
        file.truncate()


def _ours_alone(path: Path) -> int:
    """The file, opened to write; a new one in the place of what somebody else prepared."""
    try:
        fd = os.open(path, _TO_WRITE, 0o600)
    except OSError as exc:
        if exc.errno not in (errno.ELOOP, errno.ENXIO):  # a link; a pipe that nobody reads
            raise
    else:
        if _is_ours_alone(os.fstat(fd)):  # what is open cannot be exchanged any more
            return fd
        os.close(fd)
    path.unlink()
    return os.open(path, _TO_WRITE | os.O_EXCL, 0o600)


def _is_ours_alone(status: os.stat_result) -> bool:
    private = stat.S_IMODE(status.st_mode) == 0o600 and status.st_nlink == 1
    return stat.S_ISREG(status.st_mode) and private and status.st_uid == os.geteuid()


def failure(
    driver: str, action: str, host: str, outcome: Outcome, secrets: Collection[str] = ()
) -> DriverFailed:
    """Why the call failed, in the driver's own words where there are any; values in `secrets` are masked."""
    about = f"{driver} {action} of {host}" if host else f"{driver} {action}"
    clean = replace(outcome, stdout=masked(outcome.stdout, secrets), stderr=masked(outcome.stderr, secrets))
    reason = masked_text(_reason(clean)[:_MOST_READ], secrets)
    return DriverFailed(
        f"{escaped(about)}: {escaped(reason)[:MAX_TEXT]}",
        retryable=outcome.ended is Ended.TIMED_OUT,
        context={
            "driver": driver,
            "action": action,
            "ended": outcome.ended.value,
            "returncode": outcome.returncode,
        },
    )


# Waits for nobody: not for the reader of a pipe that lies there.
_TO_WRITE = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
MAX_TEXT = 2000
BEGIN = "ERROR MESSAGE --8<------"
END = "ERROR MESSAGE ------>8--"
_LAST_LINES = 5
_MOST_READ = 65536


def _argv(executable: Path, **arguments: int | str) -> Argv:
    for name, value in arguments.items():
        text = str(value)
        what = name.removesuffix("_again").replace("_", " ")
        if not text:
            raise InvalidInput(f"{what} of a driver call is empty")
        if text.startswith("-"):
            raise InvalidInput(f"{what} {shown(text)} begins with '-': a driver would take it for an option")
        if any(c in text for c in "\0\n\r"):
            raise InvalidInput(f"{what} {shown(text)} holds a line end or NUL")
    return (str(executable), *(str(value) for value in arguments.values()))


def _home() -> str:
    try:
        return str(Path.home())
    except RuntimeError:  # a user without a passwd entry, as in many containers
        return ""


def _reason(outcome: Outcome) -> str:
    words = _words(outcome)
    tail = f": {words}" if words else ""
    code = outcome.returncode
    if outcome.ended is Ended.NOT_STARTED:
        return f"could not be started: {outcome.problem}"
    if outcome.ended is Ended.TIMED_OUT:
        return f"timed out after {outcome.duration_s:.3g} s{tail}"
    if outcome.ended is Ended.OUTPUT_LIMIT:
        return "printed more than a driver may and was stopped"
    if outcome.ended is Ended.SIGNALLED:
        return f"killed by {_signal_name(code)}{tail}"
    return words or f"exit status {code}"


def _words(outcome: Outcome) -> str:
    """Marked text, else the end of stderr, else (spec: drivers may answer the error on stdout) of stdout."""
    streams = [output.decode("utf-8", "replace") for output in (outcome.stderr, outcome.stdout)]
    for text in streams:
        if BEGIN in text and (marked := _one_line(text.split(BEGIN, 1)[1].split(END, 1)[0])):
            return marked
    return _one_line(streams[0], _LAST_LINES) or _one_line(streams[1], _LAST_LINES)


def _one_line(text: str, last: int = 0) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip() not in ("", BEGIN, END)]
    return "; ".join(lines[-last:])


def _signal_name(returncode: int | None) -> str:
    number = abs(returncode or 0)
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"
