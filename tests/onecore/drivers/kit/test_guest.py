"""A guest is asked over a real SSH server; what it would run is a program of the test's own."""

from pathlib import Path

import pytest

from onecore.clock import SystemClock
from onecore.drivers.kit import guest as guests
from onecore.drivers.kit.guest import Guest, guest_at
from onecore.drivers.kit.program import Failed
from tests.ssh_server import SshServer, ssh_server

# Stands for a whole system: its boot id changes when it is asked to restart, unless it does not listen.
SYSTEM = """#!/bin/sh
cd "{folder}"
case $SSH_ORIGINAL_COMMAND in
*boot_id*) cat boot_id ;;
*reboot*) [ -e deaf ] || echo another >boot_id; echo reboot >>asked ;;
*poweroff*) echo poweroff >>asked ;;
*) exit 9 ;;
esac
"""


@pytest.fixture
def server(tmp_path: Path) -> SshServer:
    made = ssh_server(tmp_path / "server")
    system = made.folder / "system"
    system.write_text(SYSTEM.format(folder=made.folder))
    system.chmod(0o755)
    (made.folder / "boot_id").write_text("first\n")
    authorized = made.folder / "authorized"
    authorized.write_text(f'command="{system}" {authorized.read_text()}')
    return made


def guest_of(server: SshServer, folder: Path) -> Guest:
    login = server.login
    return Guest(server.address, login.remote_user, login.remote_port, login.private_key, folder / "hosts")


def test_a_restart_is_proven_by_another_boot_id(server: SshServer, tmp_path: Path):
    with server.running():
        guest = guest_of(server, tmp_path)
        assert guests.boot_id(guest) == "first"
        assert guests.reboot(guest, SystemClock(), 20) is True
        assert guests.boot_id(guest) == "another"


def test_a_guest_that_only_says_so_has_not_restarted(server: SshServer, tmp_path: Path):
    (server.folder / "deaf").touch()
    with server.running():
        assert guests.reboot(guest_of(server, tmp_path), SystemClock(), 0.5) is False
    assert (server.folder / "asked").read_text() == "reboot\n"


def test_a_guest_is_asked_to_power_off(server: SshServer, tmp_path: Path):
    with server.running():
        guests.ask(guest_of(server, tmp_path), "poweroff")
    assert (server.folder / "asked").read_text() == "poweroff\n"


def test_a_guest_that_does_not_answer_is_a_failure_with_its_address(server: SshServer, tmp_path: Path):
    with pytest.raises(Failed, match=rf"@127\.0\.0\.1:{server.port}"):
        guests.reboot(guest_of(server, tmp_path), SystemClock(), 1)


def test_how_a_guest_is_reached_is_completed(tmp_path: Path):
    guest = guest_at("192.0.2.1", {"REMOTE_PORT": "2222"}, tmp_path)
    assert (guest.remote_user, guest.remote_port, guest.private_key) == ("root", 2222, "~/.ssh/id_rsa")
    assert guest.known_hosts == tmp_path / "known_hosts"
