"""Real ansible-playbook against real servers: what becomes of a host, and who is left by a kill."""

import json
import os
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from onecore import alive, ansible, process, ssh
from onecore.ansible import HostResult, Job, Results, Target
from onecore.errors import NotFound
from onecore.process import Ended, Outcome, Runner
from tests.scenario.command import until
from tests.ssh_server import SshServer, ssh_server

BASE = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
SECRET = "c4nary-0123456789abcdef"
MARK = """
- hosts: all
  gather_facts: false
  tasks:
  - name: mark
    ansible.builtin.raw: echo {{ inventory_hostname }} >>{{ folder }}/marks
"""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[SshServer]]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("sshd")
        made = [ssh_server(folder / f"web-{n}", f"127.0.0.{n + 2}") for n in range(2)]
        for server in made:
            stack.enter_context(server.running())
        yield made


def target(server: SshServer, **changed) -> Target:
    given = Target(
        name=server.folder.name,
        address=server.address,
        port=server.port,
        user=server.login.remote_user,
        private_key=server.login.private_key,
        host_key=ssh.host_key(server.address, server.port),
        variables={"folder": str(server.folder), "ansible_python_interpreter": sys.executable},
        groups=("nodes",),
    )
    return replace(given, **changed)


def job(folder: Path, servers: list[SshServer], text: str, **changed) -> Job:
    playbook = folder / "site.yml"
    playbook.write_text(text)
    targets = tuple(target(server) for server in servers)
    return replace(Job(playbook, targets, tuple(each.name for each in targets)), **changed)


def ran(folder: Path, what: Job) -> tuple[Outcome, Results]:
    outcome = process.run(ansible.write(folder / "run", what, f"test-{os.getpid()}", BASE))
    return outcome, ansible.read(folder / "run")


def marks(server: SshServer) -> list[str]:
    file = server.folder / "marks"
    text = file.read_text() if file.exists() else ""
    file.unlink(missing_ok=True)
    return text.split()


# -- no host is needed -------------------------------------------------------------------------------------


def test_where_there_is_no_ansible_the_package_is_named(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(
        NotFound, match=r"install the package ansible-core \(pip install 'onesuite\[ansible\]'\)"
    ):
        ansible.find(str(tmp_path))


def test_the_results_of_a_run_that_was_cut_short_are_what_was_told(tmp_path: Path):
    lines = [
        {"event": "task", "task": "one"},
        {"event": "ran", "host": "a"},
        {"event": "failed", "host": "b", "task": "one", "message": "no room"},
        {"event": "unreachable", "host": "c", "task": "one", "message": "timeout"},
        {"event": "done", "host": "a"},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines) + '{"event": "en'
    (tmp_path / "results.jsonl").write_text(text)
    assert ansible.read(tmp_path) == Results(
        {
            "a": HostResult(done=True, ran=True),
            "b": HostResult(ran=True, task="one", message="no room"),
            "c": HostResult(ran=True, task="one", message="unreachable: timeout"),
        },
        ("one",),
        ended=False,
    )
    assert ansible.read(tmp_path / "nowhere") == Results({})


def test_every_file_is_private_and_no_argument_holds_a_value(tmp_path: Path):
    given = Target(
        "a", "192.0.2.1", 22, "admin", "~/key", "ssh-ed25519 AAAA", {"password": SECRET}, ("nodes",)
    )
    what = Job(Path("/site.yml"), (given,), ("a",), {"v": SECRET}, {"x": SECRET})
    command = ansible.write(tmp_path / "run", what, "r", BASE)
    assert SECRET not in " ".join(command.argv)
    assert SECRET not in str(command.env)
    assert SECRET not in repr(what)
    files = [file for file in (tmp_path / "run").iterdir() if file.is_file()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700
    host = json.loads((tmp_path / "run" / "inventory.json").read_text())["all"]["hosts"]["a"]
    assert host["ansible_become"] is True
    assert host["ansible_ssh_private_key_file"] == str(Path("~/key").expanduser())


# -- real servers ------------------------------------------------------------------------------------------


def test_hosts_that_come_through_are_done_and_others_are_not_touched(tmp_path: Path, servers):
    outcome, results = ran(tmp_path, job(tmp_path, servers, MARK, only=("web-1",)))
    assert outcome.ok, outcome
    assert results == Results({"web-1": HostResult(done=True, ran=True)}, ("mark",), ended=True)
    assert [marks(server) for server in servers] == [[], ["web-1"]]


def test_a_host_that_fails_leaves_the_others_to_come_through(tmp_path: Path, servers):
    text = MARK + (
        "  - name: break\n    ansible.builtin.command: sh -c 'echo no room >&2; exit 3'\n"
        "    when: inventory_hostname == 'web-0'\n  - name: later\n    ansible.builtin.command: 'true'\n"
    )
    outcome, results = ran(tmp_path, job(tmp_path, servers, text))
    assert outcome.returncode == 2
    assert results.hosts == {
        "web-0": HostResult(ran=True, task="break", message="non-zero return code: no room"),
        "web-1": HostResult(done=True, ran=True),
    }
    assert [marks(server) for server in servers] == [["web-0"], ["web-1"]]


def test_a_host_that_was_stopped_because_of_another_is_not_done(tmp_path: Path, servers):
    text = MARK.replace("gather_facts", "any_errors_fatal: true\n  gather_facts") + (
        "  - name: break\n    ansible.builtin.command: 'false'\n"
        "    when: inventory_hostname == 'web-0'\n  - name: later\n    ansible.builtin.command: 'true'\n"
    )
    _, results = ran(tmp_path, job(tmp_path, servers, text))
    assert not results.hosts["web-0"].done
    assert results.hosts["web-1"] == HostResult(done=False, ran=True)
    assert [marks(server) for server in servers] == [["web-0"], ["web-1"]]


def test_a_host_with_another_key_is_not_logged_in_to(tmp_path: Path, servers):
    first, second = servers
    strange = target(first, host_key=ssh.host_key(second.address, second.port))
    what = replace(job(tmp_path, servers, MARK), targets=(strange, target(second)))
    _, results = ran(tmp_path, what)
    assert "Host key verification failed" in results.hosts["web-0"].message
    assert results.hosts["web-0"].message.startswith("unreachable: ")
    assert results.hosts["web-1"].done
    assert [marks(server) for server in servers] == [[], ["web-1"]]


def test_what_ansible_refuses_as_a_whole_is_on_its_stderr(tmp_path: Path, servers):
    outcome, results = ran(tmp_path, job(tmp_path, servers, MARK + "  - no_such_module: {}\n"))
    assert not outcome.ok
    assert results.hosts == {}
    assert b"no_such_module" in outcome.stderr


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_nobody_is_left_at_work(tmp_path: Path, servers, how):
    """Its workers make sessions of their own: a signal to its process group does not reach them."""
    text = MARK + "  - ansible.builtin.command: sleep 60\n"
    run = f"test-{os.getpid()}-{how}"
    command = ansible.write(tmp_path / "run", job(tmp_path, servers, text), run, BASE)
    runner: Runner[int] = Runner()
    runner.start(0, command)
    until(lambda: all((server.folder / "marks").exists() for server in servers), "both hosts are marked")
    until(lambda: len(ansible.read(tmp_path / "run").tasks) == 2, "the second task began")
    if how == "stop":
        runner.stop(0)
    else:
        # As the kernel would kill it: without the workers.
        os.kill(min(alive.bearers(f"{ansible.MARK}={run}")), signal.SIGKILL)
    [(_, outcome)] = runner.wait(30)
    assert outcome.ended is (Ended.STOPPED if how == "stop" else Ended.SIGNALLED)
    alive.kill_bearers(f"{ansible.MARK}={run}")
    assert alive.bearers(f"{ansible.MARK}={run}") == []
    assert [marks(server) for server in servers] == [["web-0"], ["web-1"]]
