"""Facts of the knobs and hand edits by which the dummy cloud rehearses failures."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.drivers.dummy_cloud import ID, NAME, Cloud, deployment


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(tmp_path / "one home")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("VMS=7,8\n", {"STATE": "a", "VMS": "7,8"}),
        ("vms=7,8", {"STATE": "a", "VMS": "7,8"}),
        ("STATE=off\n", {"STATE": "p"}),
        ("STATE=error\n", {"STATE": "e"}),
        ("STATE=pending\n", {"STATE": "-"}),
        ("METRIC_LOAD=1\nMETRIC_LOAD=2\n", {"LOAD": "2"}),
        ("REBOOTS=nonsense$(x)\n# a note\n\n=\nPATH=/\nCPU=1\n", {"STATE": "a", "CPU": "1"}),
    ],
)
def test_a_record_may_be_edited_by_hand(cloud: Cloud, line: str, expected: dict[str, str]) -> None:
    cloud.deploy()
    cloud.edit(line)
    assert expected.items() <= cloud.poll().items()
    cloud.ok("reboot", ID, "h")
    assert cloud.record()["REBOOTS"] == "1"
    (cloud.root / "machines" / NAME).unlink()
    assert cloud.poll() == {"STATE": "d"}
    assert cloud.listed() == {}


def test_fail_has_no_effect_and_fail_after_has(cloud: Cloud) -> None:
    assert (
        cloud.error("deploy", "-", "h", stdin=deployment(NAME, fail="cancel, deploy"))
        == "it was told to fail"
    )
    assert cloud.names() == set()
    cloud.error("deploy", "-", "h", stdin=deployment(NAME, fail_after="deploy,cancel"))
    assert cloud.names() == {NAME}
    cloud.error("cancel", ID, "h")
    assert cloud.names() == set()


def test_fail_first_counts_attempts_per_machine_and_action(cloud: Cloud) -> None:
    xml = deployment(NAME, fail_first="deploy:2,poll:1")
    codes = [cloud.call("deploy", "-", "h", stdin=xml).returncode for _ in range(4)]
    assert codes == [1, 1, 0, 0]
    assert [cloud.call("poll", ID, "h").returncode for _ in range(2)] == [1, 0]
    assert cloud.call("deploy", "-", "h", stdin=deployment("other", fail_first="deploy:1")).returncode == 1


def test_a_lie_says_ok_and_does_nothing(cloud: Cloud) -> None:
    assert cloud.deploy(lie="deploy") == ID
    assert cloud.names() == set()
    cloud.deploy(lie="cancel,reboot,shutdown")
    for call in (("cancel", ID, "h"), ("reboot", ID, "h"), ("shutdown", ID, "h", "SHUTDOWN")):
        cloud.ok(*call)
    assert "REBOOTS" not in cloud.record()


@pytest.mark.parametrize(("knob", "exists"), [("hang", False), ("hang_after", True)])
def test_a_hanging_action_never_answers(cloud: Cloud, knob: str, exists: bool) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        cloud.call("deploy", "-", "h", stdin=deployment(NAME, **{knob: "deploy"}), timeout=0.3)
    assert (NAME in cloud.names()) == exists


def test_a_crash_takes_effect_without_an_answer(cloud: Cloud) -> None:
    answer = cloud.call("deploy", "-", "h", stdin=deployment(NAME, crash="deploy,cancel"))
    assert (answer.returncode, answer.stdout) == (-signal.SIGKILL, b"")
    assert cloud.names() == {NAME}
    assert cloud.call("cancel", ID, "h").returncode == -signal.SIGKILL
    assert cloud.names() == set()


def test_garbage_takes_effect_and_is_no_answer(cloud: Cloud) -> None:
    answer = cloud.call("deploy", "-", "h", stdin=deployment(NAME, garbage="deploy,poll"))
    assert answer.returncode == 0
    assert b"\0\xff" in answer.stdout
    assert b"STATE" not in cloud.call("poll", ID, "h").stdout
    assert cloud.names() == {NAME}


def test_latency_is_spent_around_the_effect(cloud: Cloud) -> None:
    began = time.monotonic()
    process = cloud.start("deploy", "-", "h", stdin=deployment(NAME, latency="0.4"))
    while not (cloud.root / "machines" / NAME).exists():
        assert time.monotonic() - began < 10
    half = time.monotonic() - began
    process.communicate(timeout=10)
    assert half >= 0.2
    assert time.monotonic() - began >= 0.4


def test_a_late_machine_does_not_exist_before_its_time(cloud: Cloud) -> None:
    assert cloud.error("deploy", "-", "h", stdin=deployment(NAME, late=1000)) == "timed out"
    assert cloud.poll() == {"STATE": "d"}
    assert cloud.listed() == {}
    cloud.error("reboot", ID, "h")
    cloud.ok("cancel", ID, "h")
    cloud.edit("VISIBLE_FROM=1\n")  # the time has come
    assert cloud.poll()["STATE"] == "a"
    assert list(cloud.listed()) == [NAME]


def test_deploying_a_late_machine_again_adopts_it(cloud: Cloud) -> None:
    cloud.error("deploy", "-", "h", stdin=deployment(NAME, late=1000))
    assert cloud.deploy(late=1000) == ID
    assert cloud.poll()["STATE"] == "a"


def test_the_list_lags_behind_creation_and_removal(cloud: Cloud) -> None:
    cloud.deploy(list_lag=1000)
    assert cloud.listed() == {}
    assert cloud.poll()["STATE"] == "a"
    cloud.edit("LISTED_FROM=1\n")
    assert list(cloud.listed()) == [NAME]
    cloud.ok("cancel", ID, "h")
    assert cloud.poll()["STATE"] == "d"
    assert cloud.names() == set()
    assert list(cloud.listed()) == [NAME]
    with (cloud.root / "ghosts" / NAME).open("a") as ghost:
        ghost.write("GHOST_UNTIL=1\n")
    assert cloud.listed() == {}


def test_a_machine_is_pending_while_it_boots(cloud: Cloud) -> None:
    cloud.deploy(boot=1000)
    assert cloud.poll()["STATE"] == "-"
    assert cloud.listed()[NAME]["state"] == "pending"
    cloud.edit("BOOTED_AT=1\n")
    assert cloud.poll()["STATE"] == "a"
    cloud.ok("reboot", ID, "h")
    assert cloud.poll()["STATE"] == "-"


def test_a_machine_in_error_stays_so(cloud: Cloud) -> None:
    cloud.deploy(state="error")
    cloud.ok("reset", ID, "h")
    assert cloud.poll()["STATE"] == "e"
    assert cloud.listed()[NAME]["state"] == "error"


@pytest.mark.parametrize(
    "wrong", [{"latency": "soon"}, {"boot": "-1"}, {"capacity": "many"}, {"state": "great"}, {"ip": "../x"}]
)
def test_a_wrong_knob_is_named_and_makes_nothing(cloud: Cloud, wrong: dict[str, str]) -> None:
    assert repr(*wrong.values()) in cloud.error("deploy", "-", "h", stdin=deployment(NAME, **wrong))
    assert cloud.names() == set()


def test_cloud_conf_gives_defaults_and_rules_actions_without_a_machine(cloud: Cloud) -> None:
    cloud.configure("# weather", "fail=list,poll", "FAIL_FIRST=allocate_ip:1", "CPU=50", "IP=1.2.3.4")
    cloud.deploy(fail="")
    assert cloud.error("list") == "it was told to fail"
    assert [cloud.call("allocate_ip", "a").returncode for _ in range(2)] == [1, 0]
    assert cloud.call("poll", ID, "h").returncode == 0  # the record says fail=nothing
    assert (cloud.record()["CPU"], cloud.record()["IP"][:4]) == ("50", "198.")
