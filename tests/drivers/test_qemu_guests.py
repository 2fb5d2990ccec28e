"""Two real guests: made by the real command line, reached over SSH, restarted in order and hard, removed.

They have the cloud kernel of Debian, and run under emulation, as on a computer without KVM.
"""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from onecore.drivers.call import Calls, Surroundings, Target
from onecore.drivers.catalog import builtin_remotes, driver_at
from onecore.drivers.deployment import Deployment, to_xml
from onecore.process import run
from tests.drivers.guests import guests_under, tiny_image
from tests.scenario.command import Home, until

TEMPLATE = """\
name: local
defaults:
  provision: {{driver: qemu, image: {image}, plan: tiny, accelerator: tcg}}
  connection: {{private_key: {key}, remote_port: {port}}}
hosts:
  - provision: {{count: 2}}
"""
DEADLINE_S = 300.0

pytestmark = pytest.mark.scenario


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path, deadline_s=DEADLINE_S)
    yield made
    made.close()
    for number in guests_under(tmp_path).values():
        os.kill(number, signal.SIGKILL)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    key = paramiko.ECDSAKey.generate()
    key.write_private_key_file(str(tmp_path / "key"))
    (tmp_path / "key.pub").write_text(f"{key.get_name()} {key.get_base64()} test\n")
    file = tmp_path / "local.yaml"
    file.write_text(TEMPLATE.format(image=tiny_image(), key=tmp_path / "key", port=2200))
    return file


def test_two_guests_live_a_whole_life(tmp_path: Path, home: Home, template: Path):
    """One test, since a guest takes long to boot: the second one also is a machine that somebody owns."""
    patient = ("--ping-retries", "200", "--ping-timeout", "1")
    home.run("create", template, *patient)
    first, second = home.host_ids()
    assert (said(home, first, "hostname"), said(home, second, "hostname")) == ("local-0", "local-1")
    assert len(guests_under(home.folder)) == 2

    before = [boot_id(home, first), boot_id(home, second)]
    home.run("host", "reboot", first)
    home.run("host", "reboot", second, "--hard")
    after = [boot_id(home, first), boot_id(home, second)]
    assert not set(before) & set(after)
    # Only the guest that was asked in order has seen its power button.
    assert [text.count("the power button was pressed") for text in consoles(home)] == [1, 0]

    is_restarted_and_switched_off_over_ssh(home, second, tmp_path)
    home.run("deprovision", "0", "--yes")
    assert guests_under(home.folder) == {}
    assert list((home.path / "qemu" / "machines").iterdir()) == []


def is_restarted_and_switched_off_over_ssh(home: Home, host: int, folder: Path) -> None:
    """The ssh driver on a whole system: boot ids of a real kernel, and a real power off."""
    machine = home.run("host", "show", host, "-j").json["HOST"]["ADDRESSES"][0]
    login = {"remote_user": "root", "remote_port": "2200", "private_key": str(folder / "key")}
    driver = driver_at(builtin_remotes() / "pm" / "ssh")
    owned = Calls(driver, Surroundings(home.path, os.environ["PATH"]), run)
    asked = Deployment("mine", "kvm", "kvm", "ssh", provision={"address": machine}, connection=login)
    adopted = Target("mine", 0, owned.deploy(Target("mine"), folder / "deployment.xml", to_xml(asked)))

    before = boot_id(home, host)
    owned.act("reboot", adopted)
    after = boot_id(home, host)
    assert before != after
    owned.act("reset", adopted)
    assert boot_id(home, host) not in (before, after)
    owned.shutdown(adopted)
    until(lambda: len(guests_under(home.folder)) == 1, "the guest switched itself off", DEADLINE_S)


def said(home: Home, host: int, *words: str) -> str:
    """What the command printed in the guest, as soon as it lets us in."""
    for _ in range(100):
        answer = home.start("host", "ssh", host, *words).end(code=None)
        if answer.code == 0:
            return answer.out.strip()
    raise AssertionError(answer)


def boot_id(home: Home, host: int) -> str:
    found = said(home, host, "cat", "/proc/sys/kernel/random/boot_id")
    assert re.fullmatch("[0-9a-f-]{36}", found)
    return found


def consoles(home: Home) -> list[str]:
    """What the guests printed, in the order of their hosts."""
    machines = {each["id"]: each["machine"] for each in home.show()["one_objects"]["hosts"]}
    folder = home.path / "qemu" / "machines"
    return [(folder / machines[host] / "console.log").read_text() for host in sorted(machines)]
