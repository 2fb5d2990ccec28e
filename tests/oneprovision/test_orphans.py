"""`orphans` against a real dummy cloud: told both ways, removed, adopted; crashes in between included."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.dummy_cloud import Cloud
from tests.scenario import killing
from tests.scenario.installation import Answer, Installation, template, written
from tests.scenario.killing import Kill, Mode, Place
from tests.ssh_server import give_login_key

STRAY = "provision-" + "c968cbcf40716f8e" * 3
OTHER = "web-3-" + "0123456789abcdef" * 3
TAG = "provision-900-network-900-ar-0"
PUBLIC = "networks:\n- {name: public, vn_mad: elastic, ar: [{type: ip4, ipam_mad: dummy, size: 1}]}\n"
LISTLESS = '#!/bin/sh\n[ "${0##*/}" != deploy ] || echo m1\necho STATE=a\n'


@pytest.fixture
def one(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "home")


@pytest.fixture
def cloud(one: Installation) -> Cloud:
    return Cloud(one.home)


def created(one: Installation, hosts: int = 1, **knobs: Any) -> None:
    file = Path(template(one.home.parent, hosts, "dummy", **knobs))
    one.ok("create", written(file, file.read_text() + PUBLIC))


def rows(answer: Answer) -> set[tuple[str, str, str]]:
    """(kind, name, what) of what was printed as JSON."""
    pool = json.loads(answer.out)["ORPHAN_POOL"]["ORPHAN"]
    return {(each["KIND"], each["NAME"], each["WHAT"]) for each in pool}


def assert_empty(one: Installation) -> None:
    answer = one.run("orphans")
    assert (answer.code, answer.err) == (0, "no orphans\n")
    assert answer.out.split() == ["KIND", "DRIVER", "PROVIDER", "NAME", "DEPLOY_ID", "STATE", "WHAT"]


def test_a_fresh_home_has_no_orphans(one: Installation):
    assert_empty(one)


def test_a_provision_in_any_stage_is_no_orphan(one: Installation):
    created(one, 2)
    assert_empty(one)
    one.ok("host", "poweroff", "0")
    assert_empty(one)
    one.ok("deprovision", "0", "--yes")
    assert_empty(one)


def test_what_nobody_has_a_record_of_is_told(one: Installation, cloud: Cloud):
    created(one)
    cloud.deploy(STRAY)
    cloud.deploy(OTHER)
    cloud.deploy("somebody-elses")
    cloud.ok("allocate_ip", TAG)
    cloud.ok("allocate_ip", "office")
    answer = one.run("orphans", "-j")
    assert answer.code == 1
    assert rows(answer) == {
        ("machine", STRAY, "unowned"),
        ("machine", OTHER, "unowned"),
        ("address", TAG, "unowned"),
    }
    assert "--adopt" in answer.err
    assert "--destroy" in answer.err


def test_what_delete_from_db_leaves_behind_is_told(one: Installation):
    created(one, 2)
    one.ok("delete", "0", "--from-db", "--yes")
    answer = one.run("orphans", "--csv", "--no-header", "-l", "KIND,STATE,WHAT")
    assert answer.code == 1
    assert sorted(answer.out.splitlines()) == [
        "address,running,unowned",
        *["machine,running,unowned"] * 2,
    ]


def test_what_vanished_at_the_provider_is_missing(one: Installation, cloud: Cloud):
    created(one, 2)
    name = min(cloud.names())
    (cloud.root / "machines" / name).unlink()
    for address in (cloud.root / "addresses").iterdir():
        address.unlink()
    answer = one.run("orphans", "-j")
    assert answer.code == 1
    assert {(kind, what) for kind, _, what in rows(answer)} == {
        ("machine", "missing"),
        ("address", "missing"),
    }
    assert "oneprovision retry 0 --force" in answer.err
    one.ok("retry", "0", "--force")
    assert_empty(one)


def test_destroy_removes_the_unowned_and_nothing_else(one: Installation, cloud: Cloud):
    created(one, 2)
    ours = one.existing()
    for name in (STRAY, OTHER, "somebody-elses"):
        cloud.deploy(name)
    cloud.ok("allocate_ip", TAG)
    answer = one.run("orphans", "--destroy", "--yes", "-j")
    assert answer.code == 0, answer.err
    assert {what for _, _, what in rows(answer)} == {"destroyed"}
    assert one.existing() == {*ours, "somebody-elses"}
    assert len(cloud.names("addresses")) == 1
    assert_empty(one)


def test_destroy_asks_first(one: Installation, cloud: Cloud):
    cloud.deploy(STRAY)
    answer = one.run("orphans", "--destroy")
    assert (answer.code, "needs --yes" in answer.err) == (2, True)
    assert one.existing() == {STRAY}


def test_destroy_without_orphans_asks_nobody(one: Installation):
    assert one.run("orphans", "--destroy").code == 0


def test_what_cannot_be_removed_stays_in_sight_until_it_is(one: Installation, cloud: Cloud):
    cloud.deploy(STRAY, fail="cancel")
    answer = one.run("orphans", "--destroy", "--yes", "-j")
    assert (answer.code, rows(answer)) == (1, {("machine", STRAY, "unowned")})
    assert "it was told to fail" in answer.err
    again = one.run("orphans", "-j")
    assert (again.code, rows(again)) == (1, {("machine", STRAY, "unowned")})
    assert "a removal was begun: finish it with --destroy" in again.err
    cloud.edit("FAIL=\n", STRAY)
    one.ok("orphans", "--destroy", "--yes")
    assert one.existing() == set()
    assert_empty(one)


def test_adopt_makes_a_provision_that_works_like_any_other(one: Installation, cloud: Cloud):
    cloud.deploy(STRAY)
    cloud.deploy(OTHER, state="off")
    cloud.ok("allocate_ip", TAG)
    answer = one.run("orphans", "--adopt", "-j")
    assert answer.code == 0, answer.err
    assert {what for _, _, what in rows(answer)} == {"adopted"}
    assert_empty(one)
    assert one.ok("host", "list", "--csv", "--no-header", "-l", "ID,NAME,STAT") == (
        "0,adopted-dummy-0,on\n1,adopted-dummy-1,off\n"
    )
    body = json.loads(one.ok("show", "adopted-dummy", "-j"))["DOCUMENT"]["TEMPLATE"]["PROVISION_BODY"]
    assert body["state"] == "RUNNING"
    assert [each["ip"] for each in body["one_objects"]["networks"][0]["ar"]] == ["198.51.100.1"]
    one.ok("host", "resume", "1")
    one.ok("add-host", "0", "--amount", "1")
    one.ok("add-ip", "0", "--amount", "1")
    one.ok("remove-ip", "0", "0")
    one.ok("del-host", "0", "--host-ids", "0")
    one.ok("retry", "0", "--force")
    assert_empty(one)
    assert (len(one.existing()), STRAY in one.existing()) == (2, False)
    one.ok("deprovision", "0", "--yes")
    assert (one.existing(), cloud.names("addresses")) == (set(), set())


def test_adopt_takes_hosts_into_a_provision_that_is_there(one: Installation, cloud: Cloud):
    created(one, 2)
    cloud.deploy(STRAY)
    cloud.ok("allocate_ip", TAG)
    one.ok("orphans", "--adopt", "--provision", "t")
    assert_empty(one)
    assert one.ok("host", "list", "--csv", "--no-header", "-l", "NAME,PROVISION") == "t-0,0\nt-1,0\nt-2,0\n"
    one.ok("add-host", "0")
    one.ok("deprovision", "0", "--yes")
    assert one.existing() == set()


def test_addresses_need_a_public_network_to_be_adopted_into(one: Installation, cloud: Cloud):
    one.ok("create", template(one.home.parent))
    before = one.stored()["resource"]
    cloud.deploy(STRAY)
    cloud.ok("allocate_ip", TAG)
    answer = one.run("orphans", "--adopt", "--provision", "0")
    assert (answer.code, answer.is_clear) == (2, True)
    assert "provision 0 has no public network" in answer.err
    assert one.stored()["resource"] == before


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (("--adopt", "--destroy"), 2, "choose one"),
        (("--provision", "0"), 2, "goes with --adopt only"),
        (("--adopt", "--provision", "7"), 3, "there is no provision 7"),
    ],
)
def test_what_cannot_be_meant_changes_nothing(
    one: Installation, cloud: Cloud, argv: tuple[str, ...], code: int, says: str
):
    cloud.deploy(STRAY)
    one.ok("list")
    before = one.everything()
    answer = one.run("orphans", *argv)
    assert (answer.code, answer.is_clear) == (code, True)
    assert says in answer.err
    assert one.everything() == before


def test_a_list_that_fails_is_an_error_and_no_absence(one: Installation, cloud: Cloud):
    created(one)
    cloud.deploy(STRAY)
    cloud.configure("FAIL=list")
    answer = one.run("orphans", "-j")
    assert (answer.code, rows(answer)) == (1, set())
    assert "ERROR: dummy list: " in answer.err
    assert "no orphans" not in answer.err
    assert len(json.loads(answer.out)["ORPHAN_POOL"]["ERROR"]) == 1


def test_a_driver_that_is_gone_is_an_error(one: Installation, tmp_path: Path):
    before = _with_listless(one, tmp_path)
    before.run("create", template(tmp_path, driver="listless"), "--fail-retry", "0", "--ping-retries", "1")
    told = before.run("orphans")
    assert (told.code, "listless cannot list: its machines are not compared" in told.err) == (0, True)
    answer = one.run("orphans")
    assert (answer.code, "there is no driver 'listless'" in answer.err) == (1, True)


def _with_listless(one: Installation, folder: Path) -> Installation:
    driver = folder / "remotes" / "pm" / "listless"
    driver.mkdir(parents=True)
    for path in (driver.parent, driver):
        path.chmod(0o755)
    for action in ("deploy", "cancel", "poll", "reboot", "reset", "shutdown"):
        (driver / action).write_text(LISTLESS)
        (driver / action).chmod(0o755)
    give_login_key(folder)
    return Installation(one.home, {"ONE_REMOTES": str(folder / "remotes")})


def test_each_account_is_asked_and_what_several_list_is_told_once(one: Installation, cloud: Cloud):
    one.ok("provider", "create", written(one.home.parent / "p.yaml", "name: acme\ndriver: dummy\n"))
    cloud.deploy(STRAY)
    answer = one.run("orphans", "-j")
    assert rows(answer) == {("machine", STRAY, "unowned")}
    one.ok("orphans", "--destroy", "--yes")
    assert_empty(one)


def test_an_undecided_removal_of_a_provision_is_no_orphan(one: Installation, cloud: Cloud):
    created(one, 1, fail="cancel")
    assert one.run("deprovision", "0", "--yes").code == 1
    assert_empty(one)


# -- crashes -----------------------------------------------------------------------------------------------


def _crashes(base: Installation, argv: tuple[str, ...], folder: Path, mode: Mode) -> Iterator[Place]:
    """A copy of the home for every boundary of the command, killed there."""
    killing.warm()
    whole = killing.run(_copy(base, folder / "whole"), argv)
    assert len(whole.boundaries) > 1
    for at in range(1, len(whole.boundaries) + 1):
        place = _copy(base, folder / str(at))
        killing.run(place, argv, Kill(at, mode))
        yield place
        shutil.rmtree(place.folder)


def _copy(base: Installation, folder: Path) -> Place:
    folder.mkdir()
    shutil.copytree(base.home, folder / "home")
    return Place(folder, {})


@pytest.mark.scenario
@pytest.mark.parametrize("mode", [Mode.PROCESS, Mode.POWER])
def test_a_crash_while_destroying_is_finished_by_the_next_destroy(tmp_path: Path, mode: Mode):
    base = Installation(tmp_path / "base")
    base.ok("list")
    Cloud(base.home).deploy(STRAY, latency=0.04)
    Cloud(base.home).ok("allocate_ip", TAG)
    for place in _crashes(base, ("orphans", "--destroy", "--yes"), tmp_path, mode):
        one = Installation(place.home)
        left = one.existing() or one.rows("SELECT * FROM resource")
        assert killing.run(place, ("orphans",)).exit_code == (1 if left else 0)
        assert killing.run(place, ("orphans", "--destroy", "--yes")).exit_code == 0
        assert (one.existing(), one.rows("SELECT * FROM resource")) == (set(), [])
        assert killing.run(place, ("orphans",)).exit_code == 0


@pytest.mark.scenario
def test_a_crash_while_adopting_adopts_all_or_nothing(tmp_path: Path):
    base = Installation(tmp_path / "base")
    base.ok("list")
    Cloud(base.home).deploy(STRAY)
    for place in _crashes(base, ("orphans", "--adopt"), tmp_path, Mode.PROCESS):
        one = Installation(place.home)
        adopted = one.rows("SELECT id FROM provision")
        assert killing.run(place, ("orphans",)).exit_code == (0 if adopted else 1)
        assert killing.run(place, ("orphans", "--adopt")).exit_code == 0
        assert one.rows("SELECT owner FROM resource") == [("provision/0",)]
        assert killing.run(place, ("orphans",)).exit_code == 0
