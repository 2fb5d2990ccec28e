"""Records are read as they were written, and only their changeable part changes."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.access import Principal
from onecore.errors import NotFound
from onecore.ids import GroupId, ProviderId, UserId
from onecore.machines.model import Kind, Resource, State, Wanted
from onecore.store import accounts, events, providers, resources
from onecore.store.engine import Transaction
from onecore.store.providers import Provider
from tests.onecore.store.builders import a_resource, opened

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TIME = st.floats(0, 4e9)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
RESOURCE = st.builds(
    Resource,
    id=st.integers(0, 2**31),
    kind=st.sampled_from(Kind),
    name=TEXT,
    owner=TEXT,
    driver=TEXT,
    provider_id=st.none(),
    number=st.integers(0, 2**31),
    label=TEXT,
    wanted=st.sampled_from(Wanted),
    state=st.sampled_from(State),
    deploy_id=TEXT,
    deployment=st.dictionaries(TEXT, JSON, max_size=3),
    lag_s=TIME,
    addresses=st.lists(TEXT, max_size=3).map(tuple),
    metrics=st.dictionaries(TEXT, TEXT, max_size=3),
    failures=st.integers(0, 100),
    since=TIME,
    next_at=TIME,
    error=TEXT,
)
FIXED = ("id", "kind", "name", "driver", "provider_id", "number", "label", "deployment", "lag_s")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory):
    with opened(tmp_path_factory.mktemp("store") / "one.db") as database:
        yield database


class Undo(Exception):
    """Ends a transaction without a trace."""


@pytest.fixture
def tx(tmp_path: Path):
    with opened(tmp_path / "one.db") as database, database.begin() as tx:
        yield tx


def a_provider(number: int = 0, **changed) -> Provider:
    given = {"driver": "dummy", "uid": UserId(0), "gid": GroupId(0), "permissions": 0o640}
    return Provider(ProviderId(number), changed.pop("name", f"cloud-{number}"), **{**given, **changed})


# -- resources ---------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(RESOURCE, RESOURCE)
def test_a_resource_is_read_as_written_and_keeps_what_it_is(database, before, after):
    with pytest.raises(Undo), database.begin() as tx:
        resources.insert(tx, before)
        assert resources.everything(tx) == [before]
        resources.update(tx, [replace(after, id=before.id)])
        kept = {name: getattr(before, name) for name in FIXED}
        assert resources.everything(tx) == [replace(after, **kept)]
        raise Undo


def test_resources_of_an_owner_come_oldest_first(tx: Transaction):
    for number, owner in ((5, "provision/0"), (2, "provision/0"), (3, "provision/1")):
        resources.insert(tx, a_resource(number, owner=owner))
    assert [r.id for r in resources.of_owner(tx, "provision/0")] == [2, 5]
    assert [r.id for r in resources.everything(tx)] == [2, 3, 5]


def test_no_two_resources_have_one_name(tx: Transaction):
    resources.insert(tx, a_resource(0, name="provision-a"))
    with pytest.raises(sqlite3.IntegrityError):
        resources.insert(tx, a_resource(1, name="provision-a"))


def test_an_operation_is_open_until_it_has_an_end(tx: Transaction):
    machine = a_resource(4, failures=2)
    number = resources.begin_operation(tx, machine, "deploy", 7, 10.0, 20.0)
    (found,) = resources.open_operations(tx, machine.owner)
    assert (found.id, found.resource_id, found.verb) == (number, 4, "deploy")
    assert (found.started_at, found.deadline) == (10.0, 20.0)
    assert resources.open_operations(tx, "provision/9") == []
    assert resources.open_ids(tx) == {number}
    resources.end_operations(tx, [(number, 11.0, "ok", "id-1")])
    assert resources.open_operations(tx, machine.owner) == []
    assert resources.open_ids(tx) == set()
    (row,) = tx.all("SELECT attempt, token, ended_at, outcome, answer FROM operation")
    assert tuple(row) == (3, 7, 11.0, "ok", "id-1")


def test_the_first_end_of_an_operation_counts_and_a_long_answer_is_cut(tx: Transaction):
    number = resources.begin_operation(tx, a_resource(), "deploy", 1, 0.0, 1.0)
    resources.end_operations(tx, [(number, 2.0, "failed", "x" * 10_000)])
    resources.end_operations(tx, [(number, 3.0, "ok", "")])
    (row,) = tx.all("SELECT ended_at, outcome, length(answer) FROM operation")
    assert tuple(row) == (2.0, "failed", 4000)


def test_a_resource_goes_with_its_journal_and_the_numbers_are_not_given_again(tx: Transaction):
    for number in (0, 1):
        resources.insert(tx, a_resource(number))
    last = [resources.begin_operation(tx, a_resource(n), "deploy", 1, 0.0, 1.0) for n in (0, 1)][-1]
    resources.remove(tx, 1)
    assert [r.id for r in resources.everything(tx)] == [0]
    assert resources.begin_operation(tx, a_resource(0), "deploy", 1, 0.0, 1.0) == last + 1


# -- events ------------------------------------------------------------------------------------------------


def test_events_are_read_by_subject_from_a_place_on_and_by_action(tx: Transaction):
    events.add(tx, "provision/0", 1.0, "Plan", "first")
    events.add(tx, "provision/1", 2.0, "Plan", "of another")
    events.add(tx, "provision/0", 3.0, "State changed", "second", "E")
    first, second = events.of(tx, "provision/0")
    assert (first.at, first.level, first.action, first.text) == (1.0, "I", "Plan", "first")
    assert (second.level, second.text) == ("E", "second")
    assert events.of(tx, "provision/0", after=first.id) == [second]
    assert events.of(tx, "provision/0", action="Plan") == [first]
    assert events.of(tx, "provision/9") == []


# -- accounts ----------------------------------------------------------------------------------------------


def test_a_new_installation_has_one_user_and_two_groups(tx: Transaction):
    accounts.seed(tx, "hash")
    (admin,) = accounts.users(tx)
    assert (admin.id, admin.name, admin.password, admin.gid) == (0, "oneadmin", "hash", 0)
    assert accounts.groups(tx) == [(0, "oneadmin"), (1, "users")]
    assert accounts.principal(admin) == Principal(UserId(0), "oneadmin", GroupId(0), frozenset({GroupId(0)}))


def test_users_and_groups_are_found_by_id_and_by_name(tx: Transaction):
    accounts.seed(tx, "hash")
    ann = accounts.add_user(tx, "ann", "secret", accounts.USERS_GROUP)
    ops = accounts.add_group(tx, "ops")
    assert {accounts.user_id(tx, "ann"), accounts.user_id(tx, str(ann))} == {ann}
    assert {accounts.group_id(tx, "ops"), accounts.group_id(tx, str(ops))} == {ops}
    assert accounts.user_named(tx, "ann").password == "secret"
    accounts.set_password(tx, ann, "other")
    assert accounts.user_named(tx, "ann").password == "other"


def test_who_is_removed_is_gone_and_the_number_is_not_given_again(tx: Transaction):
    accounts.seed(tx, "hash")
    ann = accounts.add_user(tx, "ann", "", accounts.USERS_GROUP)
    accounts.remove_user(tx, ann)
    ops = accounts.add_group(tx, "ops")
    accounts.remove_group(tx, ops)
    assert accounts.add_user(tx, "ann", "", accounts.USERS_GROUP) == ann + 1
    assert accounts.add_group(tx, "ops") == ops + 1


@pytest.mark.parametrize("ask", [accounts.user_id, accounts.user_named, accounts.group_id])
@pytest.mark.parametrize("selector", ["nobody", "7", "", "0 ", "-1"])
def test_who_is_unknown_is_said(tx: Transaction, ask, selector):
    accounts.seed(tx, "hash")
    with pytest.raises(NotFound, match=f"'{selector}'") as refused:
        ask(tx, selector)
    assert "list" in refused.value.hint


@pytest.mark.parametrize(
    "add",
    [
        lambda tx: accounts.add_user(tx, "oneadmin", "", GroupId(0)),
        lambda tx: accounts.add_group(tx, "users"),
    ],
)
def test_no_two_have_one_name(tx: Transaction, add):
    accounts.seed(tx, "hash")
    with pytest.raises(sqlite3.IntegrityError):
        add(tx)


# -- providers ---------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(st.dictionaries(TEXT, JSON, max_size=3), TEXT, TEXT, TIME)
def test_a_provider_is_read_as_written(database, parameters, description, sealed, at):
    provider = a_provider(parameters=parameters, description=description, sealed=sealed, created_at=at)
    with pytest.raises(Undo), database.begin() as tx:
        providers.insert(tx, provider)
        assert providers.get(tx, 0) == provider
        assert providers.every(tx) == [provider]
        raise Undo


def test_a_provider_keeps_its_driver_and_its_birth(tx: Transaction):
    providers.insert(tx, a_provider(0, created_at=5.0))
    changed = a_provider(0, name="new", driver="aws", permissions=0o777, sealed="s", created_at=9.0)
    providers.update(tx, changed)
    assert providers.get(tx, 0) == replace(changed, driver="dummy", created_at=5.0)


def test_the_connection_of_a_provider_is_not_in_its_repr():
    assert "sealed-text" not in repr(a_provider(sealed="sealed-text"))


def test_who_uses_a_provider(tx: Transaction):
    providers.insert(tx, a_provider(0))
    for number, owner in enumerate(("provision/4", "provision/2", "provision/4")):
        resources.insert(tx, a_resource(number, owner=owner, provider_id=0))
    assert providers.users_of(tx, 0) == ["provision/2", "provision/4"]


def test_a_provider_that_is_used_cannot_go_by_mistake(tx: Transaction):
    providers.insert(tx, a_provider(0))
    resources.insert(tx, a_resource(0, provider_id=0))
    with pytest.raises(sqlite3.IntegrityError):
        providers.remove(tx, 0)
    resources.remove(tx, 0)
    providers.remove(tx, 0)
    with pytest.raises(NotFound, match="no provider 0"):
        providers.get(tx, 0)
