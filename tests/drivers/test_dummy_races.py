"""Facts of the dummy cloud under simultaneous calls and kills."""

import os
import random
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.drivers.dummy_cloud import ID, NAME, Cloud, deployment


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(tmp_path / "one home")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(12) as executor:
        yield executor


def test_the_quota_holds_also_for_simultaneous_deploys(cloud: Cloud, pool: ThreadPoolExecutor) -> None:
    xml = [deployment(f"m{number}", capacity=3) for number in range(8)]
    answers = list(pool.map(lambda stdin: cloud.call("deploy", "-", "h", stdin=stdin), xml))
    assert len(cloud.names()) == sum(answer.returncode == 0 for answer in answers) == 3
    assert any(b"quota of 3 machines reached" in answer.stderr for answer in answers)
    assert cloud.deploy(cloud.names().pop(), capacity=3)  # what exists needs no room


def test_simultaneous_deploys_of_one_name_make_one_machine(cloud: Cloud, pool: ThreadPoolExecutor) -> None:
    ids = set(pool.map(lambda _: cloud.deploy(), range(60)))
    assert ids == {ID}
    assert cloud.names() == {NAME}
    assert cloud.names("ips") == {cloud.record()["IP"]}


def test_different_names_get_different_ids_and_addresses(cloud: Cloud, pool: ThreadPoolExecutor) -> None:
    names = [f"{prefix}-abcde" for prefix in range(50)]  # one hash, hence one first choice of an address
    assert len(set(pool.map(cloud.deploy, names))) == 50
    assert {cloud.record(name)["IP"] for name in names} == cloud.names("ips")
    assert len(cloud.names("ips")) == 50
    list(pool.map(lambda name: cloud.ok("cancel", f"dummy:{name}", "h"), names))
    assert cloud.names() == cloud.names("ips") == set()


def test_simultaneous_allocations_of_one_tag_share_one_address(
    cloud: Cloud, pool: ThreadPoolExecutor
) -> None:
    answers = list(pool.map(lambda tag: cloud.ok("allocate_ip", str(tag % 3)), range(24)))
    assert len(set(answers)) == len(cloud.names("addresses")) == 3


def test_an_unfinished_record_is_no_machine_until_it_is_deployed_again(cloud: Cloud) -> None:
    cloud.ok("list")
    for half in ("", f"NAME={NAME}\nSTATE=running\nCPU=1"):
        (cloud.root / "machines" / NAME).write_text(half)
        assert cloud.poll() == {"STATE": "d"}
        assert cloud.listed() == {}
        assert cloud.deploy() == ID
        assert cloud.poll()["CPU"] == "12.5"
        (cloud.root / "machines" / NAME).write_text(half)
        cloud.ok("cancel", ID, "h")
        assert cloud.names() == set()


def test_kills_at_any_moment_leave_a_machine_or_none(cloud: Cloud) -> None:
    moment = random.Random(7)
    names = [f"m{number}" for number in range(10)]
    for number in range(150):
        name = names[number % 10]
        kill_after(moment.random() / 200, cloud.start("deploy", "-", "h", stdin=deployment(name)))
        if number % 3 == 0:
            kill_after(moment.random() / 200, cloud.start("cancel", f"dummy:{name}", "h"))
        assert (name in cloud.listed()) == (cloud.poll(f"dummy:{name}")["STATE"] == "a")
    assert [cloud.deploy(name) for name in names] == [f"dummy:{name}" for name in names]
    assert set(cloud.listed()) == cloud.names() == set(names)
    assert len({cloud.record(name)["IP"] for name in names}) == 10
    for name in names:
        cloud.ok("cancel", f"dummy:{name}", "h")
    assert cloud.names() == set()
    # A kill may leave an address reserved for nobody, never for somebody.
    assert all(not (cloud.root / "ips" / ip).read_text() for ip in cloud.names("ips"))


def kill_after(delay: float, process: subprocess.Popen[bytes]) -> None:
    try:
        process.communicate(timeout=delay)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
