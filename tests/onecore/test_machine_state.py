"""A state machine does what its table says and nothing else."""

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecore.errors import WrongState
from onecore.machine_state import StateMachine


class Door(StrEnum):
    OPEN = "open"
    SHUT = "shut"
    LOCKED = "locked"
    BURNT = "burnt"


class Move(StrEnum):
    CLOSE = "be closed"
    OPEN = "be opened"
    LOCK = "be locked"
    BURN = "burn"


TABLE = {
    (Door.OPEN, Move.CLOSE): Door.SHUT,
    (Door.SHUT, Move.OPEN): Door.OPEN,
    (Door.SHUT, Move.LOCK): Door.LOCKED,
    (Door.LOCKED, Move.OPEN): Door.OPEN,
    (Door.OPEN, Move.BURN): Door.BURNT,
    (Door.SHUT, Move.BURN): Door.BURNT,
}
DOOR = StateMachine("door", TABLE)


@pytest.mark.parametrize(("state", "event", "after"), [(*key, value) for key, value in TABLE.items()])
def test_a_line_of_the_table_is_a_move(state, event, after):
    assert DOOR.next(state, event) is after


def test_a_move_without_a_line_is_refused_and_names_what_is_allowed():
    with pytest.raises(WrongState) as refused:
        DOOR.next(Door.OPEN, Move.LOCK)
    assert refused.value.message == "a door in state OPEN cannot be locked"
    assert refused.value.hint == "allowed now: be closed, burn"


def test_an_end_says_that_nothing_is_allowed():
    with pytest.raises(WrongState) as refused:
        DOOR.next(Door.BURNT, Move.OPEN)
    assert refused.value.hint == "allowed now: nothing"


@given(st.sampled_from(Door), st.sampled_from(Move))
def test_every_question_agrees_with_the_table(state, event):
    legal = (state, event) in TABLE
    assert DOOR.allows(state, event) is legal
    assert (event in DOOR.allowed(state)) is legal


def test_a_later_change_of_the_given_table_changes_nothing():
    table = dict(TABLE)
    machine = StateMachine("door", table)
    table.clear()
    assert machine.allows(Door.OPEN, Move.CLOSE)


def test_the_diagram_has_a_line_for_each_move():
    first, *lines = DOOR.mermaid().splitlines()
    assert first == "stateDiagram-v2"
    assert lines[0] == "    OPEN --> SHUT: be closed"
    assert len(lines) == len(TABLE)
