"""The ssh driver on real SSH servers of loopback; test_ssh_guest.py has a whole machine."""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import ssh_look
from onecore.drivers.call import Calls, Surroundings, Target
from onecore.drivers.catalog import builtin_remotes, driver_at
from onecore.drivers.conformance import Setting, check
from onecore.drivers.deployment import Deployment, to_xml
from onecore.drivers.kit import Call, Failed
from onecore.drivers.protocol import PollState
from onecore.errors import DriverFailed
from ssh_request import Place, parsed
from tests.drivers import forked
from tests.drivers.owned_machine import MAC, OwnedMachine, owned_machine
from tests.ssh_server import a_key

SSH = builtin_remotes() / "pm" / "ssh"

pytestmark = pytest.mark.scenario


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def calls(home: Path) -> Calls:
    return Calls(driver_at(SSH), Surroundings(home, os.environ["PATH"]), forked.run)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[OwnedMachine]:
    with owned_machine(tmp_path / "machine") as made:
        yield made


def connection(machine: OwnedMachine) -> dict[str, str]:
    login = machine.server.login
    return {
        "remote_user": login.remote_user,
        "remote_port": str(login.remote_port),
        "private_key": login.private_key,
    }


def xml(machine: OwnedMachine, name: str, **parameters: str) -> str:
    return to_xml(Deployment(name, "kvm", "kvm", "ssh", provision=parameters, connection=connection(machine)))


def deployed(calls: Calls, home: Path, machine: OwnedMachine, name: str = "a", **parameters: str) -> Target:
    asked = parameters or {"address": machine.server.address}
    return Target(name, 0, calls.deploy(Target(name), home / "deployment.xml", xml(machine, name, **asked)))


def test_the_driver_conforms(machine: OwnedMachine, home: Path):
    wake = f"127.0.0.1:{machine.wake_port}"
    parameters = {"address": machine.server.address, "mac": MAC, "wake_address": wake}
    setting = Setting(os.environ["PATH"], connection=connection(machine), deadline_s=30)
    report = check(driver_at(SSH), home, parameters, forked.run, setting)
    assert [(c.name, c.detail) for c in report.checks if c.ok is False] == []
    assert machine.seen == ["reboot", "reset", "poweroff", "wake"]


def test_a_machine_that_is_given_back_goes_on_as_it_was(calls: Calls, home: Path, machine: OwnedMachine):
    before, files = machine.boot_id, sorted(machine.folder.iterdir())
    adopted = deployed(calls, home, machine)
    calls.poll(adopted)
    calls.act("cancel", adopted)
    assert calls.list() == ()
    assert (machine.boot_id, machine.seen, machine.is_on) == (before, [], True)
    assert sorted(machine.folder.iterdir()) == files


def test_shutdown_to_destroy_gives_back_too(calls: Calls, home: Path, machine: OwnedMachine):
    calls.shutdown(deployed(calls, home, machine), "SHUTDOWN")
    assert (calls.list(), machine.seen) == ((), [])


def test_a_machine_is_used_once_only(calls: Calls, home: Path, machine: OwnedMachine):
    first = deployed(calls, home, machine)
    with pytest.raises(DriverFailed, match=f"{first.deploy_id} is in use as a"):
        deployed(calls, home, machine, "b")
    assert deployed(calls, home, machine).deploy_id == first.deploy_id


def test_names_share_out_the_machines_of_a_provider(calls: Calls, home: Path, tmp_path: Path):
    with ExitStack() as stack:
        three = [stack.enter_context(owned_machine(tmp_path / str(n), f"127.0.0.{n}")) for n in (2, 3, 4)]
        for other in three[1:]:  # one key for all
            (other.folder / "authorized").write_text(
                f'command="{other.folder / "system"}" {(three[0].folder / "user_key.pub").read_text()}'
            )
        pool = ",".join(f"{each.server.address}:{each.server.port}" for each in three)
        found: list[str] = []

        def take(name: str) -> None:
            folder = home / name
            folder.mkdir()
            found.append(deployed(calls, folder, three[0], name, addresses=pool).deploy_id)

        threads = [threading.Thread(target=take, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == sorted(pool.split(","))
        with pytest.raises(DriverFailed, match=r"is in use as .*; .* is in use as .*; .* is in use as"):
            deployed(calls, home, three[0], "d", addresses=pool)


def test_a_machine_that_does_not_let_us_in_is_not_claimed(calls: Calls, home: Path, machine: OwnedMachine):
    stranger = {**connection(machine), "private_key": a_key(home / "stranger")}
    asked = Deployment("a", "kvm", "kvm", "ssh", provision={"address": "127.0.0.1"}, connection=stranger)
    with pytest.raises(DriverFailed):
        calls.deploy(Target("a"), home / "deployment.xml", to_xml(asked))
    assert calls.list() == ()


def test_a_machine_that_is_silent_is_off_only_if_we_switched_it_off(
    calls: Calls, home: Path, machine: OwnedMachine
):
    adopted = deployed(calls, home, machine)
    machine.off()
    assert calls.poll(adopted).state is PollState.UNKNOWN
    assert [m.state.value for m in calls.list()] == ["pending"]
    machine.on()
    calls.shutdown(adopted)
    assert calls.poll(adopted).state is PollState.OFF
    assert [m.state.value for m in calls.list()] == ["off"]


def test_a_machine_without_a_mac_has_to_be_switched_on_by_hand(
    calls: Calls, home: Path, machine: OwnedMachine
):
    adopted = deployed(calls, home, machine)
    machine.off()
    with pytest.raises(DriverFailed, match="does not answer, and has no `mac` to wake it by: switch it on"):
        calls.power_on(adopted, home / "deployment.xml", xml(machine, "a", DEPLOY_ID=adopted.deploy_id))


def test_the_figures_of_the_machine_are_seen(calls: Calls, home: Path, machine: OwnedMachine):
    poll = calls.poll(deployed(calls, home, machine))
    assert poll.addresses == ("127.0.0.1",)
    assert int(poll.metrics["MEMORY"]) > 10_000
    assert 0.0 <= float(poll.metrics["CPU"]) <= 100.0
    assert poll.metrics["SSH_PORT"] == str(machine.server.port)


# -- what is asked for ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "places"),
    [
        ({"ADDRESS": "192.0.2.1"}, (Place("192.0.2.1", 2200),)),
        ({"IP": "192.0.2.1"}, (Place("192.0.2.1", 2200),)),
        ({"ADDRESS": "web.example:22"}, (Place("web.example", 22),)),
        ({"ADDRESS": "2001:db8::1"}, (Place("2001:db8::1", 2200),)),
        ({"ADDRESS": "[2001:db8::1]:22"}, (Place("2001:db8::1", 22),)),
        ({"ADDRESSES": "192.0.2.1, 192.0.2.2:23"}, (Place("192.0.2.1", 2200), Place("192.0.2.2", 23))),
    ],
)
def test_machines_are_named_by_address_or_name_and_port(
    parameters: dict[str, str], places: tuple[Place, ...]
):
    call = Call("deploy", name="a", provision=parameters, connection={"REMOTE_PORT": "2200"})
    assert parsed(call).places == places


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, "no machine is named: give `address`, or `addresses` to choose from"),
        ({"ADDRESS": "-oProxyCommand=x"}, "'-oProxyCommand=x' is neither an address nor the name of a host"),
        ({"ADDRESS": "../../etc"}, "'../../etc' is neither an address nor the name of a host"),
        ({"ADDRESS": "192.0.2.1:99999"}, "'192.0.2.1:99999': '99999' is not a port"),
        ({"ADDRESS": "192.0.2.1", "MAC": "x"}, "mac: 'x' is not like 52:54:00:12:34:56"),
        (
            {"ADDRESSES": "192.0.2.1", "MAC": MAC},
            "mac: which of the `addresses` has it? give `address` and `mac` together",
        ),
    ],
)
def test_what_names_no_machine_is_refused(parameters: dict[str, str], said: str):
    with pytest.raises(Failed) as failed:
        parsed(Call("deploy", name="a", provision=parameters))
    assert str(failed.value) == said


def test_figures_that_are_odd_are_left_out():
    assert ssh_look.metrics("cpu what\n") == {}
