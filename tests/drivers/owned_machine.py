"""A machine somebody owns: a real SSH server whose system can be restarted, powered off and woken up.

What is asked over SSH reaches a program of the test's own, and through it the thread that plays the hardware.
"""

import os
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.ssh_server import SshServer, ssh_server

MAC = "52:54:00:12:34:56"
SYSTEM = """#!/bin/sh
cd "{folder}" || exit 1
case $SSH_ORIGINAL_COMMAND in
*boot_id*) cat boot_id ;;
*sysrq*) echo reset >power ;;
*poweroff*) echo poweroff >power ;;
*reboot*) echo reboot >power ;;
*) exec sh -c "$SSH_ORIGINAL_COMMAND" ;;
esac
"""


@dataclass
class OwnedMachine:
    """`seen`: what was asked of its hardware. `deaf`: it does not do what it is asked."""

    server: SshServer
    wake_port: int
    seen: list[str] = field(default_factory=list)
    deaf: bool = False
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def folder(self) -> Path:
        return self.server.folder

    @property
    def is_on(self) -> bool:
        return self._process is not None

    @property
    def boot_id(self) -> str:
        return (self.folder / "boot_id").read_text().strip()

    def obey(self, word: str) -> None:
        self.seen.append(word)
        if self.deaf:
            return
        if word != "wake" or self.is_on:
            self.off()
        if word != "poweroff":
            self.on()

    def on(self) -> None:
        (self.folder / "boot_id").write_text(f"{uuid.uuid4()}\n")
        self._process = self.server.start()
        self.server._wait_until_it_answers(self._process)

    def off(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)
            self._process = None


@contextmanager
def owned_machine(folder: Path, address: str = "127.0.0.1") -> Iterator[OwnedMachine]:
    server = ssh_server(folder, address)
    system = folder / "system"
    system.write_text(SYSTEM.format(folder=folder))
    system.chmod(0o755)
    authorized = folder / "authorized"
    authorized.write_text(f'command="{system}" {authorized.read_text()}')
    os.mkfifo(folder / "power")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as card:
        card.bind((address, 0))
        machine = OwnedMachine(server, card.getsockname()[1])
        threads = [
            threading.Thread(target=hardware, args=(machine,)),
            threading.Thread(target=network, args=(card, folder)),
        ]
        machine.on()
        for thread in threads:
            thread.start()
        try:
            yield machine
        finally:
            card.sendto(b"end", card.getsockname())
            threads[1].join()
            (folder / "power").write_text("end\n")
            threads[0].join()
            machine.off()


def hardware(machine: OwnedMachine) -> None:
    while True:
        for word in (machine.folder / "power").read_text().split():
            if word == "end":
                return
            machine.obey(word)


def network(card: socket.socket, folder: Path) -> None:
    """The network card, which hears its own magic packet also while the system is off."""
    magic = b"\xff" * 6 + bytes.fromhex(MAC.replace(":", "")) * 16
    while (packet := card.recv(200)) != b"end":
        if packet == magic:
            (folder / "power").write_text("wake\n")
