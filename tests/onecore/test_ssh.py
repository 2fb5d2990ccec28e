"""Logging in to a real server: what lets us in, what stands in the way, and how it is said."""

import os
import socket
import threading
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from onecore import ssh
from onecore.errors import DriverFailed
from tests.ssh_server import SshServer, a_key, free_port, ssh_server


@pytest.fixture
def server(tmp_path: Path) -> SshServer:
    return ssh_server(tmp_path / "sshd")


@pytest.fixture
def known_hosts(tmp_path: Path) -> Path:
    return tmp_path / "known_hosts"


def problem_of(server: SshServer, known_hosts: Path, **changed) -> DriverFailed:
    with pytest.raises(DriverFailed) as failed:
        ssh.probe(server.address, replace(server.login, **changed), known_hosts)
    return failed.value


def test_a_host_that_lets_us_in_is_known_from_then_on(server: SshServer, known_hosts: Path):
    with server.running():
        ssh.probe(server.address, server.login, known_hosts)
        first = known_hosts.read_text()
        ssh.probe(server.address, server.login, known_hosts)
    assert known_hosts.read_text() == first
    name, kind, _ = first.split()
    assert (name, kind) == (f"[{server.address}]:{server.port}", "ecdsa-sha2-nistp256")
    assert known_hosts.stat().st_mode & 0o777 == 0o600


def test_a_key_that_is_not_accepted_is_named(server: SshServer, known_hosts: Path, tmp_path: Path):
    stranger = a_key(tmp_path / "stranger")
    with server.running():
        problem = problem_of(server, known_hosts, private_key=stranger)
    assert problem.message.endswith(f"{server.address}:{server.port} refuses the key {stranger}")
    assert problem.retryable


def test_a_host_with_another_key_than_before_is_not_logged_in_to(server: SshServer, known_hosts: Path):
    with server.running():
        ssh.probe(server.address, server.login, known_hosts)
    recorded = known_hosts.read_text()
    server.new_host_key()
    with server.running():
        problem = problem_of(server, known_hosts)
    assert "is not the one recorded in" in problem.message
    assert str(known_hosts) in problem.hint
    assert not problem.retryable
    assert known_hosts.read_text() == recorded


def test_nothing_that_listens_is_worth_another_try(server: SshServer, known_hosts: Path):
    problem = problem_of(server, known_hosts)
    assert f"{server.address}:{server.port} does not answer" in problem.message
    assert problem.retryable
    assert not known_hosts.exists()


def test_a_missing_private_key_is_said_with_its_name(server: SshServer, known_hosts: Path):
    problem = problem_of(server, known_hosts, private_key="/no/such/key")
    assert problem.message == "cannot read the private key /no/such/key: No such file or directory"
    assert "private_key" in problem.hint


@pytest.mark.parametrize("content", ["not a key\n", ""])
def test_a_file_that_is_no_key_is_said(server: SshServer, known_hosts: Path, tmp_path: Path, content):
    (tmp_path / "notes").write_text(content)
    problem = problem_of(server, known_hosts, private_key=str(tmp_path / "notes"))
    assert f"the private key {tmp_path}/notes cannot be used" in problem.message


def test_a_key_with_a_passphrase_is_said(server: SshServer, known_hosts: Path, tmp_path: Path):
    paramiko.RSAKey.generate(1024).write_private_key_file(str(tmp_path / "locked"), password="secret")
    problem = problem_of(server, known_hosts, private_key=str(tmp_path / "locked"))
    assert "cannot be used" in problem.message
    assert "without a passphrase" in problem.hint


def test_without_an_address_there_is_nothing_to_log_in_to(server: SshServer, known_hosts: Path):
    with pytest.raises(DriverFailed, match="no address") as failed:
        ssh.probe("", server.login, known_hosts)
    assert failed.value.retryable


def test_a_user_who_may_do_nothing_is_said(server: SshServer, known_hosts: Path):
    with (server.folder / "sshd_config").open("a") as config:
        config.write("ForceCommand /bin/false\n")
    with server.running():
        assert "ends with status 1" in problem_of(server, known_hosts).message


def test_something_else_that_listens_is_no_ssh_server(server: SshServer, known_hosts: Path):
    with socket.create_server((server.address, free_port())) as listener:
        port = listener.getsockname()[1]
        answering = threading.Thread(target=answer, args=(listener, b"HTTP/1.1 400 Bad Request\r\n\r\n"))
        answering.start()
        problem = problem_of(server, known_hosts, remote_port=port)
        answering.join()
    assert "does not answer" in problem.message
    assert problem.retryable


def answer(listener: socket.socket, words: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(words)


def test_probes_at_once_lose_no_line_of_known_hosts(tmp_path: Path, known_hosts: Path):
    servers = [ssh_server(tmp_path / f"sshd-{n}", f"127.0.0.{n + 2}") for n in range(4)]
    running = [server.running() for server in servers]
    for context in running:
        context.__enter__()
    try:
        threads = [
            threading.Thread(target=ssh.probe, args=(server.address, server.login, known_hosts))
            for server in servers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        for context in running:
            context.__exit__(None, None, None)
    names = {line.split()[0] for line in known_hosts.read_text().splitlines()}
    assert names == {f"[{server.address}]:{server.port}" for server in servers}


def test_no_agent_is_asked(server: SshServer, known_hosts: Path, tmp_path: Path, monkeypatch):
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(tmp_path / "agent"))
        agent.listen()
        agent.setblocking(False)
        monkeypatch.setitem(os.environ, "SSH_AUTH_SOCK", str(tmp_path / "agent"))
        with server.running():
            ssh.probe(server.address, server.login, known_hosts)
        with pytest.raises(BlockingIOError):
            agent.accept()
