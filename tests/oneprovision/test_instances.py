"""Single machines by one command, as the tool of spec/002 makes them, and without leaving any."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clouds.calls import FAKES, AnyFake
from tests.clouds.fake import KEY
from tests.clouds.witnesses import double
from tests.scenario.installation import Installation, written

PROD_FILES = {
    "linode": "provider: linode\nregion: us-east\ntype: g6-nanode-1\nimage: linode/debian12\nlabel: web\n",
    "vultr": "provider: vultr\nregion: ams\nplan: vc2-1c-1gb\nos_id: 2136\nlabel: web\ntag: old\n",
    "digitalocean": "provider: digital_ocean\nname: web\nregion: ams3\nsize: s-1vcpu-1gb\nimage: 101\n",
}
QUICK = ("--fail-retry", "0")


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "home")


@pytest.fixture(params=FAKES, ids=lambda fake: fake.driver)
def vps(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[AnyFake, Installation]]:
    fake = request.param()
    with double(lambda: fake, tmp_path) as provider:
        yield fake, Installation(tmp_path / "home", provider.environ)


def made(here: Installation, *argv: str) -> Any:
    return json.loads(here.ok("instance", "create", *argv, "-j"))["INSTANCE"]


def a_dummy(here: Installation, *argv: str) -> Any:
    return made(here, "--provider", "dummy", "--name", "web", *argv)


def listed(here: Installation) -> list[str]:
    pool = json.loads(here.ok("instance", "list", "-j"))
    return [each["name"] for each in pool["INSTANCE_POOL"]["INSTANCE"]]


def test_a_file_of_the_old_tool_makes_a_machine_that_its_provider_id_removes(
    vps: tuple[AnyFake, Installation], tmp_path: Path
):
    fake, here = vps
    one = made(here, written(tmp_path / "web.prod", PROD_FILES[fake.driver]))
    assert (one["name"], one["state"], one["driver"]) == ("web", "ready", fake.driver)
    assert one["ip"]
    assert len(fake.existing) == 1
    here.ok("instance", "delete", one["deploy_id"], "--yes", "--wait-timeout", "40")
    assert (fake.existing, listed(here), here.recorded()) == ([], [], set())


@pytest.mark.parametrize(
    ("wait", "state", "has_address"),
    [
        ("immediate", "booting", False),
        ("waitForResourceCreation", "booting", True),
        ("finalised", "ready", True),
    ],
)
def test_create_waits_as_long_as_it_is_told(here: Installation, wait: str, state: str, has_address: bool):
    one = a_dummy(here, "--set", "boot=1.5", "--wait", wait)
    assert (one["state"], bool(one["ip"])) == (state, has_address)
    done = json.loads(here.ok("instance", "wait", "web", "-j"))["INSTANCE"] if state == "booting" else one
    assert done["state"] == "ready"
    assert here.existing() == here.wanted() == {one["machine"]}


def test_an_instance_is_restarted_shut_down_started_and_removed(here: Installation):
    a_dummy(here)
    for command, state in (("reboot", "ready"), ("reset", "ready"), ("shutdown", "off"), ("start", "ready")):
        assert json.loads(here.ok("instance", command, "web", "-j"))["INSTANCE"]["state"] == state
    here.ok("instance", "delete", "web", "--yes")
    assert here.existing() == set()


def test_an_instance_is_found_by_id_name_provider_id_and_address(here: Installation):
    one = a_dummy(here)
    for word in ("0", "web", one["deploy_id"], one["ip"]):
        assert json.loads(here.ok("instance", "show", word, "-j"))["INSTANCE"]["name"] == "web"


def test_a_provision_is_no_instance(here: Installation, tmp_path: Path):
    text = "name: cluster\nhosts: [{provision: {driver: dummy}}]\n"
    here.ok("create", written(tmp_path / "t.yaml", text))
    assert listed(here) == []
    answer = here.run("instance", "delete", "0", "--yes")
    assert (answer.code, "there is no instance" in answer.err) == (3, True)
    assert len(here.existing()) == 1


def test_a_machine_that_cannot_be_made_is_said_and_removed_by_one_command(here: Installation):
    answer = here.run(
        "instance", "create", "--provider", "dummy", "--name", "web", "--set", "fail=deploy", *QUICK
    )
    assert answer.code == 1
    here.ok("instance", "delete", "web", "--yes")
    assert (listed(here), here.recorded()) == ([], set())


def test_a_password_of_the_file_is_shown_nowhere(here: Installation, tmp_path: Path):
    made(here, written(tmp_path / "web.prod", "provider: dummy\nname: web\nroot_pass: s3cr3t-0123456789\n"))
    for argv in (
        ("instance", "show", "web", "-j"),
        ("show", "web", "-j"),
        ("host", "show", "0"),
        ("logs", "web"),
    ):
        assert "s3cr3t-0123456789" not in here.ok(*argv)


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("create",), 2, "nothing says where the instance is to be"),
        (("create", "--provider", "nowhere"), 3, "there is no driver 'nowhere'"),
        (("create", "--provider", "dummy", "--wait", "forever"), 2, "'forever' is no way to wait"),
        (("create", "/no/such/file"), 2, "cannot read /no/such/file"),
        (("show", "web"), 3, "web"),
        (("delete", "web", "--yes"), 3, "web"),
    ],
)
def test_what_cannot_be_done_is_said_and_makes_nothing(
    here: Installation, argv: tuple[str, ...], code: int, words: str
):
    answer = here.run("instance", *argv)
    assert (answer.code, answer.is_clear) == (code, True), answer.err
    assert words in answer.err
    assert here.existing() == set()


def test_a_machine_that_lets_nobody_in_is_warned_of(tmp_path: Path):
    fake = FAKES[0]()
    with fake.running() as url:
        here = Installation(tmp_path / "home", {fake.url_variable: url, fake.variable: KEY})
        sets = [word for name, value in fake.parameters.items() for word in ("--set", f"{name}={value}")]
        create = ("instance", "create", "--provider", fake.driver, *sets, "--wait", "immediate")
        assert f"there is no public key {tmp_path}/.ssh/id_rsa.pub" in here.run(*create).err
        assert "no public key" not in here.run(*create, "--set", "root_pass=s3cr3t-012345").err


def test_nobody_logs_in_where_nothing_listens(here: Installation):
    a_dummy(here)
    answer = here.run("instance", "ssh", "web", "uptime")
    assert (answer.code, "offers no SSH" in answer.err) == (5, True)


def test_removal_is_asked_for(here: Installation):
    a_dummy(here)
    answer = here.run("instance", "delete", "web")
    assert (answer.code, "needs --yes" in answer.err) == (2, True)
    assert len(here.existing()) == 1
