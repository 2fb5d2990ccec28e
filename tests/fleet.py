"""Machines to configure: real SSH servers on loopback addresses, with one port and one user key."""

import errno
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.ssh_server import SshServer, free_port, ssh_server


@dataclass
class Fleet:
    """What a playbook did to the machine at an address is a file of that name in `marks`."""

    folder: Path
    servers: list[SshServer]

    @property
    def marks(self) -> Path:
        return self.folder / "marks"

    @property
    def port(self) -> int:
        return self.servers[0].port

    @property
    def key(self) -> str:
        return self.servers[0].login.private_key

    @property
    def addresses(self) -> list[str]:
        return [server.address for server in self.servers]

    def marked(self, address: str) -> list[str]:
        """The lines that playbooks left on a machine."""
        file = self.marks / address
        return file.read_text().split() if file.exists() else []

    def all_marked(self) -> list[list[str]]:
        return [self.marked(address) for address in self.addresses]

    def clear(self) -> None:
        shutil.rmtree(self.marks, ignore_errors=True)
        self.marks.mkdir()


@contextmanager
def running_fleet(folder: Path, size: int) -> Iterator[Fleet]:
    """Servers on 127.0.0.10 and the following addresses."""
    addresses = [f"127.0.0.{10 + n}" for n in range(size)]
    servers = [ssh_server(folder / address, address) for address in addresses]
    port = _common_port(addresses)
    authorized = (servers[0].folder / "authorized").read_text()
    for server in servers:
        (server.folder / "authorized").write_text(authorized)
    fleet = Fleet(folder, [replace(server, port=port) for server in servers])
    fleet.clear()
    with ExitStack() as stack:
        for server in fleet.servers:
            stack.enter_context(server.running())
        yield fleet


def _common_port(addresses: list[str]) -> int:
    while True:
        port = free_port(addresses[0])
        if all(_is_free(address, port) for address in addresses):
            return port


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind((address, port))
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE:
                raise
            return False
    return True
