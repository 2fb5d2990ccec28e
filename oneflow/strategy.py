"""In which order roles are deployed and shut down: pure."""

from collections.abc import Sequence
from typing import Protocol

from oneflow.model.states import RoleState


class Ordered(Protocol):
    """What a strategy looks at."""

    @property
    def name(self) -> str: ...

    @property
    def parents(self) -> tuple[str, ...]: ...

    @property
    def state(self) -> RoleState: ...


UP = frozenset({RoleState.RUNNING, RoleState.WARNING, RoleState.SCALING, RoleState.COOLDOWN})
LEAVING = frozenset({RoleState.UNDEPLOYING, RoleState.DONE, RoleState.FAILED_UNDEPLOYING})


def deployable(roles: Sequence[Ordered], straight: bool) -> list[str]:
    """The pending roles that may start now: all of them, or (straight) those whose parents all run."""
    up = {role.name for role in roles if role.state in UP}
    return [
        role.name
        for role in roles
        if role.state is RoleState.PENDING and (not straight or set(role.parents) <= up)
    ]


def removable(roles: Sequence[Ordered], straight: bool) -> list[str]:
    """The roles that may go now: all of them, or (straight) those that no role which is still there needs."""
    needed = {parent for role in roles if role.state is not RoleState.DONE for parent in role.parents}
    return [
        role.name for role in roles if role.state not in LEAVING and (not straight or role.name not in needed)
    ]


def cycle(parents: dict[str, tuple[str, ...]]) -> list[str]:
    """A chain of roles that wait for each other (`[a, b, a]`), empty where there is none."""
    done: set[str] = set()

    def visit(name: str, chain: list[str]) -> list[str]:
        if name in chain:
            return [*chain[chain.index(name) :], name]
        if name in done:
            return []
        for parent in parents.get(name, ()):
            found = visit(parent, [*chain, name])
            if found:
                return found
        done.add(name)
        return []

    for name in parents:
        found = visit(name, [])
        if found:
            return found
    return []
