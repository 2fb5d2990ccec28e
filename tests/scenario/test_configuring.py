"""Hosts are configured by real playbooks over real SSH: what is marked on them is what the store says."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fleet import Fleet, running_fleet
from tests.scenario.command import ONCE, Answer, Home, until

pytestmark = pytest.mark.scenario

TEMPLATE = """
name: site
playbook: site.yml
defaults:
  provision: {driver: ssh, ip: "127.0.0.1${index}"}
  connection: {remote_user: USER, remote_port: PORT, private_key: KEY}
  configuration: {marks: MARKS, level: gold, ansible_python_interpreter: PYTHON}
hosts:
- provision: {count: 2}
"""
# A machine stops while MARKS/hold is there, and breaks while MARKS/break-ADDRESS is. Plays are raw, for a
# module costs a Python on each host; what becomes of modules is told by tests/onecore/test_ansible.py.
SITE = """
- hosts: nodes
  gather_facts: false
  tasks:
  - name: may break
    ansible.builtin.raw: |
      echo {{ level }} >>{{ marks }}/{{ ansible_host }}
      while [ -e {{ marks }}/hold ]; do sleep 0.05; done
      test ! -e {{ marks }}/break-{{ ansible_host }}
"""
SECOND = """
- hosts: nodes
  gather_facts: false
  tasks:
  - name: second
    ansible.builtin.raw: echo second >>{{ marks }}/{{ ansible_host }}
"""
GOODBYE = """
- hosts: nodes
  gather_facts: false
  tasks:
  - name: say goodbye
    ansible.builtin.raw: test ! -e {{ marks }}/stay && echo bye >>{{ marks }}/{{ ansible_host }}
"""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with running_fleet(tmp_path_factory.mktemp("fleet"), 3) as fleet:
        yield fleet


@dataclass
class Site:
    """A home, the machines, and the files that say how they are configured."""

    home: Home
    fleet: Fleet
    template: Path

    def create(self, *options: str, code: int = 0) -> Answer:
        return self.home.run("create", self.template, *options, code=code)

    def uses(self, **sections: str) -> None:
        """These sections of the template, instead of what it says."""
        lines = self.template.read_text().splitlines()
        kept = [line for line in lines if line.partition(":")[0] not in sections]
        self.template.write_text(
            "\n".join(kept + [f"{key}: {value}" for key, value in sections.items()]) + "\n"
        )

    def touch(self, name: str) -> Path:
        (self.fleet.marks / name).touch()
        return self.fleet.marks / name

    def status(self) -> list[str]:
        body = self.home.show()
        hosts = sorted(body["one_objects"]["hosts"] + body["pending"], key=lambda host: int(host["id"]))
        return [host["configuration"] for host in hosts]

    def claims(self) -> list[str]:
        """The addresses that the driver has noted as in use."""
        noted = (self.home.path / "ssh" / "claims").iterdir()
        return sorted(path.name.partition(":")[0] for path in noted)

    def work(self) -> list[int]:
        """The processes that ansible-playbook and its children are."""
        return [pid for pid in _all() if b"ONE_RUN=0-" in _read(pid, "environ") and _is_of(pid, self.home)]


def _all() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _is_of(pid: int, home: Home) -> bool:
    return str(home.path).encode() in _read(pid, "environ")


@pytest.fixture
def site(tmp_path: Path, fleet: Fleet) -> Iterator[Site]:
    fleet.clear()
    for name, text in (("site.yml", SITE), ("second.yml", SECOND), ("goodbye.yml", GOODBYE)):
        (tmp_path / name).write_text(text)
    words = {"USER": fleet.servers[0].login.remote_user, "PORT": str(fleet.port), "KEY": fleet.key}
    text = TEMPLATE
    for word, value in {**words, "MARKS": str(fleet.marks), "PYTHON": sys.executable}.items():
        text = text.replace(word, value)
    (tmp_path / "site.yaml").write_text(text)
    home = Home(tmp_path, deadline_s=120.0)
    try:
        yield Site(home, fleet, tmp_path / "site.yaml")
    finally:
        (fleet.marks / "hold").unlink(missing_ok=True)
        home.close()


def test_new_hosts_are_configured_and_old_ones_are_not_touched(site: Site):
    """Two playbooks in their order, and one on the way out; nothing else happens to machines of our own."""
    site.uses(playbook="[site.yml, second.yml]", cleanup="goodbye.yml")
    both = ["gold", "second"]
    site.create()
    assert site.fleet.all_marked() == [both, both, []]
    site.home.run("add-host", 0, "--ips", site.fleet.addresses[2])
    assert site.fleet.all_marked() == [both, both, both]
    assert site.status() == ["configured"] * 3
    assert "Hosts are already configured" in site.home.run("configure", 0, code=5).err
    site.home.run("del-host", 0, "--host-ids", 2)
    assert site.fleet.all_marked() == [both, both, [*both, "bye"]]
    site.home.run("deprovision", 0, "--yes")
    assert site.home.state() == "DONE"
    assert site.fleet.all_marked() == [[*both, "bye"]] * 3
    assert site.claims() == []
    assert list((site.home.path / "run").iterdir()) == []


def test_a_host_that_fails_leaves_the_others_as_they_are_when_made_and_when_added(site: Site):
    """It is retried alone; of a growth it is skipped or taken back as asked."""
    broken = site.touch("break-127.0.0.11")
    refused = site.create(*ONCE, code=1)
    assert "site-1: task 'may break': non-zero return code" in refused.err
    assert site.home.state() == "CONFIGURING_PROVISION_FAILURE"
    assert site.status() == ["configured", "error"]
    broken.unlink()
    site.home.run("retry", 0)
    assert site.status() == ["configured", "configured"]
    assert site.fleet.all_marked() == [["gold"], ["gold", "gold"], []]
    site.touch("break-127.0.0.12")
    skipped = site.home.run("add-host", 0, *ONCE, "--fail-skip", code=1)
    assert "it runs without what failed" in skipped.err
    assert (site.home.state(), site.status()) == ("RUNNING", ["configured", "configured", "error"])
    assert [host["id"] for host in site.home.show()["pending"]] == [2]
    site.home.run("del-host", 0, "--host-ids", 2)
    taken_back = site.home.run("add-host", 0, *ONCE, "--fail-cleanup", code=1)
    assert "site-2" in taken_back.err
    assert (site.home.state(), site.status()) == ("RUNNING", ["configured", "configured"])
    assert site.claims() == site.fleet.addresses[:2]


def test_a_cleanup_that_fails_removes_nothing_until_it_is_forced(site: Site):
    site.uses(cleanup="goodbye.yml")
    site.create(*ONCE)
    site.touch("stay")
    kept = site.home.run("deprovision", 0, "--yes", code=1)
    assert "cleanup: site-0, site-1: task 'say goodbye'" in kept.err
    assert site.home.state() == "DEPROVISIONING_ONE_FAILURE"
    assert len(site.claims()) == 2
    site.home.run("deprovision", 0, "--yes", "--force")
    assert site.home.state() == "DONE"
    assert site.fleet.all_marked() == [["gold"], ["gold"], []]


# -- killed in the middle ----------------------------------------------------------------------------------


def at_work(site: Site) -> None:
    """Wait until both machines are marked and wait to be let go on."""
    until(lambda: site.fleet.all_marked()[:2] == [["gold"], ["gold"]], "both machines are marked", 60)


def test_an_ansible_that_outlives_us_is_waited_for_and_believed(site: Site):
    held = site.touch("hold")
    running = site.home.start("create", site.template)
    at_work(site)
    running.kill()
    assert site.work() != []
    later = site.home.start("retry", 0)
    later.says("waiting for an ansible-playbook that outlived")
    held.unlink()
    later.end()
    # Nothing ran twice.
    assert site.fleet.all_marked() == [["gold"], ["gold"], []]
    assert (site.home.state(), site.status(), site.work()) == ("RUNNING", ["configured"] * 2, [])


DYING = """
import os, signal, sys
from oneprovision.__main__ import main
def boundary(name):
    if name == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)
sys.exit(main(sys.argv[2:], boundary=boundary))
"""


@pytest.mark.parametrize("boundary", ["playbook intended", "playbook started", "playbook ended"])
def test_a_death_at_any_point_of_a_run_makes_nothing_run_twice(site: Site, boundary: str):
    words = [sys.executable, "-c", DYING, boundary, "create", str(site.template)]
    dead = subprocess.run(words, env=site.home.environment, capture_output=True, check=False, timeout=120)
    assert dead.returncode == -signal.SIGKILL
    site.home.run("retry", 0)
    assert site.fleet.all_marked() == [["gold"], ["gold"], []]
    assert (site.home.state(), site.status(), site.work()) == ("RUNNING", ["configured"] * 2, [])


def test_what_died_with_us_runs_again_and_nobody_is_left_at_work(site: Site):
    held = site.touch("hold")
    running = site.home.start("create", site.template)
    at_work(site)
    running.kill()
    # As the kernel would: ansible-playbook itself, while its workers live on.
    os.kill(min(site.work()), signal.SIGKILL)
    held.unlink()
    site.home.run("retry", 0)
    assert site.fleet.all_marked() == [["gold"] * 2, ["gold"] * 2, []]
    assert (site.home.state(), site.status(), site.work()) == ("RUNNING", ["configured"] * 2, [])


def test_an_ansible_that_is_killed_is_started_again(site: Site):
    held = site.touch("hold")
    running = site.home.start("create", site.template, "--fail-sleep", "0")
    at_work(site)
    os.kill(min(site.work()), signal.SIGKILL)
    held.unlink()
    answer = running.end()
    assert "ansible-playbook was killed by signal 9" in answer.err
    assert site.fleet.all_marked() == [["gold"] * 2, ["gold"] * 2, []]
    assert (site.home.state(), site.status(), site.work()) == ("RUNNING", ["configured"] * 2, [])


@pytest.mark.parametrize("how", ["signal", "cancel"])
def test_who_stops_waiting_leaves_nobody_at_work(site: Site, how: str):
    held = site.touch("hold")
    running = site.home.start("create", site.template)
    at_work(site)
    if how == "signal":
        running.signal()
        running.end(130)
    else:
        site.home.run("cancel", 0)
        running.end(1)
    assert site.work() == []
    held.unlink()
    site.home.run("retry", 0)
    assert site.status() == ["configured", "configured"]
    assert site.fleet.all_marked() == [["gold"] * 2, ["gold"] * 2, []]


def test_a_playbook_that_takes_too_long_is_ended(site: Site):
    site.touch("hold")
    answer = site.create("--configure-timeout", "2", *ONCE, code=1)
    assert "site-0, site-1: ansible-playbook timed out after" in answer.err
    assert (site.home.state(), site.work()) == ("CONFIGURING_PROVISION_FAILURE", [])


def test_a_removal_ends_the_ansible_that_outlived_us(site: Site):
    site.touch("hold")
    running = site.home.start("create", site.template)
    at_work(site)
    running.kill()
    site.home.run("deprovision", 0, "--yes", "--force")
    assert (site.home.state(), site.work()) == ("DONE", [])
    assert site.fleet.all_marked() == [["gold"], ["gold"], []]


# -- who is whom -------------------------------------------------------------------------------------------


def test_a_machine_with_another_host_key_is_not_configured_until_its_key_is_accepted(site: Site):
    site.create()
    shown = [site.home.run("host", "show", number, "-j").json["HOST"] for number in (0, 1)]
    _store_key(site.home, 0, shown[1]["HOST_KEY"])
    refused = site.home.run("configure", 0, "--force", code=1)
    assert f"not the recorded {shown[1]['HOST_KEY_FINGERPRINT']}" in refused.err
    assert "oneprovision host accept-key 0" in refused.err
    assert site.home.run("host", "ssh", 0, "echo", "in", code=255).out == ""
    assert site.fleet.all_marked() == [["gold"], ["gold", "gold"], []]
    accepted = site.home.run("host", "accept-key", 0)
    told = [shown[number]["HOST_KEY_FINGERPRINT"] for number in (0, 1)]
    assert accepted.out == f"HOST 0: {told[0]} (was {told[1]})\n"
    site.home.run("configure", 0)
    assert site.fleet.all_marked() == [["gold", "gold"], ["gold", "gold"], []]
    assert site.home.run("host", "ssh", 0, "echo", "in").out == "in\n"


def _store_key(home: Home, host: int, key: str) -> None:
    """As if the machine at its address had been another one until now."""
    import sqlite3

    with sqlite3.connect(home.path / "one.db") as db:
        db.execute(
            "UPDATE object SET body = json_set(body, '$.host_key', ?) WHERE kind = 'host' AND id = ?",
            (key, host),
        )


# -- what stays secret -------------------------------------------------------------------------------------

CANARY = "c4nary-9f8e7d6c5b4a-very-secret"
LEAKY = """
- hosts: nodes
  gather_facts: false
  tasks:
  - name: hold
    ansible.builtin.raw: |
      echo gold >>{{ marks }}/{{ ansible_host }}
      while [ -e {{ marks }}/hold ]; do sleep 0.05; done
  - name: leak
    ansible.builtin.fail: {msg: "the password is {{ database_password }} and {{ wrapped.key }}"}
"""


def test_a_secret_reaches_the_playbook_and_is_found_nowhere_else(site: Site):
    text = site.template.read_text()
    text = text.replace("level: gold", "database_password: '${input.pw}', wrapped: {key: 'x-${input.pw}-y'}")
    # Given as a default, because on a command line everybody could read it.
    site.template.write_text(f"{text}inputs: [{{name: pw, type: password, default: {CANARY}}}]\n")
    (site.template.parent / "site.yml").write_text(LEAKY)
    held = site.touch("hold")
    running = site.home.start("create", site.template, *ONCE)
    at_work(site)
    assert [pid for pid in _all() for part in ("cmdline", "environ") if holds(_read(pid, part))] == []
    files = [path for path in site.home.path.rglob("*") if path.is_file() and holds(path.read_bytes())]
    assert "ansible-0" in {path.parent.name for path in files}
    assert [path for path in files if path.stat().st_mode & 0o077] == []
    held.unlink()
    failed = running.end(1)
    assert "task 'leak': the password is *****" in failed.err
    asked = (("show", 0), ("show", 0, "-j"), ("logs", 0), ("host", "show", 0))
    told = [failed.err, failed.out, *(site.home.run(*argv).out for argv in asked)]
    told += [path.read_text() for path in (site.home.path / "logs").iterdir()]
    assert [text for text in told if CANARY in text] == []
    assert list((site.home.path / "run").iterdir()) == []


def holds(content: bytes) -> bool:
    return CANARY.encode() in content
