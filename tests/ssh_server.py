"""A real SSH server on loopback, with keys of its own, for as long as a test needs it."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import paramiko
import pytest

CONFIGURATION = """
HostKey {host_key}
AuthorizedKeysFile {authorized}
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
PidFile none
LogLevel ERROR
"""


@dataclass(frozen=True)
class Login:
    """How to log in (the `Login` of onecore.ssh)."""

    remote_user: str
    remote_port: int
    private_key: str


@dataclass(frozen=True)
class SshServer:
    """What a server needs, in a folder of its own; it runs inside `running`."""

    folder: Path
    address: str
    port: int
    program: str

    @property
    def login(self) -> Login:
        return Login(getpass.getuser(), self.port, str(self.folder / "user_key"))

    def new_host_key(self) -> None:
        _key(self.folder / "host_key")

    @contextmanager
    def running(self) -> Iterator[None]:
        process = self.start()
        try:
            self._wait_until_it_answers(process)
            yield
        finally:
            process.terminate()
            process.wait(timeout=10)

    def start(self) -> subprocess.Popen[bytes]:
        where = ["-o", f"ListenAddress={self.address}", "-p", str(self.port)]
        config = ["-f", str(self.folder / "sshd_config")]
        return subprocess.Popen([self.program, "-D", "-e", *config, *where], stderr=subprocess.DEVNULL)

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            assert process.poll() is None, "sshd ended"
            with suppress(OSError), socket.create_connection((self.address, self.port), 1) as connection:
                if connection.recv(4) == b"SSH-":
                    return
            os.sched_yield()
        raise AssertionError("sshd does not answer")


def ssh_server(folder: Path, address: str = "127.0.0.1") -> SshServer:
    """A server that lets the user in who runs the tests; skips the test where there is no sshd."""
    program = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("sshd is not installed")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    _key(folder / "host_key")
    public = _key(folder / "user_key")
    (folder / "authorized").write_text(public)
    text = CONFIGURATION.format(host_key=folder / "host_key", authorized=folder / "authorized")
    (folder / "sshd_config").write_text(text)
    return SshServer(folder, address, free_port(address), program)


def a_key(file: Path) -> str:
    """A key pair that no server knows; returns the path of its private half."""
    _key(file)
    return str(file)


def free_port(address: str = "127.0.0.1") -> int:
    with socket.socket() as listener:
        listener.bind((address, 0))
        return int(listener.getsockname()[1])


def give_login_key(home: Path) -> None:
    """A private key of whoever's home that is, where templates look for it unless told otherwise."""
    (home / ".ssh").mkdir(mode=0o700)
    paramiko.ECDSAKey.generate().write_private_key_file(str(home / ".ssh" / "id_rsa"))


def _key(file: Path) -> str:
    key = paramiko.ECDSAKey.generate()
    file.unlink(missing_ok=True)
    key.write_private_key_file(str(file))
    line = f"{key.get_name()} {key.get_base64()} test\n"
    file.with_suffix(".pub").write_text(line)
    return line
