"""The driver of machines that exist already: a register of addresses, and no hand on any machine."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from onecore.drivers.catalog import builtin_remotes

DRIVER = builtin_remotes() / "pm" / "onprem"


def call(home: Path, action: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "ONE_HOME": str(home)}
    command = [str(DRIVER / action), *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=30)


def deploy(home: Path, name: str, address: str) -> subprocess.CompletedProcess[str]:
    file = home / f"{name}.xml"
    ip = f"    <IP>{address}</IP>\n" if address else ""
    file.write_text(f"<HOST>\n  <IP>ignored</IP>\n  <PROVISION>\n{ip}  </PROVISION>\n</HOST>\n")
    return call(home, "deploy", str(file), name, "0", name)


def listed(home: Path) -> list[tuple[str, str]]:
    return [(each["name"], each["deploy_id"]) for each in json.loads(call(home, "list").stdout)]


def test_a_machine_is_entered_and_struck(tmp_path: Path):
    assert listed(tmp_path) == []
    assert deploy(tmp_path, "a", "192.0.2.1").stdout == "192.0.2.1\n"
    assert listed(tmp_path) == [("a", "192.0.2.1")]
    assert call(tmp_path, "poll", "192.0.2.1", "a", "0", "a").stdout.startswith("STATE=a GUEST_IP_ADDRESSES=")
    assert call(tmp_path, "cancel", "192.0.2.1", "a", "0", "a").returncode == 0
    assert listed(tmp_path) == []
    assert call(tmp_path, "poll", "192.0.2.1", "a", "0", "a").stdout == "STATE=d\n"


def test_each_action_may_be_repeated(tmp_path: Path):
    assert [deploy(tmp_path, "a", "192.0.2.1").stdout for _ in range(2)] == ["192.0.2.1\n"] * 2
    assert [call(tmp_path, "cancel", "192.0.2.1", "a", "0", "a").returncode for _ in range(2)] == [0, 0]


def test_an_address_is_in_use_once_only(tmp_path: Path):
    deploy(tmp_path, "a", "192.0.2.1")
    refused = deploy(tmp_path, "b", "192.0.2.1")
    assert (refused.returncode, "192.0.2.1 is in use already, as a" in refused.stderr) == (1, True)
    # Who has it not cannot strike it either.
    assert call(tmp_path, "cancel", "192.0.2.1", "b", "0", "b").returncode == 0
    assert listed(tmp_path) == [("a", "192.0.2.1")]


@pytest.mark.parametrize("address", ["", "../one.db", "-rf", ".hidden", "a b", "$(reboot)", "a;b"])
def test_what_is_no_address_is_refused(tmp_path: Path, address: str):
    refused = deploy(tmp_path, "a", address)
    assert (refused.returncode, "address" in refused.stderr) == (1, True)
    assert listed(tmp_path) == []


@pytest.mark.parametrize("action", ["reboot", "reset", "shutdown"])
def test_it_has_no_power_over_a_machine(tmp_path: Path, action: str):
    further = ("SHUTDOWN_POWEROFF",) if action == "shutdown" else ()
    refused = call(tmp_path, action, "192.0.2.1", "a", *further, "3", "a")
    assert (refused.returncode, "oneprovision host ssh 3" in refused.stderr) == (1, True)
