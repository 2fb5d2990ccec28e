"""Which machines leave when a role shrinks, each with the reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from onecore.errors import InvalidInput


class VictimPolicy(StrEnum):
    OLDEST = "oldest"
    NEWEST = "newest"
    LEAST_BUSY = "least_busy"
    MOST_EXPENSIVE = "most_expensive"
    NAMED = "named"


@dataclass(frozen=True)
class Node:
    """A machine of a role. `load` and `price` are None where nobody knows them."""

    id: int
    name: str = ""
    load: float | None = None
    price: float | None = None


@dataclass(frozen=True)
class Victim:
    node: Node
    reason: str


def choose(
    nodes: Sequence[Node],
    amount: int,
    policy: VictimPolicy = VictimPolicy.OLDEST,
    named: Sequence[int] = (),
) -> list[Victim]:
    """`amount` of the `nodes`, which come oldest first; all of them if there are no more.

    Equal ones leave oldest first, and the unknown after the known. With NAMED, the ids `named` leave first
    and the oldest make up the amount.
    """
    if policy is VictimPolicy.NAMED:
        return _named(nodes, max(amount, 0), named)
    if named:
        raise InvalidInput(f"victims are named, but the policy is '{policy}'", hint="use the policy 'named'")
    return _ORDERS[policy](nodes)[: max(amount, 0)]


def _oldest(nodes: Sequence[Node]) -> list[Victim]:
    return [Victim(node, "oldest") for node in nodes]


def _newest(nodes: Sequence[Node]) -> list[Victim]:
    return [Victim(node, "newest") for node in reversed(nodes)]


def _least_busy(nodes: Sequence[Node]) -> list[Victim]:
    return _ranked(nodes, lambda node: node.load, "load", 1)


def _most_expensive(nodes: Sequence[Node]) -> list[Victim]:
    return _ranked(nodes, lambda node: node.price, "price", -1)


def _ranked(
    nodes: Sequence[Node], measure: Callable[[Node], float | None], word: str, sign: int
) -> list[Victim]:
    known = [(value, node) for node in nodes if (value := measure(node)) is not None]
    ordered = sorted(known, key=lambda pair: sign * pair[0])
    victims = [Victim(node, f"{word} {value:g}") for value, node in ordered]
    unknown = [node for node in nodes if measure(node) is None]
    return victims + [Victim(node, f"oldest of those whose {word} is not known") for node in unknown]


def _named(nodes: Sequence[Node], amount: int, named: Sequence[int]) -> list[Victim]:
    by_id = {node.id: node for node in nodes}
    wanted = list(dict.fromkeys(named))
    strangers = [str(each) for each in wanted if each not in by_id]
    if strangers:
        known = ", ".join(map(str, by_id)) or "none"
        raise InvalidInput(f"the role has no VM {', '.join(strangers)}", hint=f"its VMs are: {known}")
    if len(wanted) > amount:
        raise InvalidInput(
            f"{len(wanted)} VMs are named, but only {amount} of {len(nodes)} are to leave",
            hint="name no more than leave, or choose a smaller cardinality",
        )
    others = [Victim(node, "oldest") for node in nodes if node.id not in wanted]
    return ([Victim(by_id[each], "named") for each in wanted] + others)[:amount]


_ORDERS: dict[VictimPolicy, Callable[[Sequence[Node]], list[Victim]]] = {
    VictimPolicy.OLDEST: _oldest,
    VictimPolicy.NEWEST: _newest,
    VictimPolicy.LEAST_BUSY: _least_busy,
    VictimPolicy.MOST_EXPENSIVE: _most_expensive,
}
