import json

import pytest

from onecore.errors import InvalidInput
from oneprovision.model.template import prepare
from tests.oneprovision.model.builders import a_document, a_template


def test_the_least_template_has_a_name_and_gets_its_version():
    assert a_template("name: web") == {"version": 1, "name": "web"}


def test_the_result_is_plain_data():
    template = a_template("name: web\nhosts:\n- provision: {count: '3', plan: 010, big: yes}\n")
    assert json.loads(json.dumps(template)) == template
    assert template["hosts"] == [{"provision": {"count": 3, "plan": "010", "big": True}}]


def test_unknown_sections_are_kept():
    text = "name: web\nimages: [{name: x}]\nfireedge: {logo: a.png}\n"
    assert a_template(text)["images"] == [{"name": "x"}]
    assert a_template(text)["fireedge"] == {"logo": "a.png"}


def test_empty_sections_are_no_mistake():
    assert a_template(
        "name: web\nhosts:\ndefaults:\n  provision:\nnetworks:\n- name: a\n  vn_mad: b\n  ar:\n"
    )


@pytest.mark.parametrize("version", ["1", "'1'", '"1"'])
def test_version_one_is_the_only_one_in_any_spelling(version):
    assert a_template(f"name: web\nversion: {version}")["version"] == 1


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("hosts: []", "cluster.yaml:1: 'name' is missing", ""),
        ("name: web\nversion: 2", "cluster.yaml:2: version: 2 is not one of: 1", ""),
        ("name: 12", "cluster.yaml:1: name: the provision name '12' is a number", "another name"),
        ("name: web\nhost: []", "cluster.yaml:2: host: 'host' is not a section", "did you mean 'hosts'?"),
        ("name: web\nhosts: 3", "cluster.yaml:2: hosts: 3 is not a list", ""),
        (
            "name: w\nhosts:\n- provision:\n    count: many",
            "cluster.yaml:4: hosts[0].provision.count: 'many'",
            "",
        ),
        (
            "name: w\nhosts:\n- provision:\n    count: -1",
            "cluster.yaml:4: hosts[0].provision.count: -1 is",
            "",
        ),
        ("name: w\nhosts:\n- connection:\n    remote_usr: a", "did you mean 'remote_user'?", ""),
        (
            "name: w\nhosts:\n- connection:\n    remote_port: 70000",
            "hosts[0].connection.remote_port: 70000",
            "",
        ),
        (
            "name: w\ndatastores:\n- name: d",
            "cluster.yaml:3: datastores[0]: 'tm_mad' is missing",
            "defaults.tm_mad",
        ),
        (
            "name: w\ndatastores:\n- {name: d, tm_mad: ssh}",
            "datastores[0]: 'ds_mad' or 'type' is missing",
            "",
        ),
        (
            "name: w\nnetworks:\n- name: n",
            "cluster.yaml:3: networks[0]: 'vn_mad' is missing",
            "defaults.vn_mad",
        ),
        ("name: w\nnetworks:\n- vn_mad: n", "cluster.yaml:3: networks[0]: 'name' is missing", ""),
        (
            "name: w\ninputs:\n- type: fast\n  name: a",
            "cluster.yaml:3: inputs[0].type: 'fast' is not one of",
            "",
        ),
        ("name: w\ninputs:\n- {type: list, name: a}", "cluster.yaml:3: inputs[0]: an input of type list", ""),
        (
            "name: w\ninputs:\n- name: a\n- name: a",
            "cluster.yaml:4: inputs[1].name: there are two inputs",
            "",
        ),
        (
            "name: w\ncluster:\n  a: <%= `ls` %>",
            "cluster.yaml:3: cluster.a: '<%= `ls` %>' is Ruby code",
            "@name",
        ),
        ("name: w\nhosts:\n- a: ${nope}", "cluster.yaml:3: hosts[0].a: '${nope}' is not a variable", ""),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text, message, hint):
    with pytest.raises(InvalidInput) as caught:
        a_template(text)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_defaults_may_carry_what_every_object_needs():
    defaults = "defaults: {tm_mad: ssh, ds_mad: fs, vn_mad: bridge}\n"
    assert a_template(f"name: w\n{defaults}datastores: [{{name: d}}]\nnetworks: [{{name: n}}]\n")


def test_files_are_merged_from_parent_to_child():
    parent = a_document(
        "name: a\nextends: x\nhosts: [{a: 1}]\ndefaults: {provision: {plan: s}}", "parent.yaml"
    )
    child = a_document("name: b\nhosts: [{a: 2}]\ndefaults: {provision: {size: 1}}", "child.yaml")
    assert prepare([parent, child]) == {
        "version": 1,
        "name": "b",
        "hosts": [{"a": 1}, {"a": 2}],
        "defaults": {"provision": {"plan": "s", "size": "1"}},
    }


def test_an_error_names_the_file_it_is_in():
    parent = a_document("name: a\ndatastores:\n- {name: d, tm_mad: ssh, type: x}\n- name: e", "parent.yaml")
    child = a_document("name: b\ndatastores:\n- {name: f, tm_mad: ssh, type: x}", "child.yaml")
    with pytest.raises(InvalidInput, match=r"^parent.yaml:4: datastores\[1\]: 'tm_mad' is missing"):
        prepare([parent, child])


def test_a_child_changes_an_input_by_declaring_it_again():
    parent = a_document("name: a\ninputs: [{name: x, default: 1}, {name: y, default: 1}]")
    child = a_document("inputs: [{name: x, default: 2}]")
    assert prepare([parent, child])["inputs"] == [{"name": "x", "default": 2}, {"name": "y", "default": 1}]


def test_a_set_value_is_checked_like_a_written_one():
    text = "name: w\nhosts: [{provision: {count: 1}}]"
    assert a_template(text, "hosts.0.provision.count=5")["hosts"] == [{"provision": {"count": 5}}]
    with pytest.raises(InvalidInput, match=r"^--set: hosts\[0\].provision.count: 'many' is not an integer"):
        a_template(text, "hosts.0.provision.count=many")


def test_a_set_value_may_supply_what_the_file_lacks():
    assert a_template("name: w\nnetworks: [{name: n}]", "networks.0.vn_mad=bridge")
    assert a_template("hosts: []", "name=web")["name"] == "web"


def test_preparing_a_prepared_template_changes_nothing():
    text = "name: w\nhosts: [{a: 1, provision: {count: '2', x: 1.10}}]\ninputs: [{name: a, default: 1}]"
    once = a_template(text)
    assert a_template(json.dumps(once)) == once
