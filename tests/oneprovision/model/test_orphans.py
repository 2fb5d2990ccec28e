"""What counts as a difference between a provider's list and the records."""

from dataclasses import replace

import pytest

from onecore.machines.model import Kind, Resource, State, Wanted
from oneprovision.model.orphans import OWNER, Found, Source, What, is_ours, missing, source_of, unowned

TAG = "provision-" + "c968cbcf40716f8e" * 3
MACHINES = Source("dummy", None, Kind.MACHINE)


def a_record(name: str = TAG, **fields: object) -> Resource:
    known = Resource(
        0, Kind.MACHINE, name, "provision/3", "dummy", None, 7, "web-0", state=State.READY, since=10
    )
    return replace(known, **fields)  # type: ignore[arg-type]


def a_find(name: str = TAG, source: Source = MACHINES) -> Found:
    return Found(source, name, f"id-of-{name[-4:]}", "running")


@pytest.mark.parametrize(
    ("kind", "name", "ours"),
    [
        (Kind.MACHINE, TAG, True),
        (Kind.MACHINE, "web-3-" + "0" * 48, True),
        (Kind.MACHINE, "web-3", False),
        (Kind.MACHINE, TAG[:-1], False),
        (Kind.MACHINE, TAG.upper(), False),
        (Kind.MACHINE, "-" + "0" * 48, False),
        (Kind.ADDRESS, "provision-3-network-1-ar-0", True),
        (Kind.ADDRESS, "office", False),
        (Kind.ADDRESS, TAG, False),
    ],
)
def test_only_names_of_our_shape_are_ours(kind: Kind, name: str, ours: bool):
    assert is_ours(kind, name) is ours


@pytest.mark.parametrize("state", list(State))
def test_a_record_in_any_state_owns_what_bears_its_name(state: State):
    assert unowned([a_find()], [], [a_record(state=state, wanted=Wanted.ABSENT)]) == []


def test_what_came_or_went_while_the_providers_were_asked_is_owned():
    assert unowned([a_find()], [a_record()], []) == []
    assert unowned([a_find()], [], [a_record()]) == []


def test_what_nobody_has_a_record_of_is_unowned_once_whoever_lists_it():
    strays = unowned([a_find(), a_find(source=replace(MACHINES, provider_id=4)), a_find("foreign")], [], [])
    assert [(s.what, s.name, s.source, s.owner) for s in strays] == [(What.UNOWNED, TAG, MACHINES, "")]


def test_what_is_being_removed_as_an_orphan_is_shown_until_it_is_gone():
    (stray,) = unowned([a_find()], [], [a_record(owner=OWNER, state=State.DESTROY_FAILED)])
    assert (stray.owner, stray.state) == (OWNER, "destroy failed")


def test_what_is_recorded_and_not_listed_is_missing():
    (gone,) = missing([], [a_record()], [a_record()], {MACHINES: 20.0})
    assert (gone.what, gone.owner, gone.label) == (What.MISSING, "provision/3", "web-0")


@pytest.mark.parametrize(
    ("before", "after", "asked_at"),
    [
        (a_record(), a_record(), {}),  # its provider did not answer
        (a_record(lag_s=30), a_record(lag_s=30), {MACHINES: 20.0}),  # its list may be behind
        (a_record(state=State.CREATING), a_record(), {MACHINES: 20.0}),  # made while we asked
        (a_record(), a_record(state=State.DESTROYED), {MACHINES: 20.0}),  # removed while we asked
        (a_record(state=State.NEW), a_record(state=State.NEW), {MACHINES: 20.0}),  # never made
        (a_record(state=State.FAILED), a_record(state=State.FAILED), {MACHINES: 20.0}),
        (a_record(owner=OWNER), a_record(owner=OWNER), {MACHINES: 20.0}),
    ],
)
def test_what_may_rightly_be_absent_is_not_missing(
    before: Resource, after: Resource, asked_at: dict[Source, float]
):
    assert missing([], [before], [after], asked_at) == []


def test_the_account_that_is_recorded_is_the_one_that_has_to_list_it():
    record = a_record(provider_id=4)
    asked = {MACHINES: 20.0, source_of(record): 20.0}
    assert [m.name for m in missing([a_find()], [record], [record], asked)] == [TAG]
    assert missing([a_find(source=source_of(record))], [record], [record], asked) == []
