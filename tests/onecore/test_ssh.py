"""Logging in to a real server: what lets us in, what stands in the way, and how it is said."""

import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from onecore import ssh
from onecore.errors import DriverFailed
from onecore.host_keys import fingerprint
from tests.ssh_server import SshServer, a_key, free_port, ssh_server

ROOT = Path(__file__).parents[2]


@pytest.fixture
def server(tmp_path: Path) -> SshServer:
    return ssh_server(tmp_path / "sshd")


def problem_of(server: SshServer, recorded: str = "", **changed) -> DriverFailed:
    with pytest.raises(DriverFailed) as failed:
        ssh.probe(server.address, replace(server.login, **changed), recorded)
    return failed.value


def test_a_host_that_lets_us_in_tells_its_key_and_has_to_keep_it(server: SshServer):
    with server.running():
        key = ssh.probe(server.address, server.login)
        assert ssh.probe(server.address, server.login, key) == key
        assert ssh.host_key(server.address, server.port) == key
    assert key == " ".join((server.folder / "host_key.pub").read_text().split()[:2])


def test_a_key_that_is_not_accepted_is_named(server: SshServer, tmp_path: Path):
    stranger = a_key(tmp_path / "stranger")
    with server.running():
        problem = problem_of(server, private_key=stranger)
    assert problem.message.endswith(f"{server.address}:{server.port} refuses the key {stranger}")
    assert problem.retryable


def test_a_host_with_another_key_than_before_is_not_logged_in_to(server: SshServer):
    with server.running():
        recorded = ssh.probe(server.address, server.login)
    server.new_host_key()
    with server.running():
        problem = problem_of(server, recorded)
        seen = ssh.host_key(server.address, server.port)
    assert problem.message.endswith(f"is {fingerprint(seen)}, not the recorded {fingerprint(recorded)}")
    assert problem.context == {"seen": seen, "recorded": recorded}
    assert not problem.retryable


def test_a_key_of_another_kind_is_another_key_too(server: SshServer):
    with server.running():
        key = paramiko.RSAKey.generate(2048)
        problem = problem_of(server, f"{key.get_name()} {key.get_base64()}")
    assert "not the recorded" in problem.message


def test_nothing_that_listens_is_worth_another_try(server: SshServer):
    problem = problem_of(server)
    assert f"{server.address}:{server.port} does not answer" in problem.message
    assert problem.retryable


def test_a_missing_private_key_is_said_with_its_name(server: SshServer):
    problem = problem_of(server, private_key="/no/such/key")
    assert problem.message == "cannot read the private key /no/such/key: No such file or directory"
    assert "private_key" in problem.hint


@pytest.mark.parametrize("content", ["not a key\n", ""])
def test_a_file_that_is_no_key_is_said(server: SshServer, tmp_path: Path, content):
    (tmp_path / "notes").write_text(content)
    problem = problem_of(server, private_key=str(tmp_path / "notes"))
    assert f"the private key {tmp_path}/notes cannot be used" in problem.message


def test_a_key_with_a_passphrase_is_said(server: SshServer, tmp_path: Path):
    paramiko.RSAKey.generate(1024).write_private_key_file(str(tmp_path / "locked"), password="secret")
    problem = problem_of(server, private_key=str(tmp_path / "locked"))
    assert "cannot be used" in problem.message
    assert "without a passphrase" in problem.hint


def test_without_an_address_there_is_nothing_to_log_in_to(server: SshServer):
    with pytest.raises(DriverFailed, match="no address") as failed:
        ssh.probe("", server.login)
    assert failed.value.retryable


def test_a_user_who_may_do_nothing_is_said(server: SshServer):
    with (server.folder / "sshd_config").open("a") as config:
        config.write("ForceCommand /bin/false\n")
    with server.running():
        assert "ends with status 1" in problem_of(server).message


def test_something_else_that_listens_is_no_ssh_server(server: SshServer):
    with socket.create_server((server.address, free_port())) as listener:
        port = listener.getsockname()[1]
        answering = threading.Thread(target=answer, args=(listener, b"HTTP/1.1 400 Bad Request\r\n\r\n"))
        answering.start()
        problem = problem_of(server, remote_port=port)
        answering.join()
    assert "does not answer" in problem.message
    assert problem.retryable


def answer(listener: socket.socket, words: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(words)


PROBE = """
from onecore import ssh
from onecore.errors import DriverFailed
from tests.ssh_server import Login
import sys
try:
    ssh.probe("127.0.0.1", Login("me", int(sys.argv[1]), sys.argv[2]))
except DriverFailed as exc:
    print(exc.message)
"""


def test_a_machine_that_hangs_up_as_it_boots_is_told_in_one_line(server: SshServer):
    """As a guest whose port is forwarded does. A process of its own, since pytest takes what is logged."""
    with socket.create_server(("127.0.0.1", 0)) as port:
        number = port.getsockname()[1]
        thread = threading.Thread(target=lambda: port.accept()[0].close())
        thread.start()
        argv = [sys.executable, "-c", PROBE, str(number), server.login.private_key]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
        thread.join()
    assert done.stderr == ""
    assert done.stdout.startswith(f"me@127.0.0.1:{number} does not answer: ")


def test_no_agent_is_asked(server: SshServer, tmp_path: Path, monkeypatch):
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(tmp_path / "agent"))
        agent.listen()
        agent.setblocking(False)
        monkeypatch.setitem(os.environ, "SSH_AUTH_SOCK", str(tmp_path / "agent"))
        with server.running():
            ssh.probe(server.address, server.login)
        with pytest.raises(BlockingIOError):
            agent.accept()
