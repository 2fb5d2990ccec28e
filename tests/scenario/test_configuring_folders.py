"""Driver folders: real OpenTofu, then the folder's own playbook with real Ansible on real SSH hosts."""

import json
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fleet import Fleet, running_fleet
from tests.oneform import tofu
from tests.scenario.command import ONCE, ROOT, Home

pytestmark = pytest.mark.scenario

SITE = """
- hosts: node
  gather_facts: false
  tasks:
  - name: may break
    ansible.builtin.raw: |
      echo made-{{ provision_id }} >>MARKS/{{ ansible_host }}
      test ! -e MARKS/break-{{ ansible_host }}
"""
CLEANUP = """
- hosts: node
  gather_facts: false
  tasks:
  - name: say goodbye
    ansible.builtin.raw: echo bye >>MARKS/{{ ansible_host }}
"""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with running_fleet(tmp_path_factory.mktemp("fleet"), 3) as fleet:
        yield fleet


@dataclass
class Rack:
    """A copy of the driver folder `onprem` with a playbook that leaves marks, and a home that finds it."""

    home: Home
    fleet: Fleet
    driver: Path

    def order(self, *addresses: str) -> None:
        login = {"ansible_port": self.fleet.port, "ansible_ssh_private_key_file": self.fleet.key}
        inputs = self.home.folder / "inputs.json"
        user = self.fleet.servers[0].login.remote_user
        given = {"oneform_onprem_hosts": addresses, "ansible_user": user, **login}
        inputs.write_text(json.dumps(given))
        self.home.run("create", "onprem", inputs, "--name", "rack", *ONCE)

    def status(self) -> dict[str, str]:
        body = self.home.show()
        hosts = body["one_objects"]["hosts"] + body["pending"]
        return {host["ip"]: host["configuration"] for host in hosts}


@pytest.fixture
def rack(tmp_path: Path, fleet: Fleet) -> Iterator[Rack]:
    tofu()
    fleet.clear()
    driver = tmp_path / "remotes" / "oneform" / "onprem"
    shutil.copytree(ROOT / "drivers" / "oneform" / "onprem", driver)
    for name, text in (("site.yaml", SITE), ("cleanup.yaml", CLEANUP)):
        (driver / "ansible" / name).write_text(text.replace("MARKS", str(fleet.marks)))
    with (driver / "ansible" / "ansible.cfg").open("a") as config:
        config.write(f"interpreter_python = {sys.executable}\n")
    for path in (driver.parents[1], driver.parent, driver, *driver.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o022)
    home = Home(tmp_path, tmp_path / "remotes", deadline_s=120.0)
    yield Rack(home, fleet, driver)
    home.close()


def test_machines_are_adopted_by_address_configured_and_left_alone(rack: Rack):
    first, second, third = rack.fleet.addresses
    rack.order(first)
    assert rack.fleet.all_marked() == [["made-0"], [], []]
    broken = rack.fleet.marks / f"break-{third}"
    broken.touch()
    failed = rack.home.run("add-host", 0, "--ips", f"{second},{third}", *ONCE, code=1)
    assert f"{third}: task 'may break'" in failed.err
    assert rack.status() == {first: "configured", second: "configured", third: "error"}
    broken.unlink()
    rack.home.run("retry", 0)
    assert rack.status() == dict.fromkeys((first, second, third), "configured")
    assert rack.fleet.all_marked() == [["made-0"], ["made-0"], ["made-0"] * 2]
    rack.home.run("deprovision", 0, "--yes")
    assert rack.home.state() == "DONE"
    # They are as they were, but for what the playbooks did.
    assert rack.fleet.all_marked() == [["made-0", "bye"], ["made-0", "bye"], ["made-0", "made-0", "bye"]]


def test_a_folder_that_sees_to_ssh_itself_has_its_host_keys_recorded_and_checked(rack: Rack):
    conf = rack.driver / "driver.conf"
    conf.write_text(conf.read_text().replace("ssh: true", "ssh: false"))
    rack.order(rack.fleet.addresses[0])
    shown = rack.home.run("host", "show", 0, "-j").json["HOST"]
    public = (rack.fleet.servers[0].folder / "host_key.pub").read_text()
    assert shown["HOST_KEY"] == " ".join(public.split()[:2])
    other = " ".join((rack.fleet.servers[1].folder / "host_key.pub").read_text().split()[:2])
    with sqlite3.connect(rack.home.path / "one.db") as db:
        db.execute("UPDATE object SET body = json_set(body, '$.host_key', ?) WHERE kind = 'host'", (other,))
    refused = rack.home.run("configure", 0, "--force", code=1)
    assert "Host key verification failed" in refused.err
    assert rack.fleet.all_marked() == [["made-0"], [], []]
