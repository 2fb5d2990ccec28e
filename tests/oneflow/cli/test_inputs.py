"""Values that a template asks for: at a terminal, in a pipe, and in a file; and editors."""

import json

import pytest

from oneflow.cli.inputs import answers
from tests.oneflow.builders import a_role, a_template
from tests.oneflow.cli.homes import FlowHome
from tests.oneflow.cli.terminal import at_terminal

ASKING = a_template(
    a_role("web", custom_attrs={"SIZE": "O|list|how large|small,large|small"}, on_hold=True),
    custom_attrs={"PORT": "M|range|the port|1..99|80", "KEY": "M|password|the key"},
    on_hold=True,
)


def asked(template, **known):
    """What is asked for whom, and what becomes of the answers."""
    questions = []

    def ask(question, where):
        questions.append((where, question.name))
        return known.get(question.name, question.default)

    return questions, answers(template, ask)


def test_what_has_no_value_is_asked_for_the_service_first_then_for_each_role():
    questions, changes = asked(ASKING, KEY="secret", PORT="8")
    assert questions == [("service", "PORT"), ("service", "KEY"), ("role web", "SIZE")]
    assert changes == {
        "custom_attrs_values": {"PORT": "8", "KEY": "secret"},
        "roles": [{"name": "web", "custom_attrs_values": {"SIZE": "small"}}],
    }


def test_what_the_template_knows_or_fixes_is_not_asked_for():
    template = a_template(
        custom_attrs={"A": "M|text|", "B": "M|fixed|||7"}, custom_attrs_values={"A": "known"}
    )
    assert asked(template) == ([], {"custom_attrs_values": {"B": "7"}})


def test_later_words_are_understood():
    template = {"name": "app", "user_inputs": {"A": "M|text|"}, "roles": [{"name": "web", "template_id": 0}]}
    assert asked(template, A="x") == ([("service", "A")], {"custom_attrs_values": {"A": "x"}})


def test_networks_without_a_value_are_asked_for_and_the_others_stay():
    template = a_template(
        networks={
            "Public": "M|network|the way out||id:0",
            "Private": "M|network|inside",
            "Known": "M|network|",
        },
        networks_values=[{"Known": {"id": 7}}],
    )
    questions, changes = asked(template, Private="template_id:3:VLAN_ID=5")
    assert questions == [("service", "Public"), ("service", "Private")]
    assert changes["networks_values"] == [
        {"Known": {"id": 7}},
        {"Public": {"id": 0}},
        {"Private": {"template_id": 3, "extra": "VLAN_ID=5"}},
    ]


def test_a_template_without_questions_changes_nothing():
    assert asked(a_template()) == ([], {})


@pytest.mark.scenario
def test_at_a_terminal_people_are_asked_until_the_answer_can_be(site: FlowHome):
    site.run("template", "create", typed=json.dumps(ASKING))
    dialog = [("PORT", "100\n"), ("not 100", "8\n"), ("KEY", "secret\n"), ("SIZE", "\n")]
    done = at_terminal(site, "template", "instantiate", 0, "--no-wait", dialog=dialog)
    assert done.out == "ID: 0\n"
    assert "service: PORT: the port (1 to 99) [80]:" in done.err
    assert "PORT is from 1 to 99, not 100" in done.err
    assert "role web: SIZE: how large (small/large, optional) [small]:" in done.err
    assert "secret" not in done.err
    body = site.run("show", 0, "-j").json["DOCUMENT"]["TEMPLATE"]["BODY"]
    assert body["custom_attrs_values"] == {"PORT": "8", "KEY": "secret"}
    assert body["roles"][0]["custom_attrs_values"] == {"SIZE": "small"}


@pytest.mark.scenario
def test_in_a_pipe_nothing_is_asked_and_what_is_missing_is_named(site: FlowHome):
    site.run("template", "create", typed=json.dumps(ASKING))
    refused = site.run("template", "instantiate", 0, typed="8\nsecret\n", code=2)
    assert "service lacks KEY" in refused.err
    assert "custom_attrs_values" in refused.err
    assert site.run("list", "--no-header").out == ""


@pytest.mark.scenario
def test_without_a_file_an_editor_begins_with_what_is_there_and_with_one_none_is_opened(site: FlowHome):
    site.run("template", "create", typed=json.dumps(a_template(description="first")))
    editor = {"EDITOR": "sed -i s/first/second/"}
    at_terminal(site, "template", "update", 0, environ=editor)
    assert described(site) == "second"
    changed = site.folder / "changed.json"
    changed.write_text(json.dumps(a_template(description="third")))
    at_terminal(site, "template", "update", 0, changed, environ={"EDITOR": "false"})
    assert described(site) == "third"


def described(site: FlowHome) -> object:
    body = site.run("template", "show", 0, "-j").json["DOCUMENT"]["TEMPLATE"]["BODY"]
    return body.get("description")
