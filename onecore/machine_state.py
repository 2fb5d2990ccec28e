"""A state machine as a table: one line per legal move, nothing else moves."""

from collections.abc import Mapping
from enum import Enum
from typing import Generic, TypeVar

from onecore.errors import WrongState

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


class StateMachine(Generic[S, E]):
    """The table `(state, event) → next state` with its questions.

    `name` is the kind of thing that moves ("provision"), used in messages and diagrams.
    """

    def __init__(self, name: str, table: Mapping[tuple[S, E], S]) -> None:
        self.name = name
        self.table = dict(table)

    def next(self, state: S, event: E) -> S:
        """The state after `event`; raises WrongState where the table has no such line."""
        try:
            return self.table[state, event]
        except KeyError:
            raise WrongState(
                f"a {self.name} in state {state.name} cannot {event.value}",
                hint=f"allowed now: {', '.join(e.value for e in self.allowed(state)) or 'nothing'}",
            ) from None

    def allows(self, state: S, event: E) -> bool:
        return (state, event) in self.table

    def allowed(self, state: S) -> tuple[E, ...]:
        return tuple(event for (source, event) in self.table if source is state)

    def mermaid(self) -> str:
        """The table as a Mermaid state diagram."""
        lines = ["stateDiagram-v2"]
        for (source, event), target in self.table.items():
            lines.append(f"    {source.name} --> {target.name}: {event.value}")
        return "\n".join(lines) + "\n"
