"""Orderly against hard: what each provider's verbs really do, and what is done where it has none."""

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.clouds.calls import PUBLIC_KEY, Caller
from tests.clouds.vultr import VultrFake
from tests.drivers import forked
from tests.ssh_server import SshServer, free_port, ssh_server

# Stands for the system of a machine: it restarts, and shuts down, when it is asked to.
SYSTEM = """#!/bin/sh
cd "{folder}"
case $SSH_ORIGINAL_COMMAND in
*boot_id*) cat boot_id ;;
*reboot*) [ -e deaf ] || echo another >boot_id; echo reboot >>asked ;;
*poweroff*) [ -e deaf ] || touch off; echo poweroff >>asked ;;
*) exit 9 ;;
esac
"""


def verbs(vps: Caller) -> list[str]:
    return [verb for verb, _ in vps.fake.verbs]


@pytest.mark.parametrize(
    ("action", "asked"),
    [("reboot", ["reboot"]), ("reset", ["reboot"]), ("shutdown", ["shutdown"])],
)
def test_linode_shuts_down_by_itself_in_order_and_has_one_verb_to_restart(
    linode: Caller, action: str, asked: list[str]
):
    linode.act(action, running(linode))
    assert verbs(linode) == asked


def test_linode_busy_passes(linode: Caller):
    deploy_id = running(linode)
    linode.fake.trouble.busy = 2
    linode.act("reboot", deploy_id)
    assert verbs(linode) == ["reboot"]


@pytest.mark.parametrize(
    ("action", "asked"),
    [("reboot", ["reboot"]), ("reset", ["power_cycle"]), ("shutdown", ["shutdown"])],
)
def test_digitalocean_is_orderly_where_the_system_listens(
    digitalocean: Caller, action: str, asked: list[str]
):
    digitalocean.act(action, running(digitalocean))
    assert verbs(digitalocean) == asked


@pytest.mark.parametrize(
    ("action", "asked"), [("reboot", ["reboot", "power_cycle"]), ("shutdown", ["shutdown", "power_off"])]
)
def test_digitalocean_is_forced_where_the_system_does_not_listen(
    digitalocean: Caller, action: str, asked: list[str]
):
    digitalocean.fake.trouble.deaf = True
    digitalocean.act(action, running(digitalocean, orderly_s="0.5"))
    assert verbs(digitalocean) == asked


@pytest.fixture
def guest(tmp_path: Path, vultr: Caller) -> SshServer:
    """An SSH server where Vultr's machine should be; it runs when the test says so."""
    server = ssh_server(tmp_path / "guest")
    system = server.folder / "system"
    system.write_text(SYSTEM.format(folder=server.folder))
    system.chmod(0o755)
    (server.folder / "boot_id").write_text("first\n")
    authorized = server.folder / "authorized"
    authorized.write_text(f'command="{system}" {authorized.read_text()}')
    login = server.login
    vultr.connection = {
        "remote_user": login.remote_user,
        "remote_port": str(login.remote_port),
        "private_key": login.private_key,
    }
    vultr.run = forked.run  # a server needs its time
    assert isinstance(vultr.fake, VultrFake)
    vultr.fake.switched_off = server.folder / "off"
    return server


@pytest.mark.parametrize(("action", "heard"), [("reboot", "reboot\n"), ("shutdown", "poweroff\n")])
def test_vultr_asks_the_system_and_cuts_no_power(vultr: Caller, guest: SshServer, action: str, heard: str):
    deploy_id = running(vultr)
    with guest.running():
        vultr.act(action, deploy_id)
    assert (guest.folder / "asked").read_text() == heard
    assert verbs(vultr) == []


@pytest.mark.parametrize(("action", "forced"), [("reboot", ["reboot"]), ("shutdown", ["halt"])])
def test_vultr_forces_a_system_that_does_not_listen(
    vultr: Caller, guest: SshServer, action: str, forced: list[str]
):
    (guest.folder / "deaf").touch()
    deploy_id = running(vultr, orderly_s="0.5")
    with guest.running():
        vultr.act(action, deploy_id)
    assert (guest.folder / "asked").exists()
    assert verbs(vultr) == forced


@pytest.mark.parametrize(("action", "forced"), [("reboot", ["reboot"]), ("shutdown", ["halt"])])
def test_vultr_forces_a_system_that_nobody_can_log_in_to(vultr: Caller, action: str, forced: list[str]):
    vultr.connection = {"remote_port": str(free_port())}
    vultr.act(action, running(vultr))
    assert verbs(vultr) == forced


def test_a_machine_that_is_off_is_not_shut_down_again(vps: Caller):
    vps.connection = {"remote_port": str(free_port())}
    deploy_id = running(vps)
    vps.act("shutdown", deploy_id)
    asked = len(vps.fake.verbs)
    vps.act("shutdown", deploy_id)
    assert len(vps.fake.verbs) == asked


def test_power_on_of_a_machine_that_runs_does_nothing(vps: Caller):
    vps.power_on(running(vps))
    assert vps.fake.verbs == []


def test_linode_is_asked_for_what_was_written(linode: Caller):
    linode.deploy(user_data="#cloud-config\n", tags="one,blue team", label="web", backups_enabled="true")
    asked = body_of(linode, "/linode/instances")
    assert (asked["region"], asked["type"], asked["image"]) == ("us-east", "g6-nanode-1", "linode/debian12")
    assert base64.b64decode(asked["metadata"]["user_data"]) == b"#cloud-config\n"
    assert asked["tags"] == ["one", "blue team", "web"]
    assert asked["authorized_keys"] == [PUBLIC_KEY]
    assert asked["backups_enabled"] is True
    assert len(asked["root_pass"]) > 30


def test_vultr_is_asked_for_what_was_written(vultr: Caller):
    vultr.deploy(user_data="#cloud-config\n", hostname="web_1.example.org", enable_ipv6="yes", backups="no")
    asked = body_of(vultr, "/instances")
    assert (asked["region"], asked["plan"], asked["os_id"]) == ("ams", "vc2-1c-1gb", 2136)
    assert base64.b64decode(asked["user_data"]) == b"#cloud-config\n"
    assert (asked["hostname"], asked["enable_ipv6"], asked["backups"]) == (
        "web-1.example.org",
        True,
        "disabled",
    )


def test_digitalocean_is_asked_for_what_was_written(digitalocean: Caller):
    digitalocean.deploy(user_data="#cloud-config\n", hostname="web_1", image="101", monitoring="1")
    asked = body_of(digitalocean, "/droplets")
    assert (asked["region"], asked["size"], asked["image"]) == ("ams3", "s-1vcpu-1gb", 101)
    assert (asked["name"], asked["user_data"], asked["monitoring"]) == ("web-1", "#cloud-config\n", True)
    assert asked["tags"][1] == "onesuite"


def test_a_public_key_is_put_into_the_account_once(vultr: Caller, digitalocean: Caller):
    for vps, path in ((vultr, "/ssh-keys"), (digitalocean, "/account/keys")):
        vps.deploy()
        vps.deploy("provision-" + "e" * 48)
        assert len(vps.fake.asked_for("POST", path)) == 1


def test_a_snapshot_of_digitalocean_is_made_once(digitalocean: Caller):
    deploy_id = running(digitalocean)
    for _ in range(2):
        argv = (str(digitalocean.folder / "snapshot"), deploy_id, "m", "before", "0", "m")
        assert digitalocean.calls.outcome("snapshot", argv).ok
    assert verbs(digitalocean) == ["snapshot"]


def running(vps: Caller, **parameters: str) -> str:
    """The id of a machine that is shown as running."""
    vps.fake.trouble.looks_until_running = 0
    return vps.deploy(**parameters)


def body_of(vps: Caller, path: str) -> Any:
    (request,) = vps.fake.asked_for("POST", path)
    return request.body
