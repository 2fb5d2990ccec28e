"""Machines that exist, adopted over REST with real OpenTofu, Ansible and sshd, restarted, and given back."""

import getpass
import sys
from pathlib import Path

from tests.drivers.owned_machine import owned_machine
from tests.oneform import tofu
from tests.oneprovision.api.server import a_form
from tests.scenario.command import Home


def has_our_python(system: Path) -> None:
    """Whatever else this machine has by the name of python is not found by Ansible."""
    first, rest = system.read_text().split("\n", 1)
    path = f"export PATH={Path(sys.executable).resolve().parent}:/usr/bin:/bin"
    system.write_text(f"{first}\n{path}\n{rest}")


def test_a_machine_is_adopted_over_rest_restarted_over_ssh_and_given_back(tmp_path):
    tofu()
    home = Home(tmp_path, deadline_s=120.0)
    with owned_machine(tmp_path / "machine") as machine, a_form(home.path) as form:
        has_our_python(machine.folder / "system")
        values = {
            "oneform_onprem_hosts": [machine.server.address],
            "ansible_user": getpass.getuser(),
            "ansible_port": machine.server.port,
            "ansible_ssh_private_key_file": machine.server.login.private_key,
        }
        order = {"driver": "onprem", "deployment_type": "ssh_cluster", "user_inputs_values": values}
        reply = form.ask("POST", "/provisions", order)
        assert reply.status == 201, reply.body
        (host,) = form.settled(0, "RUNNING")["one_objects"]["hosts"]
        assert (host["ip"], host["configuration"]) == (machine.server.address, "configured")

        before = machine.boot_id
        assert home.run("host", "reboot", 0).out == "HOST 0: rebooted\n"
        assert machine.boot_id != before
        assert home.run("host", "reboot", 0, "--hard").out == "HOST 0: rebooted\n"
        refused = home.run("host", "poweroff", 0, code=1)
        assert "driver folder 'onprem' has no action shutdown" in refused.err
        assert "restarted" in home.run("logs", 0).out

        assert form.ask("POST", "/provisions/0/undeploy", {}).status == 204
        form.settled(0, "DONE")
        assert (machine.seen, machine.is_on) == (["reboot", "reset"], True)
