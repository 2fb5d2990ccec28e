"""A record changes by the table of states only, and keeps what it has to."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.errors import WrongState
from onecore.machines import record
from onecore.machines.calls import Seen
from onecore.machines.decide import Health, Sight, Step
from onecore.machines.model import MACHINE, Resource, State, Wanted
from tests.onecore.machines.builders import NOW, POLICY, RESOURCES, a_machine

CONCLUSIONS = (Step.ADOPT, Step.ABSENT, Step.READY, Step.STOPPED, Step.BROKEN, Step.AGAIN)
SIGHT = Sight(NOW, Health.RUNNING, "id-1")
SEENS = st.none() | st.builds(
    Seen,
    st.just("provision-a"),
    st.sampled_from(["id-1", "id-2"]),
    st.sampled_from(Health),
    st.sampled_from([(), ("192.0.2.1",)]),
    st.just({"CPU": "1"}),
    st.booleans(),
)
CHANGES: dict[str, Callable[[Resource, Seen | None], Resource]] = {
    "create started": lambda r, _: record.started(r, Step.CREATE, NOW),
    "destroy started": lambda r, _: record.started(r, Step.DESTROY, NOW),
    "created": lambda r, _: record.created(r, "id-1", (), NOW),
    "destroyed": lambda r, _: record.destroyed(r, NOW),
    "refused": lambda r, _: record.refused(r, "no", POLICY, NOW, 1.0),
    "lost": lambda r, _: record.lost(r, "no", POLICY, NOW, 1.0),
    "orphaned": lambda r, _: record.orphaned(r, "id-1", NOW),
    "observed": lambda r, seen: record.observed(r, seen, NOW),
    **{
        str(step): lambda r, seen, step=step: record.concluded(r, step, "why", SIGHT, seen)  # type: ignore[misc]
        for step in CONCLUSIONS
    },
}
ANSWERED = (State.CREATING, State.DESTROYING, State.DESTROYED)
WORDS = {"unwanted": record.unwanted, "encouraged": record.encouraged}
IDENTITY = ("id", "kind", "name", "owner", "driver", "provider_id", "number", "label", "deployment", "lag_s")


def a_seen(health: Health = Health.RUNNING, **changed) -> Seen:
    return Seen(**{"name": "provision-a", "deploy_id": "id-1", "health": health, **changed})


@pytest.mark.parametrize("change", CHANGES)
@settings(max_examples=150)
@given(resource=RESOURCES, seen=SEENS)
def test_every_change_of_state_is_a_line_of_the_table(change, resource, seen):
    try:
        changed = CHANGES[change](resource, seen)
    except WrongState:
        return
    legal = {MACHINE.next(resource.state, event) for event in MACHINE.allowed(resource.state)}
    assert changed.state in legal | {resource.state}
    assert all(getattr(changed, name) == getattr(resource, name) for name in IDENTITY)
    assert changed.wanted is resource.wanted


@settings(max_examples=150)
@given(RESOURCES)
def test_words_of_the_user_change_no_state(resource):
    for say in WORDS.values():
        assert say(resource).state is resource.state
        assert (say(resource).failures, say(resource).next_at) == (0, 0.0)
    assert record.unwanted(resource).wanted is Wanted.ABSENT
    assert record.encouraged(resource).wanted is resource.wanted


@pytest.mark.parametrize("change", ["created", "destroyed", "refused", "lost"])
@pytest.mark.parametrize("state", [s for s in State if s not in ANSWERED])
def test_an_answer_to_what_was_not_asked_is_refused(change, state):
    with pytest.raises(WrongState):
        CHANGES[change](a_machine(state), None)


def test_an_operation_that_starts_makes_every_earlier_look_stale():
    assert record.started(a_machine(State.NEW, since=1.0), Step.CREATE, NOW).since == NOW


def test_what_was_made_has_its_id_and_address():
    made = record.created(a_machine(State.CREATING, error="earlier"), "id-7", ("192.0.2.7",), NOW)
    assert (made.state, made.deploy_id, made.addresses) == (State.BOOTING, "id-7", ("192.0.2.7",))
    assert (made.error, made.since) == ("", NOW)


def test_an_answer_without_address_forgets_none():
    assert record.created(a_machine(State.CREATING, addresses=("a",)), "id", (), NOW).addresses == ("a",)


@pytest.mark.parametrize(
    ("change", "state", "after"),
    [
        (record.refused, State.CREATING, State.FAILED),
        (record.refused, State.DESTROYING, State.DESTROY_FAILED),
        (record.refused, State.DESTROYED, State.DESTROY_FAILED),
        (record.lost, State.CREATING, State.UNKNOWN),
        (record.lost, State.DESTROYING, State.DESTROY_UNKNOWN),
    ],
)
def test_a_failure_is_counted_and_paused_for(change, state, after):
    failed = change(a_machine(state, failures=1), "quota", POLICY, NOW, 1.0)
    assert (failed.state, failed.failures, failed.error) == (after, 2, "quota")
    assert (failed.since, failed.next_at) == (NOW, NOW + 2.0)


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (State.CREATING, State.UNKNOWN),
        (State.DESTROYING, State.DESTROY_UNKNOWN),
        (State.READY, State.READY),
        (State.OFF, State.OFF),
    ],
)
def test_who_lost_its_process_is_unknown_and_has_to_be_looked_at(state, after):
    orphan = record.orphaned(a_machine(state, failures=2), "", NOW)
    assert (orphan.state, orphan.failures, orphan.since) == (after, 2, NOW)


@pytest.mark.parametrize(("known", "kept"), [("", "id-printed"), ("id-known", "id-known")])
def test_a_printed_id_is_a_hint_where_none_is_known(known, kept):
    orphan = record.orphaned(a_machine(State.CREATING, deploy_id=known), "id-printed", NOW)
    assert orphan.deploy_id == kept


# -- conclusions -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "state", "after"),
    [
        (Step.ADOPT, State.UNKNOWN, State.BOOTING),
        (Step.ADOPT, State.FAILED, State.BOOTING),
        (Step.ABSENT, State.UNKNOWN, State.FAILED),
        (Step.READY, State.BOOTING, State.READY),
        (Step.STOPPED, State.BOOTING, State.OFF),
        (Step.BROKEN, State.BOOTING, State.BROKEN),
        (Step.AGAIN, State.DESTROYED, State.NEW),
    ],
)
def test_where_conclusions_lead(step, state, after):
    assert record.concluded(a_machine(state), step, "why", SIGHT, None).state is after


@pytest.mark.parametrize("step", [Step.ADOPT, Step.READY, Step.BROKEN])
def test_what_answers_to_our_name_is_taken_with_its_id_and_address(step):
    state = State.UNKNOWN if step is Step.ADOPT else State.BOOTING
    machine = a_machine(state, deploy_id="id-told")
    found = a_seen(deploy_id="id-found", addresses=("192.0.2.9",), metrics={"VMS": "7"})
    changed = record.concluded(machine, step, "why", Sight(NOW, found.health, "id-found"), found)
    assert (changed.deploy_id, changed.addresses, changed.metrics) == (
        "id-found",
        ("192.0.2.9",),
        {"VMS": "7"},
    )


def test_what_is_ready_has_its_failures_behind_it():
    ready = record.concluded(a_machine(State.BOOTING, failures=2, error="x"), Step.READY, "runs", SIGHT, None)
    assert (ready.failures, ready.error) == (0, "")


def test_a_broken_one_counts_as_a_failed_try_and_says_why():
    broken = record.concluded(a_machine(State.BOOTING, failures=1), Step.BROKEN, "in error", SIGHT, None)
    assert (broken.failures, broken.error) == (2, "in error")


def test_what_begins_again_has_no_trace_of_the_old_one():
    old = a_machine(State.DESTROYED, deploy_id="id-old", addresses=("192.0.2.1",), error="in error")
    new = record.concluded(old, Step.AGAIN, "gone", SIGHT, None)
    assert (new.state, new.deploy_id, new.addresses, new.error) == (State.NEW, "", (), "")


def test_what_is_found_absent_keeps_the_error_that_led_there():
    absent = record.concluded(
        a_machine(State.UNKNOWN, error="timed out"), Step.ABSENT, "not listed", SIGHT, None
    )
    assert (absent.error, absent.deploy_id) == ("timed out", "")


# -- what is seen of a settled machine ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "seen", "after"),
    [
        (State.READY, a_seen(Health.RUNNING), State.READY),
        (State.READY, a_seen(Health.OFF), State.OFF),
        (State.READY, a_seen(Health.ERROR), State.BROKEN),
        (State.READY, a_seen(Health.PENDING), State.READY),
        (State.READY, a_seen(Health.GONE), State.NEW),
        (State.READY, None, State.NEW),
        (State.OFF, a_seen(Health.RUNNING), State.READY),
        (State.OFF, a_seen(Health.RUNNING, told=False), State.OFF),
        (State.OFF, None, State.NEW),
        (State.BROKEN, a_seen(Health.RUNNING), State.READY),
        (State.BROKEN, a_seen(Health.ERROR), State.BROKEN),
        (State.BROKEN, None, State.NEW),
    ],
)
def test_what_a_look_makes_of_it(state, seen, after):
    assert record.observed(a_machine(state, deploy_id="id-1"), seen, NOW).state is after


def test_what_vanished_has_neither_id_nor_address_and_begins_now():
    gone = record.observed(a_machine(State.READY, deploy_id="id-1", addresses=("a",), failures=2), None, NOW)
    assert (gone.deploy_id, gone.addresses, gone.failures, gone.since) == ("", (), 0, NOW)


def test_a_machine_that_is_well_again_has_no_error():
    assert record.observed(a_machine(State.BROKEN, error="in error"), a_seen(), NOW).error == ""
    ill = record.observed(a_machine(State.READY), a_seen(Health.ERROR), NOW)
    assert ill.error == "the provider says it is in error"
