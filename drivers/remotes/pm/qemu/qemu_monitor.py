"""Speaks QMP, the protocol of a running QEMU, with one machine.

https://www.qemu.org/docs/master/interop/qmp-spec.html
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from onecore.drivers.kit import Failed

SOCKET = "qmp.sock"
ANSWER_S = 10.0


class Silent(Failed):
    """Nobody answers: the machine does not run, or is only starting or ending."""


class Monitor:
    """One conversation; QEMU holds only one at a time, others wait for their turn."""

    def __init__(self, connection: socket.socket) -> None:
        self._stream = connection.makefile("rwb")
        self._read()  # the greeting
        self.ask("qmp_capabilities")

    def ask(self, command: str, **arguments: object) -> object:
        """The answer to a command; events in between are passed over."""
        self._stream.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        self._stream.flush()
        while True:
            answer = self._read()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise Failed(f"qemu refuses {command}: {_reason(answer['error'])}")

    def close(self) -> None:
        """Without it the conversation goes on, whatever becomes of the connection's own object."""
        self._stream.close()

    def status(self) -> str:
        """`running`, `paused`, `shutdown`, `internal-error` and so on."""
        answer = self.ask("query-status")
        return str(answer.get("status", "")) if isinstance(answer, dict) else ""

    def _read(self) -> dict[str, object]:
        line = self._stream.readline()
        if not line:
            raise Silent("qemu ended the conversation")
        answer = json.loads(line)
        if not isinstance(answer, dict):
            raise Failed("qemu answers no object")
        return answer


@contextmanager
def monitor(folder: Path) -> Iterator[Monitor]:
    """A conversation with the machine in this folder; raises Silent when there is nobody to talk to."""
    # The path of a socket has room for 107 characters only; this one is short whatever the folder is.
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_S)
            connection.connect(f"/proc/self/fd/{directory}/{SOCKET}")
            with closing(Monitor(connection)) as conversation:
                yield conversation
    except OSError as exc:
        raise Silent(f"qemu does not answer: {exc.strerror or exc}") from exc
    finally:
        os.close(directory)


def _reason(error: object) -> str:
    return str(error.get("desc", error)) if isinstance(error, dict) else str(error)
