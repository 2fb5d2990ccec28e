"""SSH without policy: can we log in? Host keys are recorded on first contact and checked afterwards."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import paramiko

from onecore.errors import DriverFailed

CONNECT_TIMEOUT_S = 10.0


class Login(Protocol):
    """How a machine is reached."""

    @property
    def remote_user(self) -> str: ...

    @property
    def remote_port(self) -> int: ...

    @property
    def private_key(self) -> str: ...


def probe(address: str, login: Login, known_hosts: Path) -> None:
    """Log in and run `true`; raises DriverFailed saying what stands in the way."""
    if not address:
        raise DriverFailed("the machine has no address to log in to", retryable=True)
    where = f"{login.remote_user}@{address}:{login.remote_port}"
    try:
        with connected(address, login, known_hosts) as client:
            _, output, _ = client.exec_command("true", timeout=CONNECT_TIMEOUT_S)
            status = output.channel.recv_exit_status()
    except paramiko.BadHostKeyException as exc:
        raise DriverFailed(
            f"the host key of {address} is not the one recorded in {known_hosts}",
            hint=f"if the machine was really replaced, remove its line from {known_hosts}",
        ) from exc
    except paramiko.AuthenticationException as exc:
        raise DriverFailed(f"{where} refuses the key {login.private_key}", retryable=True) from exc
    except (paramiko.SSHException, OSError, EOFError) as exc:
        raise DriverFailed(f"{where} does not answer{_because(exc)}", retryable=True) from exc
    if status != 0:
        raise DriverFailed(f"{where} lets us in, but running `true` ends with status {status}")


def _because(exc: Exception) -> str:
    """What paramiko knows, without the numbers that it does not."""
    text = str(exc).replace("[Errno None] ", "")
    return f": {text}" if text else ""


@contextmanager
def connected(address: str, login: Login, known_hosts: Path) -> Iterator[paramiko.SSHClient]:
    """A client that is logged in. Only the given key is tried: no agent, no passwords."""
    client = paramiko.SSHClient()
    if known_hosts.exists():
        client.load_host_keys(str(known_hosts))
    client.set_missing_host_key_policy(_Record(known_hosts))
    try:
        client.connect(
            address,
            login.remote_port,
            login.remote_user,
            pkey=_private_key(login.private_key),
            timeout=CONNECT_TIMEOUT_S,
            banner_timeout=CONNECT_TIMEOUT_S,
            auth_timeout=CONNECT_TIMEOUT_S,
            allow_agent=False,
            look_for_keys=False,
        )
        yield client
    finally:
        client.close()


def _private_key(file: str) -> paramiko.PKey:
    """The key, read here: handed the file name, paramiko tries it as every kind of key, and hides that the
    right kind was refused."""
    try:
        return paramiko.PKey.from_path(Path(file).expanduser())
    except OSError as exc:
        raise DriverFailed(
            f"cannot read the private key {file}: {exc.strerror}",
            hint="name another in hosts[].connection.private_key",
        ) from exc
    except (TypeError, ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as exc:
        raise DriverFailed(
            f"the private key {file} cannot be used: {exc}",
            hint="it has to be an RSA, ECDSA or Ed25519 key without a passphrase",
        ) from exc


class _Record(paramiko.MissingHostKeyPolicy):
    """Trust on first use, written down under a lock so that parallel probes lose no line."""

    def __init__(self, known_hosts: Path) -> None:
        self._file = known_hosts

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        line = f"{hostname} {key.get_name()} {key.get_base64()}\n"
        fd = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(line)
