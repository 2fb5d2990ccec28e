"""Hosts by the real command: looked at, acted on, logged in to; and what a crash in between leaves."""

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from onecore.access import hash_password
from onecore.config import read
from onecore.drivers.catalog import builtin_remotes
from onecore.home import open_home
from onecore.store import accounts
from oneprovision.store import SCHEMA
from tests.scenario import killing
from tests.scenario.installation import Installation, template, until
from tests.scenario.killing import Kill, Mode, Place
from tests.ssh_server import give_login_key

ACTIONS = ("deploy", "cancel", "poll", "reboot", "reset", "shutdown")
FAST = ("--ping-retries", "1", "--fail-retry", "0")
# As the old tool knew them: no manifest, no list, and a poll that says nothing but by its exit status.
MUTE = """#!/bin/sh
action=${0##*/}
mkdir -p "$ONE_HOME/mute"
[ ! -e "$ONE_HOME/fail.$action" ] || exit 1
echo "$action $*" >>"$ONE_HOME/calls"
case $action in
deploy) cp "$1" "$ONE_HOME/deployed.xml" && touch "$ONE_HOME/mute/m1" && echo m1 ;;
poll) [ -e "$ONE_HOME/mute/$1" ] ;;
cancel) rm -f "$ONE_HOME/mute/$1" ;;
esac
"""


@pytest.fixture
def one(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "home")


def created(one: Installation, hosts: int = 1, *options: str, driver: str = "dummy", **knobs: Any) -> None:
    one.home.parent.mkdir(exist_ok=True)
    one.run("create", template(one.home.parent, hosts, driver, **knobs), *options)


def listed(one: Installation) -> dict[str, dict]:
    pool = json.loads(one.ok("host", "list", "-j"))["HOST_POOL"]["HOST"]
    return {host["NAME"]: host for host in pool}


def state(one: Installation, name: str = "t-0") -> str:
    return str(listed(one)[name]["STATE"])


def record(one: Installation, name: str = "t-0") -> Path:
    return one.home / "dummy" / "machines" / str(listed(one)[name]["MACHINE"])


def facts(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def edit(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(f"{line}\n")


def open_operations(one: Installation) -> list[tuple[object, ...]]:
    return one.rows("SELECT * FROM operation WHERE ended_at IS NULL")


def stored_states(one: Installation) -> dict[object, object]:
    return {name: condition for name, condition in one.rows("SELECT name, state FROM resource")}


def test_list_shows_hosts_of_every_provision_with_what_was_seen(one: Installation):
    created(one, 2)
    created(one, 1)
    header, *lines = one.ok("host", "list").splitlines()
    assert header.split() == ["ID", "NAME", "CLUSTER", "PROVISION", "DRIVER", "IP", "CPU", "MEM", "STAT"]
    assert [line.split()[:5] for line in lines] == [
        ["0", "t-0", "t", "0", "dummy"],
        ["1", "t-1", "t", "0", "dummy"],
        ["2", "t-0", "t", "1", "dummy"],
    ]
    assert lines[0].split()[6:] == ["12.5", "512M", "on"]


def test_show_hides_the_secrets_that_the_driver_was_given(one: Installation):
    created(one, 1, root_password="hunter2-hunter2")
    shown = one.ok("host", "show", "t-0")
    assert "<ROOT_PASSWORD>*****</ROOT_PASSWORD>" in shown
    document = json.loads(one.ok("host", "show", "0", "-j"))["HOST"]
    assert (document["ID"], document["STATE"], document["METRICS"]["CPU"]) == ("0", "on", "12.5")
    assert "<HOSTNAME>t-0</HOSTNAME>" in document["DEPLOYMENT"]
    assert "hunter2" not in shown + document["DEPLOYMENT"]


@pytest.mark.parametrize(("options", "count"), [((), "REBOOTS"), (("--hard",), "RESETS")])
def test_reboot_restarts_each_machine_once(one: Installation, options: tuple[str, ...], count: str):
    created(one, 3)
    assert one.ok("host", "reboot", "0,t-2", *options) == "HOST 0: rebooted\nHOST 2: rebooted\n"
    times = [facts(record(one, name)).get(count) for name in ("t-0", "t-1", "t-2")]
    assert times == ["1", None, "1"]


def test_reboot_waits_until_the_provider_says_that_it_runs(one: Installation):
    created(one, 1, boot=0.4)
    one.ok("host", "reboot", "0")
    assert int(facts(record(one))["BOOTED_AT"]) <= time.time() * 1000
    assert state(one) == "on"


def test_power_off_and_on_again_keeps_the_machine(one: Installation):
    created(one, 2)
    before = one.existing()
    assert one.ok("host", "poweroff", "0..1") == "HOST 0: powered off\nHOST 1: powered off\n"
    assert facts(record(one))["STATE"] == "off"
    assert state(one) == "off"
    assert one.ok("host", "resume", "0") == "HOST 0: resumed\n"
    assert [state(one, "t-0"), state(one, "t-1")] == ["on", "off"]
    assert one.existing() == before


def test_suspend_and_resume(one: Installation):
    created(one)
    assert one.ok("host", "suspend", "0") == "HOST 0: suspended\n"
    assert facts(record(one))["STATE"] == "suspended"
    one.ok("host", "resume", "0")
    assert facts(record(one))["STATE"] == "running"


def test_each_action_is_in_the_journal_and_ended(one: Installation):
    created(one)
    one.ok("host", "poweroff", "0")
    one.ok("host", "resume", "0")
    assert [verb for (verb,) in one.rows("SELECT verb FROM operation ORDER BY id")] == [
        "deploy",
        "shutdown",
        "deploy",
    ]
    assert open_operations(one) == []
    assert list((one.home / "run").iterdir()) == []


def test_a_driver_that_lies_is_not_believed(one: Installation):
    created(one, 1, lie="shutdown")
    answer = one.run("host", "poweroff", "0", "--timeout", "0.3")
    assert (answer.code, answer.out) == (1, "")
    assert "shutdown had no effect: it is running after" in answer.err
    assert state(one) == "on"


def test_a_failure_of_one_host_is_told_and_the_others_are_done(one: Installation):
    created(one, 2)
    edit(record(one, "t-1"), "FAIL=reboot")
    answer = one.run("host", "reboot", "0,1")
    assert (answer.code, answer.out) == (1, "HOST 0: rebooted\n")
    assert "host 1: dummy reboot of t-1: " in answer.err
    assert "it was told to fail" in answer.err
    assert state(one, "t-1") == "on"


def test_a_failed_call_that_had_its_effect_is_seen(one: Installation):
    created(one, 1, fail_after="shutdown")
    assert one.run("host", "poweroff", "0").code == 1
    assert state(one) == "off"


def test_poll_keeps_what_the_provider_says_now(one: Installation):
    created(one, 2)
    edit(record(one, "t-0"), "CPU=77.5")
    edit(record(one, "t-1"), "STATE=off")
    lines = one.ok("host", "poll", "0,1", "--no-header").splitlines()
    assert [line.split()[-3:] for line in lines] == [["77.5", "512M", "on"], ["-", "-", "off"]]
    assert [state(one, "t-0"), state(one, "t-1")] == ["on", "off"]


def test_poll_of_a_machine_that_vanished_fails_and_says_how_to_repair(one: Installation):
    created(one, 2)
    record(one, "t-1").unlink()
    answer = one.run("host", "poll", "0..1")
    assert answer.code == 1
    assert "host 1: t-1: the provider does not know it" in answer.err
    assert "oneprovision retry 0 --force" in answer.err
    one.ok("retry", "0", "--force")
    assert state(one, "t-1") == "on"


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (("reboot", "7"), 3, "there is no host 7"),
        (("reboot", "0,7"), 3, "there is no host 7"),
        (("poll", "nobody"), 3, "host 'nobody' not found"),
        (("show", "0..1"), 2, "names 2 hosts"),
        (("reboot", "3..1"), 2, "runs backwards"),
        (("poweroff", "t-0"), 2, "2 hosts named 't-0'"),
    ],
)
def test_a_host_that_cannot_be_meant_changes_nothing(
    one: Installation, argv: tuple[str, ...], code: int, says: str
):
    created(one)
    created(one)
    before = one.cloud()
    answer = one.run("host", *argv)
    assert (answer.code, answer.is_clear) == (code, True)
    assert says in answer.err
    assert one.cloud() == before


def test_a_host_without_a_machine_cannot_be_acted_on(one: Installation):
    created(one, 1, "--fail-retry", "0", fail="deploy")
    answer = one.run("host", "reboot", "0")
    assert answer.code == 5
    assert "host 0 has no machine that can be acted on (it is failed)" in answer.err
    assert "oneprovision retry 0 --force" in answer.err


def test_an_action_on_a_failed_provision_leaves_its_error(one: Installation):
    created(one, 2, "--fail-retry", "0", fail_first="deploy:0")
    one.ok("show", "0")
    (one.home / "dummy" / "cloud.conf").write_text("CAPACITY=2\n")
    assert one.run("add-host", "0", "--amount", "1", "--fail-retry", "0").code == 1
    before = one.rows("SELECT state, error FROM provision")
    one.ok("host", "reboot", "0")
    assert one.rows("SELECT state, error FROM provision") == before


def test_while_somebody_works_on_the_provision_he_is_named(one: Installation):
    created(one, 1)
    edit(record(one), "LATENCY=40")
    running = one.start("host", "reboot", "0")
    until(lambda: bool(open_operations(one)), "reboot has started")
    answer = one.run("host", "poweroff", "0")
    running.end()
    assert answer.code == 5
    assert f"provision 0 is being worked on by process {running.pid}" in answer.err


def test_who_may_not_manage_may_not_act(one: Installation, tmp_path: Path):
    created(one)
    database = open_home(read({"ONE_HOME": str(one.home)}), (SCHEMA,))
    with database.begin() as tx:
        accounts.add_user(tx, "bob", hash_password("pw", b"0123456789abcdef"), accounts.USERS_GROUP)
    database.close()
    (tmp_path / "auth").write_text("bob:pw\n")
    bob = Installation(one.home, {"ONE_AUTH": str(tmp_path / "auth")})
    assert bob.ok("host", "list", "--no-header") == ""
    assert [bob.run("host", verb, "0").code for verb in ("show", "poll", "reboot", "ssh")] == [4, 4, 4, 4]
    one.ok("chmod", "0", "604")
    assert [bob.run("host", verb, "0").code for verb in ("show", "reboot")] == [0, 4]


def test_configure_is_for_the_hosts_that_are_named(one: Installation):
    created(one, 2)
    answer = one.run("host", "configure", "1")
    assert (answer.code, "Hosts are already configured" in answer.err) == (5, True)
    assert one.ok("host", "configure", "1", "--force") == "HOST 1: configured\n"
    assert one.state() == 6


def test_ssh_logs_in_with_the_connection_of_the_host(one: Installation, tmp_path: Path):
    created(one)
    refused = one.run("host", "ssh", "0")
    assert (refused.code, "offers no SSH" in refused.err) == (5, True)
    bin_folder, ip = tmp_path / "bin", listed(one)["t-0"]["IP"]
    bin_folder.mkdir()
    (bin_folder / "ssh").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 7\n')
    (bin_folder / "ssh").chmod(0o755)
    environ = {"ONE_REMOTES": str(_with_ssh(tmp_path)), "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    answer = Installation(one.home, environ).run("host", "ssh", "t-0", "ls", "-l", "--all")
    assert (answer.code, answer.err) == (7, "")
    assert answer.out.splitlines() == [
        *("-l", "root", "-p", "22", "-i", str(tmp_path / ".ssh" / "id_rsa"), "-o", "IdentitiesOnly=yes"),
        *("-o", f'UserKnownHostsFile="{one.home}/known_hosts"', "-o", "StrictHostKeyChecking=accept-new"),
        *("--", ip, "ls", "-l", "--all"),
    ]


def test_a_missing_ssh_is_a_clear_error(one: Installation, tmp_path: Path):
    created(one)
    environ = {"ONE_REMOTES": str(_with_ssh(tmp_path)), "PATH": str(tmp_path)}
    answer = Installation(one.home, environ).run("host", "ssh", "0")
    assert (answer.code, answer.is_clear) == (3, True)
    assert "there is no program 'ssh'" in answer.err


def _with_ssh(folder: Path) -> Path:
    driver = folder / "remotes" / "pm" / "dummy"
    shutil.copytree(builtin_remotes() / "pm" / "dummy", driver)
    for path in (driver.parent, driver, *driver.iterdir()):
        path.chmod(path.stat().st_mode & ~0o022)
    manifest = (driver / "driver.yaml").read_text()
    (driver / "driver.yaml").write_text(manifest.replace("ssh: false", "ssh: true"))
    return folder / "remotes"


# -- drivers of the old tool -------------------------------------------------------------------------------


@pytest.fixture
def mute(tmp_path: Path) -> Installation:
    folder = tmp_path / "remotes" / "pm" / "mute"
    folder.mkdir(parents=True)
    for path in (folder.parent, folder):
        path.chmod(0o755)
    for action in ACTIONS:
        (folder / action).write_text(MUTE)
        (folder / action).chmod(0o755)
    give_login_key(tmp_path)
    home = Installation(tmp_path / "home", {"ONE_REMOTES": str(tmp_path / "remotes")})
    created(home, 1, *FAST, driver="mute")
    return home


def test_a_driver_that_tells_no_state_is_taken_at_its_word(mute: Installation):
    assert mute.ok("host", "poweroff", "0") == "HOST 0: powered off\n"
    assert state(mute) == "off"
    mute.ok("host", "poll", "0")
    assert state(mute) == "off"
    mute.ok("host", "resume", "0")
    assert listed(mute)["t-0"]["MACHINE_STATE"] == "ready"


def test_power_on_names_the_machine_and_create_does_not(mute: Installation):
    deployed = mute.home / "deployed.xml"
    assert "DEPLOY_ID" not in deployed.read_text()
    mute.ok("host", "resume", "0")
    assert "<DEPLOY_ID>m1</DEPLOY_ID>" in deployed.read_text()


def test_a_deploy_id_in_a_template_never_reaches_a_driver(mute: Installation):
    created(mute, 1, *FAST, driver="mute", deploy_id="of-somebody-else")
    assert mute.rows("SELECT count(*) FROM provision") == [(2,)]
    assert "DEPLOY_ID" not in (mute.home / "deployed.xml").read_text()


def test_a_poll_that_fails_does_not_make_us_forget_the_machine(mute: Installation):
    (mute.home / "fail.poll").touch()
    answer = mute.run("host", "poll", "0")
    assert (answer.code, "mute poll of t-0 fails" in answer.err) == (1, True)
    assert mute.run("deprovision", "0", "--yes").code == 5
    assert listed(mute)["t-0"]["DEPLOY_ID"] == "m1"
    mute.ok("deprovision", "0", "--yes", "--force")
    assert list((mute.home / "mute").iterdir()) == []


# -- crashes -----------------------------------------------------------------------------------------------


@pytest.mark.scenario
@pytest.mark.parametrize("mode", [Mode.PROCESS, Mode.POWER])
def test_a_crash_at_any_boundary_of_a_power_off_leaves_hosts_that_can_be_used(tmp_path: Path, mode: Mode):
    base = Installation(tmp_path / "base" / "home")
    base.home.parent.mkdir()
    created(base, 2, latency=0.04)
    killing.warm()
    boundaries = len(killing.run(_copy(base, tmp_path / "whole"), ("host", "poweroff", "0,1")).boundaries)
    assert boundaries > 5
    for at in range(1, boundaries + 1):
        place = _copy(base, tmp_path / f"{at}")
        run = killing.run(place, ("host", "poweroff", "0,1"), Kill(at, mode))
        # Results that arrive together share a commit, so the last boundaries are not always reached.
        assert run.killed or (at > boundaries - 6 and run.exit_code == 0)
        assert killing.run(place, ("host", "poll", "0,1")).exit_code == 0
        one = Installation(place.home)
        assert open_operations(one) == []
        assert stored_states(one) == {
            file.name: {"running": "ready", "off": "off"}[facts(file)["STATE"]]
            for file in (place.home / "dummy" / "machines").iterdir()
        }
        assert killing.run(place, ("host", "resume", "0,1")).exit_code == 0
        assert set(stored_states(one).values()) == {"ready"}
        shutil.rmtree(place.folder)


def test_a_driver_that_outlived_us_is_waited_for(one: Installation):
    created(one, 1)
    edit(record(one), "LATENCY=2")
    running = one.start("host", "poweroff", "0")
    until(lambda: bool(one.at_work()), "the driver has started")
    running.end()
    one.ok("host", "poll", "0")
    assert (facts(record(one))["STATE"], state(one)) == ("off", "off")


def _copy(base: Installation, folder: Path) -> Place:
    folder.mkdir()
    shutil.copytree(base.home, folder / "home")
    return Place(folder, {})
