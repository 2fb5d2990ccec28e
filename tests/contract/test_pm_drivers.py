"""Facts about every pm driver, whatever it is written in and whether or not it knows of us."""

from pathlib import Path

import pytest

from onecore.drivers.call import Calls, Surroundings, Target
from onecore.drivers.catalog import Catalog
from onecore.drivers.conformance import Report, Setting, check
from onecore.drivers.deployment import Deployment, to_xml
from onecore.drivers.protocol import PollState
from onecore.errors import DriverFailed, InvalidInput
from onecore.process import run

OLD = ("old-sh", "old-python", "old-c")
ALL = (*OLD, "with-kit", "dummy")
SECRET = "s3cr3t-0123456789"
SETTING = Setting(secrets={"CLOUD_TOKEN": SECRET}, deadline_s=10, every_s=0.01)

every_driver = pytest.mark.parametrize("name", ALL)


@every_driver
def test_driver_conforms(name: str, remotes: Path, tmp_path: Path) -> None:
    report = examined(name, remotes, tmp_path)
    assert [check for check in report.checks if check.ok is False] == []
    assert report.passed


@pytest.mark.parametrize("name", ["with-kit", "dummy"])
def test_a_driver_that_declares_everything_has_every_check_applied(
    name: str, remotes: Path, tmp_path: Path
) -> None:
    assert [c.name for c in examined(name, remotes, tmp_path).checks if c.ok is None] == []


@pytest.mark.parametrize("name", OLD)
def test_an_old_driver_leaves_no_machine_after_the_examination(
    name: str, remotes: Path, tmp_path: Path
) -> None:
    examined(name, remotes, tmp_path)
    assert list((tmp_path / name / "machines").iterdir()) == []


@every_driver
def test_deploy_gets_the_same_xml_as_file_and_on_stdin(name: str, witnessed: Path, tmp_path: Path) -> None:
    deploys = [call for call in witnessed_calls(name, witnessed, tmp_path) if call.name.startswith("deploy.")]
    assert deploys
    for call in deploys:
        assert (call / "stdin").read_bytes() == (call / "file").read_bytes()
        assert (call / "stdin").read_text().startswith("<HOST>\n  <NAME>provision-")


@every_driver
def test_secrets_come_in_the_environment_and_never_as_arguments(
    name: str, witnessed: Path, tmp_path: Path
) -> None:
    for call in witnessed_calls(name, witnessed, tmp_path):
        assert f"CLOUD_TOKEN={SECRET}" in environ(call)
        assert SECRET not in (call / "argv").read_text()


@every_driver
def test_a_driver_sees_nothing_else_of_ours(
    name: str, witnessed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_PROVIDER_TOKEN", "not for this driver")
    for call in witnessed_calls(name, witnessed, tmp_path):
        names = {word.partition("=")[0] for word in environ(call)}
        assert names == {"PATH", "HOME", "LANG", "ONE_HOME", "CLOUD_TOKEN"}


@every_driver
def test_every_call_ends_with_host_id_and_host(name: str, witnessed: Path, tmp_path: Path) -> None:
    calls = witnessed_calls(name, witnessed, tmp_path)
    for call in calls:
        arguments = (call / "argv").read_text().splitlines()
        action = call.name.partition(".")[0]
        if action in ("deploy", "cancel", "poll", "reboot", "reset"):
            _, host, host_id, again = arguments
        elif action == "shutdown":
            _, host, lcm_state, host_id, again = arguments
            assert lcm_state == "SHUTDOWN_POWEROFF"
        else:
            continue
        assert (host, host_id) == (again, "0")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("old-sh", "old-sh deploy of web1: quota of 20 machines reached"),  # between the markers
        (
            "old-python",
            "old-python deploy of web1: connecting; retrying; quota of 20 machines reached",
        ),  # stderr
        ("old-c", "old-c deploy of web1: quota of 20 machines reached"),  # stdout
        ("with-kit", "with-kit deploy of web1: quota of 20 machines reached"),
    ],
)
def test_the_reason_of_a_failure_is_told_wherever_the_driver_printed_it(
    name: str, message: str, remotes: Path, tmp_path: Path
) -> None:
    calls, file = calls_of(name, remotes, tmp_path), tmp_path / "deployment.xml"
    with pytest.raises(DriverFailed) as failed:
        calls.deploy(Target("web1"), file, xml(name, fail="quota of 20 machines reached"))
    assert failed.value.message == message
    assert not failed.value.retryable


@every_driver
def test_two_machines_get_two_ids_and_one_can_be_cancelled_without_the_other(
    name: str, remotes: Path, tmp_path: Path
) -> None:
    calls, file = calls_of(name, remotes, tmp_path), tmp_path / "deployment.xml"
    first = Target("a", 1, calls.deploy(Target("a", 1), file, xml(name, machine=f"provision-{'a' * 48}")))
    second = Target("b", 2, calls.deploy(Target("b", 2), file, xml(name, machine=f"provision-{'b' * 48}")))
    calls.act("cancel", first)
    assert first.deploy_id != second.deploy_id
    assert calls.poll(second).state is PollState.ACTIVE


@every_driver
def test_the_address_of_a_machine_is_known_from_poll(name: str, remotes: Path, tmp_path: Path) -> None:
    calls = calls_of(name, remotes, tmp_path)
    deploy_id = calls.deploy(Target("a"), tmp_path / "deployment.xml", xml(name))
    first = calls.poll(Target("a", 0, deploy_id)).addresses[0]
    assert first.startswith(("192.0.2.", "198.18.", "198.19."))


@every_driver
def test_a_deploy_id_that_looks_like_an_option_never_reaches_the_driver(
    name: str, witnessed: Path, tmp_path: Path
) -> None:
    (tmp_path / "witness").mkdir()
    with pytest.raises(InvalidInput):
        calls_of(name, witnessed, tmp_path).act("cancel", Target("a", 0, "--all"))
    assert list((tmp_path / "witness").iterdir()) == []


def examined(name: str, remotes: Path, one_home: Path) -> Report:
    driver = Catalog([("--remotes", remotes)]).get(name)
    return check(driver, one_home, {"plan": "small"}, run, SETTING)


def witnessed_calls(name: str, witnessed: Path, one_home: Path) -> list[Path]:
    (one_home / "witness").mkdir()
    assert examined(name, witnessed, one_home).passed
    calls = list((one_home / "witness").iterdir())
    assert len(calls) >= 10
    return calls


def environ(call: Path) -> list[str]:
    return (call / "environ").read_text().rstrip("\0").split("\0")


def calls_of(name: str, remotes: Path, one_home: Path) -> Calls:
    return Calls(Catalog([("--remotes", remotes)]).get(name), Surroundings(one_home), run)


def xml(driver: str, machine: str = f"provision-{'0' * 48}", **provision: str) -> str:
    return to_xml(Deployment(machine, "kvm", "kvm", driver, provision=provision))
