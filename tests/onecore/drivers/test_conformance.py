"""The conformance kit finds every way of breaking the protocol, and leaves nothing behind."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from onecore.drivers.catalog import Driver
from onecore.drivers.conformance import Report, Setting, check
from onecore.drivers.manifest import ACTIONS, Manifest
from onecore.process import Command, Ended, Outcome

EXTENSIONS = ("list", "plans", "allocate_ip", "release_ip", "list_ips")


@dataclass
class Cloud:
    """A provider and its driver in memory. `faults` are the ways in which it breaks the protocol."""

    faults: frozenset[str] = frozenset()
    machines: dict[str, dict[str, str]] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    deploys: int = 0
    last_name: str = ""

    def run(self, command: Command) -> Outcome:
        action = Path(command.argv[0]).name
        method: Callable[..., str] = getattr(self, action, self.power)
        try:
            out = method(command) if action == "deploy" else method(*command.argv[1:])
        except ValueError as exc:
            marked = f"ERROR MESSAGE --8<------\n{exc}\nERROR MESSAGE ------>8--\n"
            text = str(exc) if "unmarked" in self.faults else "" if "silent" in self.faults else marked
            return Outcome(Ended.EXITED, 1, b"", text.encode(), 0.1)
        return Outcome(Ended.EXITED, 0, out.encode(), b"", 0.1)

    def deploy(self, command: Command) -> str:
        xml = command.stdin.decode()
        assert Path(command.argv[1]).read_text() == xml
        name = re.findall("<NAME>(.*)</NAME>", xml)[0]
        if given := re.findall("<DEPLOY_ID>(.*)</DEPLOY_ID>", xml):
            self.machines[given[0]]["state"] = "p" if "resume does nothing" in self.faults else "a"
            return ""
        known = [i for i, m in self.machines.items() if m["name"] == name]
        if known and "double" not in self.faults:
            return known[0]
        self.deploys += 1
        deploy_id = f"i-{self.deploys}"
        self.machines[deploy_id] = {"name": name, "state": "-" if "never boots" in self.faults else "a"}
        if "fails after" in self.faults:
            raise ValueError("timed out")
        return "" if "no id" in self.faults else deploy_id

    def poll(self, deploy_id: str, *_: str) -> str:
        if deploy_id not in self.machines:
            return "STATE=d"
        return f"STATE={self.machines[deploy_id]['state']}"

    def power(self, deploy_id: str, *_: str) -> str:
        if deploy_id not in self.machines and "accepts anything" not in self.faults:
            raise ValueError(f"no machine {deploy_id}")
        return ""

    def shutdown(self, deploy_id: str, *_: str) -> str:
        self.machines[deploy_id]["state"] = "a" if "stays on" in self.faults else "p"
        return ""

    def cancel(self, deploy_id: str, *_: str) -> str:
        if deploy_id not in self.machines and "cancel once" in self.faults:
            raise ValueError("not found")
        if "cancel lies" not in self.faults:
            self.machines.pop(deploy_id, None)
        return ""

    def list(self) -> str:
        hidden = "list is empty" in self.faults
        listed = [{"name": m["name"], "deploy_id": i, "state": "running"} for i, m in self.machines.items()]
        if "list keeps" in self.faults and not listed:
            listed = [{"name": self.last_name, "deploy_id": "i-1", "state": "running"}]
        if listed:
            self.last_name = listed[0]["name"]
        return json.dumps([] if hidden else listed)

    def plans(self) -> str:
        return '[{"id": "small"}]' if "nameless plan" in self.faults else '[{"id": "small", "name": "Small"}]'

    def allocate_ip(self, tag: str) -> str:
        same = tag in self.addresses.values() and "new address" not in self.faults
        number = len(self.addresses) if same else len(self.addresses) + 1
        self.addresses[f"ip-{number}"] = tag
        return json.dumps({"id": f"ip-{number}", "ip": f"192.0.2.{number}"})

    def release_ip(self, address_id: str, tag: str) -> str:
        if address_id not in self.addresses and "release once" in self.faults:
            raise ValueError("not found")
        self.addresses.pop(address_id, None)
        return ""

    def list_ips(self) -> str:
        return json.dumps([{"id": i, "ip": f"192.0.2.{i[3:]}"} for i in self.addresses])


class TurningClock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def a_driver(folder: Path, manifest: Manifest | None = None) -> Driver:
    path = folder / "pm" / "cloud"
    path.mkdir(parents=True)
    for action in (*ACTIONS, *EXTENSIONS):
        (path / action).write_text("#!/bin/sh\n")
        (path / action).chmod(0o755)
    for place in (folder, folder / "pm", path):
        place.chmod(0o755)
    if manifest is None:
        (path / "driver.yaml").write_text("name: cloud\n")
        manifest = Manifest("cloud", idempotent=True, extensions=frozenset(EXTENSIONS))
    return Driver("cloud", path, "test", manifest)


def examined(cloud: Cloud, folder: Path, manifest: Manifest | None = None) -> Report:
    setting = Setting(clock=TurningClock(), deadline_s=60)
    return check(a_driver(folder, manifest), folder / "home", {}, cloud.run, setting)


def failed(report: Report) -> list[str]:
    return [found.name for found in report.checks if found.ok is False]


def test_a_good_driver_passes_every_check_and_leaves_nothing(tmp_path: Path) -> None:
    cloud = Cloud()
    report = examined(cloud, tmp_path)
    assert (failed(report), report.passed) == ([], True)
    assert all(found.ok for found in report.checks)
    assert (cloud.machines, cloud.addresses) == ({}, {})


def test_without_a_manifest_only_the_six_actions_are_examined(tmp_path: Path) -> None:
    report = examined(Cloud(frozenset({"double", "unmarked"})), tmp_path, Manifest("cloud"))
    assert report.passed
    assert [found.name for found in report.checks if found.ok is None] == [
        "the manifest is valid",
        "deploying the same name again answers the same id",
        "list shows the machine with the same id",
        "list does not show the machine any more",
        "locations, plans, images and prices answer",
        "allocate_ip answers the same address to the same tag",
        "release_ip succeeds, also for an address that is gone",
    ]


@pytest.mark.parametrize(
    ("fault", "check_name"),
    [
        ("no id", "deploy prints a deploy id"),
        ("fails after", "deploy prints a deploy id"),
        ("double", "deploying the same name again answers the same id"),
        ("never boots", "poll says active after deploy"),
        ("list is empty", "list shows the machine with the same id"),
        ("stays on", "shutdown powers the machine off"),
        ("resume does nothing", "deploy with DEPLOY_ID powers the machine on"),
        ("cancel once", "cancel again succeeds"),
        ("cancel lies", "poll says gone after cancel, or fails"),
        ("list keeps", "list does not show the machine any more"),
        ("accepts anything", "an unknown deploy id is refused with a reason"),
        ("silent", "an unknown deploy id is refused with a reason"),
        ("unmarked", "an unknown deploy id is refused with a reason"),
        ("nameless plan", "locations, plans, images and prices answer"),
        ("new address", "allocate_ip answers the same address to the same tag"),
        ("release once", "release_ip succeeds, also for an address that is gone"),
    ],
)
def test_a_broken_driver_is_found_and_what_it_made_is_removed(
    fault: str, check_name: str, tmp_path: Path
) -> None:
    cloud = Cloud(frozenset({fault}))
    report = examined(cloud, tmp_path)
    assert check_name in failed(report)
    assert not report.passed
    assert list((tmp_path / "home").iterdir()) == []
    if fault != "cancel lies":
        assert (cloud.machines, cloud.addresses) == ({}, {})


def test_a_machine_that_cannot_be_removed_is_named(tmp_path: Path) -> None:
    last = examined(Cloud(frozenset({"cancel lies"})), tmp_path).checks[-1]
    assert (last.name, last.ok) == ("nothing is left behind", False)
    assert "machine 'i-1': after 60 s: poll still says" in last.detail


def test_a_failed_deploy_of_a_driver_without_list_says_what_to_look_for(tmp_path: Path) -> None:
    last = examined(Cloud(frozenset({"fails after"})), tmp_path, Manifest("cloud")).checks[-1]
    assert last.ok is None
    assert "look for 'provision-" in last.detail


def test_nothing_is_deployed_with_a_driver_that_cannot_cancel(tmp_path: Path) -> None:
    cloud, driver = Cloud(), a_driver(tmp_path)
    (driver.path / "cancel").unlink()
    report = check(driver, tmp_path / "home", {}, cloud.run)
    assert (report.passed, cloud.deploys) == (False, 0)


def test_an_interrupted_examination_removes_the_machine(tmp_path: Path) -> None:
    cloud = Cloud()

    def interrupted(command: Command) -> Outcome:
        if command.argv[0].endswith("reset"):
            raise KeyboardInterrupt
        return cloud.run(command)

    with pytest.raises(KeyboardInterrupt):
        check(a_driver(tmp_path), tmp_path / "home", {}, interrupted, Setting(clock=TurningClock()))
    assert cloud.machines == {}
