"""VM templates: whose they are, who needs them, and what becomes of them with service templates."""

from dataclasses import replace

import pytest

from onecore.access import Principal
from onecore.errors import InvalidInput, NotAuthorized, NotFound, WrongState
from onecore.ids import GroupId, ProviderId, UserId
from onecore.store import providers
from onecore.store.providers import Provider
from oneflow import store
from oneflow.model.document import Kind
from oneflow.usecases import documents, templates, vm_templates
from tests.oneflow.builders import a_role, a_template, an_installation, body_of


@pytest.fixture
def deps(tmp_path):
    return an_installation(tmp_path)


def as_bob(deps):
    return replace(deps, principal=Principal(UserId(7), "bob", GroupId(1)))


def a_vm_template(deps, name="small", **fields):
    return int(vm_templates.create(deps, {"name": name, "driver": "dummy", **fields})["DOCUMENT"]["ID"])


def a_provider(deps, permissions=0o600):
    with deps.database.begin() as tx:
        providers.insert(tx, Provider(ProviderId(3), "paid", "dummy", UserId(0), GroupId(0), permissions))


def known(deps):
    """The names of all VM templates, and how many service templates there are."""
    with deps.database.read() as tx:
        return [name for _, name in store.names(tx, Kind.VM_TEMPLATE)], len(store.names(tx, Kind.TEMPLATE))


def test_a_shallow_clone_shares_the_vm_templates(deps):
    number = a_vm_template(deps)
    templates.create(deps, a_template(a_role(vm_template=number)))
    assert body_of(templates.clone(deps, 0, "copy"))["roles"][0]["vm_template"] == number
    assert known(deps) == (["dummy", "small"], 2)


def test_a_deep_clone_copies_each_vm_template_once_for_whoever_asks(deps):
    number = a_vm_template(deps, provision={"latency": 1})
    roles = [a_role("a", vm_template=number), a_role("b", vm_template=number), a_role("c")]
    templates.create(deps, a_template(*roles))
    for kind, document in ((Kind.TEMPLATE, 0), (Kind.VM_TEMPLATE, 0), (Kind.VM_TEMPLATE, number)):
        documents.chmod(deps, kind, document, "o+u")
    cloned = body_of(templates.clone(as_bob(deps), 0, "copy", with_vm_templates=True))
    assert [role["vm_template"] for role in cloned["roles"]] == [3, 3, 2]
    copy = documents.shown(as_bob(deps), Kind.VM_TEMPLATE, 3)["DOCUMENT"]
    assert (copy["NAME"], copy["UID"]) == ("small-copy", "7")
    assert copy["TEMPLATE"]["BODY"] == {"driver": "dummy", "provision": {"latency": 1}}


def test_a_deep_clone_that_may_not_copy_all_copies_nothing(deps):
    first, second = a_vm_template(deps), a_vm_template(deps, "secret")
    templates.create(deps, a_template(a_role("a", vm_template=first), a_role("b", vm_template=second)))
    documents.chmod(deps, Kind.TEMPLATE, 0, "o+u")
    documents.chmod(deps, Kind.VM_TEMPLATE, first, "o+u")
    before = known(deps)
    with pytest.raises(NotAuthorized, match="may not use VM template 2"):
        templates.clone(as_bob(deps), 0, "copy", with_vm_templates=True)
    assert known(deps) == before


def test_a_deep_clone_of_a_vm_template_that_is_gone_says_so(deps):
    templates.create(deps, a_template())
    with deps.database.begin() as tx:
        store.remove(tx, store.get(tx, Kind.VM_TEMPLATE, 0))
    with pytest.raises(NotFound, match="there is no VM template 0"):
        templates.clone(deps, 0, "copy", with_vm_templates=True)


def test_names_of_copies_that_would_be_too_long_are_refused(deps):
    templates.create(deps, a_template(a_role(vm_template=a_vm_template(deps, "n" * 100))))
    with pytest.raises(InvalidInput, match="1 to 128 characters"):
        templates.clone(deps, 0, "c" * 100, with_vm_templates=True)
    assert known(deps)[1] == 1


def test_a_template_is_deleted_with_the_vm_templates_that_nothing_else_needs(deps):
    own, shared, running = (a_vm_template(deps, name) for name in ("own", "shared", "running"))
    roles = [a_role(name, vm_template=number) for name, number in (("a", own), ("b", shared), ("c", running))]
    templates.create(deps, a_template(*roles, a_role("d")))
    templates.create(deps, a_template(a_role(vm_template=shared)))
    templates.create(deps, a_template(a_role(vm_template=running)))
    templates.instantiate(deps, 2)
    templates.delete(deps, 2)
    templates.delete(deps, 0, with_vm_templates=True)
    assert known(deps) == (["dummy", "shared", "running"], 1)


def test_a_template_whose_vm_template_is_anothers_is_not_deleted_with_it(deps):
    number = a_vm_template(deps)
    documents.chmod(deps, Kind.VM_TEMPLATE, number, "o+u")
    templates.create(as_bob(deps), a_template(a_role(vm_template=number)))
    before = known(deps)
    with pytest.raises(NotAuthorized, match="may not manage VM template 1"):
        templates.delete(as_bob(deps), 0, with_vm_templates=True)
    assert known(deps) == before
    templates.delete(as_bob(deps), 0)
    assert known(deps) == (["dummy", "small"], 0)


def test_a_vm_template_that_is_needed_is_not_deleted(deps):
    number = a_vm_template(deps)
    templates.create(deps, a_template(a_role(vm_template=number)))
    with pytest.raises(WrongState, match="VM template 1 is used by service template 0"):
        vm_templates.delete(deps, number)


@pytest.mark.parametrize(("permissions", "allowed"), [(0o600, False), (0o604, True)])
def test_only_who_may_use_a_provider_makes_machines_on_it(deps, permissions, allowed):
    a_provider(deps, permissions)
    asked = {"name": "mine", "driver": "dummy", "provider": "paid"}
    if allowed:
        assert body_of(vm_templates.create(as_bob(deps), asked))["provider"] == 3
        return
    with pytest.raises(NotAuthorized, match="may not use provider 3"):
        vm_templates.create(as_bob(deps), asked)
