"""Providers: read from files and options, kept encrypted, shown masked, and refused where they do not fit."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.oneprovision.test_accounts import a_user
from tests.oneprovision.test_drivers_cli import a_registry
from tests.scenario.installation import Installation, template, written

TOKEN = "t0ken-0123456789-abcdef"
MANIFEST = "secrets: {token: OLD_TOKEN, zone: OLD_ZONE}\n"


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    """With a driver `old` without a manifest, and one, `new`, that declares two secrets."""
    a_registry(tmp_path, "old")
    (a_registry(tmp_path, "new") / "driver.yaml").write_text(MANIFEST)
    return Installation(tmp_path / "home", {"ONE_REMOTES": str(tmp_path / "remotes")})


def a_file(here: Installation, text: str) -> str:
    return written(here.home.parent / "provider.yaml", text)


def a_provider(here: Installation, name: str = "ams") -> None:
    text = f"name: {name}\ndriver: new\nconnection: {{token: {TOKEN}, zone: north}}\n"
    here.ok("provider", "create", a_file(here, text))


def body(here: Installation, *options: str, provider: str = "ams") -> dict[str, Any]:
    document = json.loads(here.ok("provider", "show", provider, "-j", *options))["DOCUMENT"]
    found: dict[str, Any] = document["TEMPLATE"]["PROVIDER_BODY"]
    return found


# -- create ----------------------------------------


def test_a_provider_from_a_file_is_a_document_of_type_103(here: Installation) -> None:
    a_provider(here)
    document = json.loads(here.ok("provider", "show", "0", "-j"))["DOCUMENT"]
    assert (document["TYPE"], document["NAME"], document["UNAME"]) == ("103", "ams", "oneadmin")
    assert document["TEMPLATE"]["PROVIDER_BODY"]["driver"] == "new"


def test_the_spelling_of_6_is_taken(here: Installation) -> None:
    text = """
name: frankfurt
provider: dummy
description: as the old tool wrote it
plain: {image: AWS, location_key: region}
inputs:
  - {name: plan, type: list, options: [large, small]}
  - {name: location, type: text, default: south}
  - {name: asked, type: text}
"""
    here.ok("provider", "create", a_file(here, text))
    shown = body(here, provider="frankfurt")
    assert (shown["driver"], shown["description"]) == ("dummy", "as the old tool wrote it")
    assert shown["parameters"] == {"plan": "large", "location": "south"}


def test_a_provider_from_options_takes_secrets_from_a_file_and_from_standard_input(
    here: Installation, tmp_path: Path
) -> None:
    written(tmp_path / "token", TOKEN + "\n")
    answer = here.run(
        *("provider", "create", "--name", "ams", "--driver", "new", "--set", "plan=big"),
        *("--connection", f"token=@{tmp_path / 'token'}", "--connection", "zone=-"),
        stdin=b"north\n",
    )
    assert (answer.code, answer.out) == (0, "ID: 0\n")
    assert body(here, "--sensitive")["connection"] == {"token": TOKEN, "zone": "north"}
    assert body(here)["parameters"] == {"plan": "big"}


def test_options_lie_over_the_file(here: Installation) -> None:
    file = a_file(here, "name: a\ndriver: new\nconnection: {token: from-file, zone: north}\n")
    here.ok("provider", "create", file, "--name", "ams", "--connection", "zone=south")
    assert body(here, "-s")["connection"] == {"token": "from-file", "zone": "south"}


def test_a_number_is_kept_as_it_was_written(here: Installation) -> None:
    here.ok(
        "provider", "create", a_file(here, "{name: ams, driver: old, connection: {pin: 0123, on: yes}}\n")
    )
    assert body(here, "-s")["connection"] == {"pin": "0123", "on": "yes"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("driver: old", "the name of the provider is missing"),
        ("name: x", "the driver of the provider is missing"),
        ("{name: x, driver: nothere}", "there is no driver 'nothere'"),
        ("{name: x, driver: old, provider: new}", "name two drivers"),
        ("{name: 7, driver: old}", "must not be a number"),
        (f"{{name: x, driver: old, conection: {{token: {TOKEN}}}}}", "did you mean 'connection'"),
        (f"{{name: x, driver: new, connection: {{tokken: {TOKEN}, zone: a}}}}", "did you mean 'token'"),
        ("{name: x, driver: new, connection: {zone: a}}", "needs the connection value token"),
        ("{name: x, driver: new}", "connection values token and zone"),
        (f"{{name: x, driver: dummy, connection: {{token: {TOKEN}}}}}", "takes no connection value 'token'"),
        (f"{{name: x, driver: old, connection: {TOKEN}}}", "not a mapping"),
        (f"{{name: x, driver: old, connection: {{token: [{TOKEN}]}}}}", "this is a list"),
        ("{name: x, driver: old, connection: {token: '   '}}", "connection.token is empty"),
        ("{name: x, driver: old, connection: {token: '*****'}}", "connection.token is a mask"),
        (f"{{name: x, driver: old, connection: {{path: {TOKEN}}}}}", "'path' cannot be the name"),
        (f"{{name: x, driver: old, connection: {{ld_preload: {TOKEN}}}}}", "'ld_preload' cannot be"),
        (f"{{name: x, driver: old, parameters: {{'a b': {TOKEN}}}}}", "'a b' cannot be the name"),
        (f"name: x\ndriver: old\nconnection:\n  token: *{TOKEN}\n", "provider.yaml:4: this is neither"),
        (f"name: x\nconnection: !{TOKEN} a\n", "this is neither YAML nor JSON"),
    ],
)
def test_what_does_not_fit_is_refused_without_telling_a_secret(
    text: str, told: str, here: Installation
) -> None:
    here.ok("provider", "list")
    before = here.stored()
    answer = here.run("provider", "create", a_file(here, text))
    assert answer.code in (2, 3)
    assert answer.is_clear
    assert told in answer.err
    assert TOKEN not in answer.err
    assert here.stored() == before


def test_a_name_that_is_taken_is_refused(here: Installation) -> None:
    a_provider(here)
    a_provider(here, "fra")
    answer = here.run("provider", "rename", "fra", "ams")
    assert (answer.code, answer.is_clear) == (2, True)
    assert "there is a provider 'ams' already: 0" in answer.err


# -- at rest and on show ----------------------------------------


def test_secrets_are_encrypted_at_rest_with_a_private_key(here: Installation) -> None:
    a_provider(here)
    assert not [f for f in here.home.rglob("*") if f.is_file() and TOKEN.encode() in f.read_bytes()]
    assert stat.S_IMODE((here.home / "key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "command", [["show", "0"], ["show", "0", "-j"], ["show", "0", "-y"], ["list"], ["list", "-j"]]
)
def test_secrets_are_masked_on_show(command: list[str], here: Installation) -> None:
    a_provider(here)
    text = here.ok("provider", *command)
    assert TOKEN not in text
    assert command == ["list"] or "************" in text


def test_parameters_with_telling_names_are_masked_too(here: Installation) -> None:
    file = a_file(here, f"{{name: ams, driver: dummy, parameters: {{api_token: {TOKEN}, plan: small}}}}")
    here.ok("provider", "create", file)
    assert body(here)["parameters"] == {"api_token": "*****", "plan": "small"}
    here.ok("provider", "update", "ams", a_file(here, "{parameters: {api_token: '*****', plan: big}}"))
    assert body(here, "--sensitive")["parameters"] == {"api_token": TOKEN, "plan": "big"}


def test_a_lost_key_is_said_and_entering_the_values_again_repairs_it(here: Installation) -> None:
    a_provider(here)
    (here.home / "key").unlink()
    answer = here.run("provider", "show", "ams")
    assert (answer.code, answer.is_clear) == (1, True)
    assert "provider update" in answer.err
    some = here.run("provider", "update", "ams", a_file(here, "connection: {token: new-token}"))
    assert "needs the connection value zone" in some.err
    here.ok("provider", "update", "ams", a_file(here, "connection: {token: new-token, zone: south}"))
    assert body(here, "-s")["connection"] == {"token": "new-token", "zone": "south"}


# -- update ----------------------------------------


@pytest.mark.parametrize("mask", ["*****", "************", "__redacted__"])
def test_an_update_merges_the_connection_and_takes_no_mask_for_a_value(mask: str, here: Installation) -> None:
    a_provider(here)
    here.ok("provider", "update", "ams", a_file(here, f"connection: {{token: '{mask}', zone: south}}"))
    assert body(here, "-s")["connection"] == {"token": TOKEN, "zone": "south"}


def test_what_show_prints_can_be_edited_and_given_back(here: Installation) -> None:
    a_provider(here)
    document = json.loads(here.ok("provider", "show", "ams", "-j"))
    document["DOCUMENT"]["TEMPLATE"]["PROVIDER_BODY"]["description"] = "edited"
    answer = here.run("provider", "update", "ams", "-", stdin=json.dumps(document).encode())
    assert answer.code == 0, answer.err
    shown = body(here, "--sensitive")
    assert (shown["description"], shown["connection"]["token"]) == ("edited", TOKEN)


def test_the_driver_of_a_provider_stays(here: Installation) -> None:
    a_provider(here)
    answer = here.run("provider", "update", "ams", a_file(here, "driver: old"))
    assert (answer.code, answer.is_clear) == (2, True)
    assert "cannot be changed" in answer.err


# -- use and deletion ----------------------------------------


def test_driver_and_parameters_of_the_provider_lie_below_the_templates(
    here: Installation, tmp_path: Path
) -> None:
    here.ok("provider", "create", a_file(here, "{name: d, driver: dummy, parameters: {cpu: 41, memory: 7}}"))
    text = "name: t\nhosts:\n- provision: {count: 1, memory: 8}\n"
    here.ok("create", written(tmp_path / "c.yaml", text), "--provider", "d")
    here.ok("retry", "0", "--force")
    (host,) = json.loads(here.ok("show", "0", "-j"))["DOCUMENT"]["TEMPLATE"]["PROVISION_BODY"]["one_objects"][
        "hosts"
    ]
    assert (host["metrics"]["CPU"], host["metrics"]["MEMORY"]) == ("41", "8")


def test_a_provider_in_use_cannot_be_deleted_until_its_provisions_are_done(
    here: Installation, tmp_path: Path
) -> None:
    here.ok("provider", "create", a_file(here, "{name: d, driver: dummy}"))
    for _ in range(2):
        here.ok("create", template(tmp_path), "--provider", "d")
    assert body(here, provider="d")["provision_ids"] == [0, 1]
    answer = here.run("provider", "delete", "d")
    assert (answer.code, answer.is_clear) == (5, True)
    assert "provider 'd' is used by provisions 0 and 1" in answer.err
    here.ok("deprovision", "0,1", "--yes")
    here.ok("provider", "delete", "d")
    assert here.run("provider", "show", "0").code == 3
    assert "DONE" in here.ok("show", "0")


def test_the_provider_of_another_is_his_own(here: Installation, tmp_path: Path) -> None:
    a_provider(here)
    alice = a_user(here, "alice")
    alice = Installation(here.home, {**here.environ, **alice.environ})
    assert json.loads(alice.ok("provider", "list", "-j")) == {"DOCUMENT_POOL": {"DOCUMENT": []}}
    file = a_file(here, "description: mine")
    for command in (["show", "0"], ["update", "0", file], ["delete", "0"], ["chown", "0", "alice"]):
        answer = alice.run("provider", *command)
        assert (answer.code, answer.is_clear) == (4, True), command
    answer = alice.run("create", template(tmp_path, driver="new"), "--provider", "ams")
    assert answer.code == 4
    here.ok("provider", "chmod", "ams", "644")
    assert TOKEN not in alice.ok("provider", "show", "0")
    assert alice.run("provider", "show", "0", "--sensitive").code == 4
    here.ok("provider", "chown", "ams", "alice", "users")
    assert TOKEN in alice.ok("provider", "show", "0", "--sensitive")
