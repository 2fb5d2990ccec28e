"""The system inside a machine, asked over SSH to restart or to power off in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from onecore import ssh
from onecore.clock import Clock
from onecore.drivers.kit import waiting
from onecore.drivers.kit.program import Failed
from onecore.errors import OneError
from onecore.host_keys import recorded_in

_BOOT_ID = "cat /proc/sys/kernel/random/boot_id"
_VERBS = {
    "reboot": "systemctl reboot || reboot || shutdown -r now",
    "poweroff": "systemctl poweroff || poweroff || shutdown -h now",
    # The kernel does it at once: no program is asked, nothing is written to the disks.
    "reset": "echo 1 >/proc/sys/kernel/sysrq; echo b >/proc/sysrq-trigger",
}


@dataclass(frozen=True)
class Guest:
    """How the system is reached (the `Login` of onecore.ssh)."""

    address: str
    remote_user: str
    remote_port: int
    private_key: str
    known_hosts: Path


def guest_at(address: str, connection: Mapping[str, str], one_home: Path) -> Guest:
    """By the connection of a deployment file (keys in upper case), completed as in a template."""
    port = connection.get("REMOTE_PORT", "")
    return Guest(
        address,
        connection.get("REMOTE_USER") or "root",
        int(port) if port.isdigit() else 22,
        connection.get("PRIVATE_KEY") or "~/.ssh/id_rsa",
        one_home / "known_hosts",
    )


def boot_id(guest: Guest) -> str:
    """Names this run of the guest's kernel: another one proves that it was restarted."""
    return read(guest, _BOOT_ID).strip()


def ask(guest: Guest, verb: str) -> None:
    """Ask for `reboot`, `reset` or `poweroff`; Failed when the guest did not hear it."""
    words = _VERBS[verb]
    if guest.remote_user != "root":
        words = f"sudo -n sh -c '{words}'"
    # In the background and a moment later, so that we are answered before the connection is cut.
    # Not by nohup, which small systems do not have.
    read(guest, f'(trap "" HUP; sleep 0.3; {words}) >/dev/null 2>&1 </dev/null &')


def reboot(guest: Guest, clock: Clock, within_s: float, verb: str = "reboot") -> bool:
    """Restart the guest in order, or with `reset` at once. Whether it came back with another boot id within
    the time; Failed when it could not be asked."""
    before = boot_id(guest)
    ask(guest, verb)

    def restarted() -> bool | None:
        try:
            return True if boot_id(guest) != before else None
        except Failed:  # it is on its way
            return None

    return waiting.until(restarted, clock, within_s) is True


def read(guest: Guest, command: str) -> str:
    """What the command prints there; Failed when it cannot be run, or fails."""
    import paramiko  # lazy: most actions log in nowhere

    where = f"{guest.remote_user}@{guest.address}:{guest.remote_port}"
    try:
        known = recorded_in(guest.known_hosts, guest.address, guest.remote_port)
        with ssh.connected(guest.address, guest, known) as (client, _):
            _, output, _ = client.exec_command(command, timeout=ssh.CONNECT_TIMEOUT_S)
            text: str = output.read().decode("utf-8", "replace")
            status = output.channel.recv_exit_status()
    except OneError as exc:
        raise Failed(exc.message) from exc
    except (paramiko.SSHException, OSError, EOFError) as exc:
        raise Failed(f"{where} does not answer: {exc}") from exc
    if status != 0:
        raise Failed(f"{where}: '{command}' ends with status {status}")
    return text
