"""Commands at a terminal: what is typed there, and what it shows."""

import os
import pty
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence

from tests.scenario.command import ROOT, Answer, Home

DEADLINE_S = 60.0


def at_terminal(
    home: Home,
    *argv: object,
    dialog: Sequence[tuple[str, str]] = (),
    code: int = 0,
    environ: Mapping[str, str] | None = None,
) -> Answer:
    """Run to the end with a terminal as standard input and standard error. `dialog`: after the terminal shows
    the one text, the other is typed."""
    words = tuple(map(str, argv))
    controller, terminal = pty.openpty()
    # A session of its own, without a controlling terminal: nothing is asked of whoever runs the tests.
    with subprocess.Popen(
        [sys.executable, "-m", home.program, *words],
        env={**home.environment, **(environ or {})},
        cwd=ROOT,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        start_new_session=True,
    ) as process:
        os.close(terminal)
        try:
            shown = _talk(controller, dialog)
        finally:
            os.close(controller)
            out = process.communicate(timeout=DEADLINE_S)[0].decode()
    answer = Answer(words, process.returncode, out, shown.replace("\r\n", "\n"))
    assert answer.code == code, answer
    return answer


def _talk(controller: int, dialog: Sequence[tuple[str, str]]) -> str:
    """All that the terminal shows until nobody uses it any more."""
    shown, seen, to_come = "", 0, list(dialog)
    while True:
        if to_come and to_come[0][0] in shown[seen:]:
            seen = len(shown)
            os.write(controller, to_come.pop(0)[1].encode())
        ready, _, _ = select.select([controller], [], [], DEADLINE_S)
        assert ready, f"nothing more is shown after: {shown}"
        try:
            piece = os.read(controller, 65536)
        except OSError:  # its last user went away
            break
        shown += piece.decode()
    assert not to_come, f"never shown: {to_come[0][0]!r}, but: {shown}"
    return shown
