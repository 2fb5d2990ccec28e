"""What the files of single instances say, in the lines of the tool of spec/002 and in YAML."""

from typing import Any

import pytest

from onecore.errors import InvalidInput
from oneprovision.model.instance import InstanceForm, WaitType, parse, parse_lines, template_of, wait_type

PROD = """
# a server
provider: linode
action:   createInstance
waitType: waitForResourceCreation

region: us-east
type: g6-nanode-1
image: linode/debian12
label: web
root_pass: p#a: b@c
authorized_keys: ssh-ed25519 AAAA one@host
authorized_keys: ssh-ed25519 BBBB two@host
"""


def form(text: str) -> InstanceForm:
    lines = parse_lines(text)
    assert lines is not None
    return parse(lines)


def test_a_file_of_the_old_tool_is_read_as_it_is():
    said = form(PROD)
    assert (said.provider, said.name, said.wait) == ("linode", "web", WaitType.CREATED)
    assert said.parameters == {
        "region": "us-east",
        "type": "g6-nanode-1",
        "image": "linode/debian12",
        "label": "web",
        "root_pass": "p#a: b@c",
        "authorized_keys": "ssh-ed25519 AAAA one@host,ssh-ed25519 BBBB two@host",
    }


@pytest.mark.parametrize(
    "text",
    ["hosts:\n- a", "a: [1, 2]", 'a: "quoted"', "a: {b: c}", "a: |\n  text", "just words", "a:", "  a: b"],
)
def test_what_is_more_than_lines_is_left_to_yaml(text: str):
    assert parse_lines(text) is None


def test_the_old_name_of_a_driver_is_taken():
    assert form("provider: digital_ocean\nname: web").provider == "digitalocean"


@pytest.mark.parametrize("key", ["waitType", "wait_type", "wait", "WAITTYPE"])
@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("returnImmediately", WaitType.IMMEDIATE),
        ("waitForResourceCreation", WaitType.CREATED),
        ("waitForResourceFinalised", WaitType.FINALISED),
        ("finalised", WaitType.FINALISED),
    ],
)
def test_the_three_ways_to_wait_have_two_names_each(key: str, word: str, kind: WaitType):
    assert form(f"{key}: {word}").wait is kind


def test_an_unknown_way_to_wait_is_refused_with_those_there_are():
    with pytest.raises(InvalidInput, match="'forever' is no way to wait") as caught:
        wait_type("forever")
    assert "immediate, created, finalised" in caught.value.hint


def test_a_file_that_asks_for_a_removal_creates_nothing():
    with pytest.raises(InvalidInput, match="deleteInstance") as caught:
        form("action: deleteInstance\nprovider: vultr")
    assert "instance delete" in caught.value.hint


def test_options_are_laid_over_the_file():
    options = InstanceForm(provider="ams", parameters={"plan": "big"})
    said = options.over(parse({"provider": "vultr", "name": "web", "plan": "small", "region": "ams"}))
    assert (said.provider, said.name) == ("ams", "web")
    assert said.parameters == {"plan": "big", "region": "ams"}


def test_nested_values_are_refused():
    with pytest.raises(InvalidInput, match="no nested values"):
        parse({"metadata": {"a": "b"}})


def test_how_to_log_in_is_no_parameter_of_the_machine():
    said = parse({"remote_user": "admin", "remote_port": 2222, "region": "ams"})
    assert dict(said.connection) == {"remote_user": "admin", "remote_port": 2222}
    assert said.parameters == {"region": "ams"}


def test_no_value_is_taken_for_a_marker():
    template: Any = template_of(InstanceForm(name="web", parameters={"root_pass": "a${index}b"}), "dummy")
    assert template["hosts"][0]["provision"]["root_pass"] == "a$${index}b"


def test_a_form_shows_no_parameter():
    assert "s3cr3t" not in repr(InstanceForm(parameters={"root_pass": "s3cr3t"}))
