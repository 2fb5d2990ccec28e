"""The one error boundary of the command line: whatever happens inside, a person reads a sentence."""

import errno
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

import click

from onecore.cli.text import printable
from onecore.errors import OneError
from onecore.log import Redactor, private_file

OK = 0
FAILED = 1
USAGE = 2
INTERRUPTED = 130


@dataclass(frozen=True)
class Failure:
    """What is told of a failure, in text or as JSON."""

    message: str
    exit_code: int
    hint: str = ""
    context: Mapping[str, object] = field(default_factory=dict)
    preface: str = ""  # printed before it, in text only: stderr must stay one JSON object with --json


def run(
    command: click.Command,
    argv: Sequence[str],
    prog_name: str,
    *,
    crash_file: Callable[[], Path],
    debug: bool = False,
    redactor: Redactor | None = None,
) -> int:
    """Runs the command and gives the exit code; a command may return an int to choose it.

    `crash_file` names the file for the report of a bug; it is called when there is one to write.
    `debug` also shows the traceback.
    """
    _prepare_streams()
    redactor = redactor or Redactor(())
    try:
        return _invoke(command, argv, prog_name)
    except (KeyboardInterrupt, click.exceptions.Abort):
        failure = Failure("interrupted", INTERRUPTED)
    except OneError as exc:
        failure = Failure(exc.message, exc.exit_code, exc.hint, exc.context)
    except click.ClickException as exc:
        failure = _of_click(exc)
    except Exception as exc:  # noqa: BLE001  # everything else is a bug, and this is the edge
        failure = _of_bug(exc, argv, crash_file, redactor)
        failure = replace(failure, preface=_traceback(exc) if debug else "")
    _put(_json(failure, redactor) if _wants_json(argv) else _text(failure, redactor))
    return failure.exit_code


class _Carried(Exception):
    """An OSError on its way past click, which makes an exit of a broken pipe and hides whose it was."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class _Shield(click.Command):
    """Stands for the command in front of click's main(); contexts and completion are the command's own."""

    def __init__(self, command: click.Command) -> None:
        super().__init__(command.name)
        self._command = command

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        with _carrying():
            return self._command.make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> object:
        with _carrying():
            return self._command.invoke(ctx)


@contextmanager
def _carrying() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise _Carried(exc) from exc


def _invoke(command: click.Command, argv: Sequence[str], prog_name: str) -> int:
    try:
        with _carrying():
            result = _Shield(command).main(list(argv), prog_name=prog_name, standalone_mode=False)
            sys.stdout.flush()
    except SystemExit as exc:
        return _exit_code(exc)
    except _Carried as carried:
        return _of_os(carried.error)
    except OneError:
        _mute_if_failing(sys.stdout)
        raise
    return result if isinstance(result, int) and not isinstance(result, bool) else OK


def _of_os(exc: OSError) -> int:
    """Quiet when our reader left (`| head`); a pipe to somebody else is another matter."""
    gone = [stream for stream in (sys.stdout, sys.stderr) if _reader_gone(stream)]
    if exc.errno == errno.EPIPE and gone:
        for stream in gone:
            _mute(stream)
        return OK
    _mute_if_failing(sys.stdout)
    if exc.errno in {errno.ENOSPC, errno.EDQUOT}:
        place = f": {exc.filename}" if exc.filename else ""
        raise OneError(f"there is no space left to write{place}", hint="make room and try again") from exc
    raise exc


def _exit_code(exc: SystemExit) -> int:
    if isinstance(exc.code, str):
        _put(f"ERROR: {exc.code}\n")
        return FAILED
    return exc.code or OK


def _of_click(exc: click.ClickException) -> Failure:
    ctx = exc.ctx if isinstance(exc, click.UsageError) else None
    hint = f"see '{ctx.command_path} --help'" if ctx is not None else ""
    if type(exc).__name__ == "NoArgsIsHelpError":  # click 8.2 and later: the message is the whole help text
        return Failure("nothing was asked for", USAGE, hint, preface=f"{exc.format_message()}\n\n")
    message = exc.format_message().rstrip(".")
    return Failure(message[:1].lower() + message[1:], exc.exit_code, hint)


def _of_bug(
    exc: Exception, argv: Sequence[str], crash_file: Callable[[], Path], redactor: Redactor
) -> Failure:
    message = f"unexpected {type(exc).__name__}: {printable(str(exc))[:500] or 'no message'}"
    # The command line is quoted as it was typed, save for its secrets.
    report = f"{message}\n\narguments: {json.dumps(list(argv))}\npython: {sys.version}\n\n{_traceback(exc)}"
    try:
        path = crash_file()
        with private_file(path) as file:
            file.write(redactor.text(report).encode("utf-8", "backslashreplace"))
    except Exception as failure:  # noqa: BLE001  # the report must never hide the bug it is about
        return Failure(f"{message} (no report: {failure})", FAILED, "ONE_DEBUG=1 shows the traceback")
    return Failure(message, FAILED, f"this is a bug; the report is in {path}", {"report": str(path)})


def _traceback(exc: Exception) -> str:
    import traceback  # lazy: only a bug needs it

    return "".join(traceback.format_exception(exc))


def _wants_json(argv: Sequence[str]) -> bool:
    options = list(argv)[: list(argv).index("--")] if "--" in argv else argv
    return "-j" in options or "--json" in options


def _text(failure: Failure, redactor: Redactor) -> str:
    message = printable(redactor.text(failure.message), keep_newlines=True)
    hint = printable(redactor.text(failure.hint), keep_newlines=True)
    preface = printable(redactor.text(failure.preface), keep_newlines=True)
    return f"{preface}ERROR: {message}\n" + (f"  hint: {hint}\n" if hint else "")


def _json(failure: Failure, redactor: Redactor) -> str:
    error = {
        "message": failure.message,
        "hint": failure.hint,
        "exit_code": failure.exit_code,
        "context": dict(failure.context),
    }
    # ASCII only: an error must be readable JSON whatever the locale.
    return json.dumps({"error": redactor.value(error)}, indent=2, default=str) + "\n"


def _put(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _mute(sys.stderr)  # nobody is left to tell


def _prepare_streams() -> None:
    """A closed stream becomes /dev/null (else the next file opened would take its number and our output
    would go into it), and no character is ever an error."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _reader_gone(stream: TextIO) -> bool:
    import select  # lazy: only a broken pipe needs it

    poll = select.poll()
    try:
        poll.register(stream.fileno(), 0)
    except (OSError, ValueError):
        return False
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _mute_if_failing(stream: TextIO) -> None:
    """What could not be written must not be tried again when the interpreter ends: it would complain."""
    try:
        stream.flush()
    except OSError:
        _mute(stream)


def _mute(stream: TextIO) -> None:
    """Sends what is still buffered to nowhere, or the interpreter would complain of it at its end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
