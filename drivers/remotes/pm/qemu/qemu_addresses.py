"""Gives every machine an address of its own in 127.64.0.0/10, where only this computer reaches it.

Every address of 127.0.0.0/8 is there on Linux without being set up. One that was used is not used again for
another machine soon, because who logged in to it remembers its host key.
"""

import errno
import secrets
import socket
from collections.abc import Collection

from onecore.drivers.kit import Failed
from qemu_request import Forward, Request

SSH = 22
OTHER_SSH_PORT = 2222


def chosen(request: Request, taken: Collection[str]) -> tuple[str, tuple[Forward, ...]]:
    """An address where all ports are free, and the ports. SSH answers where it should if that is possible: to
    open port 22 one has to be root, and nobody else may listen there on every address."""
    while (address := _random()) in taken:
        pass
    for forward in request.forwards:
        problem = _problem(address, forward.port)
        if problem:
            raise Failed(f"forward: port {forward.port} of {address} cannot be opened: {problem}")
    port = OTHER_SSH_PORT if _problem(address, request.ssh_port) else request.ssh_port
    return address, (Forward(port, SSH), *(f for f in request.forwards if f.port != port))


def _random() -> str:
    return f"127.{64 + secrets.randbelow(64)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"


def _problem(address: str, port: int) -> str:
    """Why the port cannot be opened, or nothing."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
            listener.listen(1)
        except OSError as exc:
            return "only root may" if exc.errno == errno.EACCES else str(exc.strerror)
    return ""
