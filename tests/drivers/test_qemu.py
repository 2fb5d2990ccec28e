"""The qemu driver with real processes of QEMU that have nothing to boot; test_qemu_guests.py has."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import qemu_process
from onecore.drivers.call import Calls, Surroundings, Target
from onecore.drivers.catalog import builtin_remotes, driver_at
from onecore.drivers.conformance import Setting, check
from onecore.drivers.deployment import Deployment, to_xml
from onecore.drivers.protocol import PollState
from onecore.errors import DriverFailed
from tests.drivers import forked
from tests.drivers.guests import blank_disk, guests_under

QEMU = builtin_remotes() / "pm" / "qemu"
NAME = f"provision-{'0' * 48}"

pytestmark = pytest.mark.scenario


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    folder.mkdir()
    yield folder
    for number in guests_under(tmp_path).values():
        os.kill(number, signal.SIGKILL)


@pytest.fixture
def calls(home: Path) -> Calls:
    return Calls(driver_at(QEMU), Surroundings(home, os.environ["PATH"]), forked.run)


@pytest.fixture
def disk(tmp_path: Path) -> str:
    return str(blank_disk(tmp_path))


def xml(image: str, name: str = NAME, **parameters: str) -> str:
    asked = {"image": image, "plan": "tiny", "accelerator": "tcg", **parameters}
    return to_xml(Deployment(name, "kvm", "kvm", "qemu", provision=asked))


def deployed(calls: Calls, home: Path, image: str, name: str = NAME, **parameters: str) -> Target:
    file = home / "deployment.xml"
    return Target(name, 0, calls.deploy(Target(name), file, xml(image, name, **parameters)))


def test_the_driver_conforms(home: Path, disk: str):
    parameters = {"image": disk, "plan": "tiny", "accelerator": "tcg", "shutdown_timeout": "0"}
    report = check(driver_at(QEMU), home, parameters, forked.run, Setting(os.environ["PATH"], deadline_s=30))
    assert [(c.name, c.detail) for c in report.checks if c.ok is False] == []
    assert [c.name for c in report.checks if c.ok is None] == [
        "allocate_ip answers the same address to the same tag",
        "release_ip succeeds, also for an address that is gone",
    ]
    assert guests_under(home) == {}


def test_a_machine_that_was_killed_from_outside_is_off_and_can_be_started_again(
    calls: Calls, home: Path, disk: str
):
    machine = deployed(calls, home, disk)
    os.kill(guests_under(home)[NAME], signal.SIGKILL)
    assert ends(home, NAME)
    assert calls.poll(machine).state is PollState.OFF
    calls.act("reset", machine)
    assert calls.poll(machine).state is PollState.ACTIVE


def test_a_process_that_got_the_same_number_is_not_taken_for_the_machine(calls: Calls, home: Path, disk: str):
    machine = deployed(calls, home, disk)
    os.kill(guests_under(home)[NAME], signal.SIGKILL)
    assert ends(home, NAME)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (home / "qemu" / "machines" / NAME / qemu_process.PID).write_text(str(stranger.pid))
        calls.act("cancel", machine)
        assert stranger.poll() is None
        stranger.kill()


def test_a_process_that_never_wrote_its_number_is_found_all_the_same(calls: Calls, home: Path, disk: str):
    machine = deployed(calls, home, disk)
    (home / "qemu" / "machines" / NAME / qemu_process.PID).unlink()
    calls.act("cancel", machine)
    assert guests_under(home) == {}
    assert calls.list() == ()


def test_a_guest_that_does_not_listen_is_switched_off_after_its_time(calls: Calls, home: Path, disk: str):
    machine = deployed(calls, home, disk, shutdown_timeout="1")
    begun = time.monotonic()
    calls.shutdown(machine)
    assert time.monotonic() - begun >= 1
    assert calls.poll(machine).state is PollState.OFF


def test_a_suspended_machine_stands_still_until_it_is_resumed(calls: Calls, home: Path, disk: str):
    machine = deployed(calls, home, disk)
    calls.act("suspend", machine)
    assert calls.poll(machine).state is PollState.OFF
    assert NAME in guests_under(home)
    calls.act("resume", machine)
    assert calls.poll(machine).state is PollState.ACTIVE


def test_a_machine_keeps_its_own_copy_of_the_disk(calls: Calls, home: Path, disk: str):
    deployed(calls, home, disk, disk="16M")
    before = Path(disk).read_bytes()
    overlay = home / "qemu" / "machines" / NAME / "disk.qcow2"
    told = subprocess.run(
        ["qemu-img", "info", "-U", overlay], capture_output=True, text=True, check=True
    ).stdout
    assert "virtual size: 16 MiB" in told
    assert f"backing file: {disk}" in told
    assert Path(disk).read_bytes() == before


def test_a_machine_that_qemu_refuses_leaves_nothing(calls: Calls, home: Path, disk: str):
    with pytest.raises(DriverFailed, match="qemu did not start: unable to find CPU model 'abacus'"):
        deployed(calls, home, disk, cpu_model="abacus")
    assert calls.list() == ()
    assert list((home / "qemu" / "machines").iterdir()) == []


def test_an_unknown_image_is_said_with_those_that_are_known(calls: Calls, home: Path):
    with pytest.raises(DriverFailed, match=r"there is no image .minix. in .*; known are debian-12, "):
        deployed(calls, home, "minix")
    assert list((home / "qemu" / "machines").iterdir()) == []


def test_what_a_killed_deploy_had_only_prepared_is_taken_back_by_the_next_look(
    calls: Calls, home: Path, disk: str
):
    machine = deployed(calls, home, disk)
    folder = home / "qemu" / "machines" / NAME
    os.kill(guests_under(home)[NAME], signal.SIGKILL)
    assert ends(home, NAME)
    (folder / "started").unlink()  # as if the driver had died just before QEMU
    assert calls.list() == ()
    assert not folder.exists()
    assert calls.poll(machine).state is PollState.GONE


def test_what_a_killed_deploy_had_started_is_a_machine(calls: Calls, home: Path, disk: str):
    deployed(calls, home, disk)
    (home / "qemu" / "machines" / NAME / "started").unlink()  # as if the driver had died just after it
    assert [machine.name for machine in calls.list()] == [NAME]
    assert deployed(calls, home, disk).deploy_id == NAME
    assert list(guests_under(home)) == [NAME]


def ends(home: Path, name: str) -> bool:
    until = time.monotonic() + 10
    while name in guests_under(home):
        assert time.monotonic() < until
        os.sched_yield()
    return True
