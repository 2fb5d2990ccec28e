"""What commands print: text for people, JSON and YAML as one document, CSV for spreadsheets; and edits."""

import csv
import io

import pytest
import yaml

from tests.scenario.command import Home

pytestmark = pytest.mark.scenario


@pytest.fixture
def web(home: Home) -> Home:
    home.create("input.public_ips=1", options=("--name", "web"), hosts=2)
    return home


def test_list_in_every_form(web: Home):
    text = web.run("list").out.splitlines()
    assert text[0].split() == ["ID", "USER", "GROUP", "NAME", "HOSTS", "STATE", "REGTIME"]
    assert text[1].split()[:6] == ["0", "oneadmin", "oneadmin", "web", "2", "RUNNING"]
    rows = list(csv.reader(io.StringIO(web.run("list", "--csv").out)))
    assert rows[0] == text[0].split()
    assert rows[1][:6] == text[1].split()[:6]
    document = web.run("list", "-j").json
    assert document["DOCUMENT_POOL"]["DOCUMENT"][0]["NAME"] == "web"
    assert yaml.safe_load(web.run("list", "-y").out) == document


def test_list_leaves_out_what_is_over_unless_asked(web: Home):
    web.run("deprovision", "web", "--yes")
    only_names = ("-l", "NAME,STATE", "--csv", "--no-header")
    assert web.run("list", *only_names).out == ""
    assert web.run("list", "--all", *only_names).out == "web,DONE\n"


def test_list_filters(web: Home):
    web.create(options=("--name", "shop", "--no-wait"))
    shown = web.run("list", "-f", "STATE=RUNNING", "-l", "NAME", "--csv", "--no-header").out
    assert shown == "web\n"


def test_show_in_every_form(web: Home):
    document = web.run("show", 0, "-j").json
    assert yaml.safe_load(web.run("show", 0, "-y").out) == document
    text = web.run("show", "web").out
    for title in ("PROVISION 0 INFORMATION", "HOSTS", "NETWORKS", "ADDRESS RANGES", "PROVISION HISTORIC"):
        assert title in text.splitlines()
    for host in document["DOCUMENT"]["TEMPLATE"]["PROVISION_BODY"]["one_objects"]["hosts"]:
        assert host["name"] in text
        assert host["ip"] in text
        assert host["resource_id"] in text


def test_everything_outside_the_body_of_a_document_is_text(web: Home):
    document = web.run("show", 0, "-j").json["DOCUMENT"]
    head = {key: value for key, value in document.items() if key not in ("TEMPLATE", "PERMISSIONS")}
    assert {type(value) for value in (*head.values(), *document["PERMISSIONS"].values())} == {str}
    assert document["TYPE"] == "104"


@pytest.mark.parametrize(
    "argv",
    [("add-host", "0"), ("del-host", "0", "--host-ids", "0"), ("add-ip", "0"), ("retry", "0", "--force")],
)
def test_what_acts_prints_the_document_when_asked_and_else_nothing(web: Home, argv: tuple[str, ...]):
    if argv[0] != "del-host":
        assert web.run(*argv).out == ""
    assert web.run(*argv, "-j").body["state"] == "RUNNING"


def test_two_forms_at_once_are_refused(web: Home):
    assert "choose one of" in web.run("list", "-j", "-y", code=2).err


def test_rename_and_update(web: Home):
    web.run("rename", 0, "shop")
    web.run("update", "shop", "--set", "description=the web tier", "--set", "tags.team=blue")
    body = web.show("shop")
    assert (body["name"], body["description"], body["tags"]) == ("shop", "the web tier", {"team": "blue"})
    file = web.folder / "changes.yaml"
    file.write_text("name: store\ntags: {team: red, floor: 2}\n")
    web.run("update", 0, file)
    web.run("update", 0, "-", typed='{"description": "from standard input"}')
    body = web.show(0)
    assert (body["name"], body["tags"]) == ("store", {"team": "red", "floor": "2"})
    assert body["description"] == "from standard input"


def test_the_document_has_the_new_name_outside_too(web: Home):
    web.run("rename", 0, "shop")
    assert web.run("show", 0, "-j").json["DOCUMENT"]["NAME"] == "shop"


def test_update_refuses_what_only_a_scale_can_change(web: Home):
    refused = web.run("update", 0, "--set", "state=DONE", code=2)
    assert "name, description and tags can be" in refused.err


def test_chmod_chown_and_chgrp(web: Home):
    web.run("chmod", 0, "640")
    web.run("chown", 0, "oneadmin", "users")
    document = web.run("show", 0, "-j").json["DOCUMENT"]
    bits = document["PERMISSIONS"]
    granted = {name for name, bit in bits.items() if bit == "1"}
    assert granted == {"OWNER_U", "OWNER_M", "GROUP_U"}
    assert (document["UNAME"], document["GNAME"]) == ("oneadmin", "users")
    web.run("chgrp", 0, "0")
    assert web.run("show", 0, "-j").json["DOCUMENT"]["GNAME"] == "oneadmin"
    web.run("chown", 0, "nobody", code=3)
    web.run("chmod", 0, "9", code=2)


def test_both_names_of_a_command_work(web: Home):
    web.run("undeploy", 0, "--yes")
    assert web.state() == "DONE"


def test_an_error_in_json_is_one_object_after_the_progress(web: Home):
    refused = web.run("show", "shop", "-j", code=3)
    assert refused.error["exit_code"] == 3
    assert "did you mean" not in refused.out
