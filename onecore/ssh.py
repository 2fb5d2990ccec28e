"""SSH without policy: can we log in, and with which host key does the machine answer?

A host key is text as in known_hosts: its type and its base64. Who calls keeps it, and gives it back to have
it checked; nothing is read from or written to a file of the user's.
"""

import base64
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import paramiko

from onecore.errors import DriverFailed
from onecore.host_keys import fingerprint, name_of

CONNECT_TIMEOUT_S = 10.0
# A little less than the rest, so that a machine that boots is said to have no banner, and not no session.
BANNER_TIMEOUT_S = 9.0

# What its threads have to say reaches us as exceptions; else it would be printed between the user's lines.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class Login(Protocol):
    """How a machine is reached."""

    @property
    def remote_user(self) -> str: ...

    @property
    def remote_port(self) -> int: ...

    @property
    def private_key(self) -> str: ...


def probe(address: str, login: Login, recorded: str = "") -> str:
    """Log in and run `true`; returns the host key. With one `recorded`, no other is accepted.

    Raises DriverFailed saying what stands in the way; for another host key, its context has `seen`.
    """
    if not address:
        raise DriverFailed("the machine has no address to log in to", retryable=True)
    where = f"{login.remote_user}@{address}:{login.remote_port}"
    try:
        with connected(address, login, recorded) as (client, key):
            _, output, _ = client.exec_command("true", timeout=CONNECT_TIMEOUT_S)
            status = output.channel.recv_exit_status()
    except paramiko.BadHostKeyException as exc:
        seen = _text(exc.key)
        raise DriverFailed(
            f"the host key of {address} is {fingerprint(seen)}, not the recorded {fingerprint(recorded)}",
            hint="the machine was replaced, or somebody stands in between",
            context={"seen": seen, "recorded": recorded},
        ) from exc
    except paramiko.AuthenticationException as exc:
        raise DriverFailed(f"{where} refuses the key {login.private_key}", retryable=True) from exc
    except (paramiko.SSHException, OSError, EOFError) as exc:
        raise _unanswered(where, exc) from exc
    if status != 0:
        raise DriverFailed(f"{where} lets us in, but running `true` ends with status {status}")
    return key


def host_key(address: str, port: int) -> str:
    """The key that the machine at this address answers with now; nobody logs in."""
    try:
        with socket.create_connection((address, port), CONNECT_TIMEOUT_S) as connection:
            transport = paramiko.Transport(connection)
            try:
                transport.start_client(timeout=CONNECT_TIMEOUT_S)
                return _text(transport.get_remote_server_key())
            finally:
                transport.close()
    except (paramiko.SSHException, OSError, EOFError) as exc:
        raise _unanswered(f"{address}:{port}", exc) from exc


@contextmanager
def connected(address: str, login: Login, recorded: str = "") -> Iterator[tuple[paramiko.SSHClient, str]]:
    """A client that is logged in, and the host key. Only the given key is tried: no agent, no passwords."""
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(_FirstContact())
    if recorded:
        kind, _, encoded = recorded.partition(" ")
        known = paramiko.PKey.from_type_string(kind, base64.b64decode(encoded))
        client.get_host_keys().add(name_of(address, login.remote_port), kind, known)
    try:
        client.connect(
            address,
            login.remote_port,
            login.remote_user,
            pkey=private_key(login.private_key),
            timeout=CONNECT_TIMEOUT_S,
            banner_timeout=BANNER_TIMEOUT_S,
            auth_timeout=CONNECT_TIMEOUT_S,
            allow_agent=False,
            look_for_keys=False,
        )
        transport = client.get_transport()
        yield client, _text(transport.get_remote_server_key()) if transport else ""
    finally:
        client.close()


class _FirstContact(paramiko.MissingHostKeyPolicy):
    """Trust on first use: asked only where no key is recorded."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        return


def _unanswered(where: str, exc: Exception) -> DriverFailed:
    """With what paramiko knows, but without the numbers that it does not."""
    text = str(exc).replace("[Errno None] ", "")
    return DriverFailed(f"{where} does not answer{f': {text}' if text else ''}", retryable=True)


def _text(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.get_base64()}"


def private_key(file: str) -> paramiko.PKey:
    """The key; DriverFailed says why it cannot be used.

    Read here: handed the file name, paramiko tries it as every kind of key, and hides that the right kind
    was refused.
    """
    try:
        return paramiko.PKey.from_path(Path(file).expanduser())
    except OSError as exc:
        raise DriverFailed(
            f"cannot read the private key {file}: {exc.strerror}",
            hint="name another: connection.private_key of the host, or --key of an instance",
        ) from exc
    except (TypeError, ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as exc:
        raise DriverFailed(
            f"the private key {file} cannot be used: {exc}",
            hint="it has to be an RSA, ECDSA or Ed25519 key without a passphrase",
        ) from exc
