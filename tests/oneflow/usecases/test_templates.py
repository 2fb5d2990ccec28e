"""Service templates: what is stored, what is refused, and what a service begins as."""

import pytest

from onecore.errors import InvalidInput, NotFound
from oneflow.model.document import Kind
from oneflow.usecases import documents, reading, services, templates
from tests.oneflow.builders import a_role, a_template, an_installation, body_of


@pytest.fixture
def deps(tmp_path):
    return an_installation(tmp_path)


def test_numbers_are_stored_as_numbers_and_documents_are_numbered_from_0(deps):
    made = templates.create(deps, a_template(a_role(cardinality="2", vm_template="0")))
    assert made["DOCUMENT"]["ID"] == "0"
    assert made["DOCUMENT"]["TYPE"] == "101"
    assert body_of(made)["roles"] == [{"name": "web", "vm_template": 0, "cardinality": 2}]
    assert documents.shown(deps, Kind.TEMPLATE, 0) == made


def test_a_vm_template_that_is_not_there_is_refused_by_name(deps):
    with pytest.raises(InvalidInput, match="Role 'web': there is no VM template 9"):
        templates.create(deps, a_template(a_role(vm_template=9)))
    assert documents.listed(deps, Kind.TEMPLATE) == {"DOCUMENT_POOL": {}}


def test_update_replaces_the_body_and_keeps_the_name_of_the_document(deps):
    templates.create(deps, a_template())
    changed = templates.update(deps, 0, a_template(name="other"))
    assert (changed["DOCUMENT"]["NAME"], body_of(changed)["name"]) == ("app", "other")


def test_a_service_begins_pending_with_what_was_merged_in(deps):
    templates.create(deps, a_template())
    made = templates.instantiate(deps, 0, {"name": "shop", "roles": [{"name": "web", "cardinality": 3}]})
    assert made["DOCUMENT"]["NAME"] == "shop"
    role = body_of(reading.service(deps, 0))["roles"][0]
    assert (role["state"], role["cardinality"], role["nodes"], role["last_vmname"]) == ("0", 3, [], 0)


def test_inputs_without_a_value_are_named(deps):
    templates.create(deps, a_template(custom_attrs={"PORT": "M|number|port"}))
    with pytest.raises(InvalidInput, match=r"Verify that every User Input .*PORT"):
        templates.instantiate(deps, 0)
    made = templates.instantiate(deps, 0, {"custom_attrs_values": {"PORT": "80"}})
    assert made["DOCUMENT"]["ID"] == "0"


def test_values_go_into_the_contents_of_vm_templates(deps):
    role = a_role(vm_template_contents='CONTEXT=[PORT="$PORT", OTHER="$OTHER"]')
    templates.create(deps, a_template(role, custom_attrs={"PORT": "M|number|port"}))
    made = templates.instantiate(deps, 0, {"custom_attrs_values": {"PORT": "80"}})
    assert body_of(made)["roles"][0]["vm_template_contents"] == 'CONTEXT=[PORT="80", OTHER="$OTHER"]'


def test_a_clone_lives_on_after_its_original(deps):
    templates.create(deps, a_template())
    assert body_of(templates.clone(deps, 0, "copy"))["name"] == "copy"
    templates.delete(deps, 0)
    with pytest.raises(NotFound):
        documents.shown(deps, Kind.TEMPLATE, 0)
    assert templates.create(deps, a_template())["DOCUMENT"]["ID"] == "2"


def test_a_page_reads_no_bodies_but_its_own(deps):
    for number in range(4):
        templates.create(deps, a_template(name=f"app{number}"))
    with deps.database.begin() as tx:
        tx.run("UPDATE document SET body = '{' WHERE type = '101' AND id IN (0, 3)")
    page = documents.listed(deps, Kind.TEMPLATE, page=2, per_page=1)["DOCUMENT_POOL"]["DOCUMENT"]
    assert [document["NAME"] for document in page] == ["app1"]
    with pytest.raises(ValueError, match="Expecting"):
        documents.listed(deps, Kind.TEMPLATE)


def test_a_cardinality_outside_the_limits_needs_force(deps):
    templates.create(deps, a_template(a_role(min_vms=1, max_vms=3)))
    templates.instantiate(deps, 0)
    for cardinality, text in ((4, "Maximum cardinality is 3"), (0, "Minimum cardinality is 1")):
        with pytest.raises(InvalidInput, match=text):
            services.scale(deps, 0, services.Scale("web", cardinality))


def test_a_template_is_served_in_the_words_that_it_was_written_in(deps):
    later = {
        "name": "app",
        "user_inputs": {"PORT": "M|number|port"},
        "roles": [{"name": "web", "type": "vm", "template_id": 0, "cardinality": 2}],
    }
    assert body_of(templates.create(deps, later)) == {**later, "deployment": "none"}
    made = templates.instantiate(deps, 0, {"user_inputs_values": {"PORT": "80"}})
    assert body_of(made)["user_inputs_values"] == {"PORT": "80"}
    assert body_of(made)["roles"][0]["template_id"] == 0


def test_both_words_for_one_thing_are_refused(deps):
    with pytest.raises(InvalidInput, match="'template_id' and 'vm_template' are the same"):
        templates.create(deps, a_template(a_role(template_id=0)))
