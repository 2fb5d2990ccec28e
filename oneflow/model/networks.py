"""The virtual networks of a service: those that it names, and those that are made for it (reference 2.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from onecore.errors import InvalidInput

Body = dict[str, Any]

VALUES: Final = "networks_values"
_WAYS: Final = ("template_id", "reserve_from", "id")


@dataclass(frozen=True)
class Network:
    """`way`: `id` names a network that is there, `template_id` the template that one is made of, and
    `reserve_from` the network that one is reserved in. `extra`: template text for it."""

    name: str
    way: str
    number: int
    extra: str = ""

    @property
    def is_made(self) -> bool:
        return self.way != "id"


class NetStatus(StrEnum):
    """What is known of the networks and routers that are made for a service, all together. NONE: there are
    none and none is wanted; MISSING: nobody has asked for any yet; PARTLY: for the routers."""

    NONE = "none"
    MISSING = "missing"
    PARTLY = "not all asked for"
    MAKING = "being made"
    READY = "ready"
    FAILED = "failed"
    LEAVING = "being removed"
    STUCK = "cannot be removed"


NO_NETWORKS: Final = (NetStatus.NONE, NetStatus.MISSING)
"""Nothing was made."""
INCOMPLETE: Final = (NetStatus.MISSING, NetStatus.PARTLY)


def of(body: Mapping[str, Any]) -> list[Network]:
    """Those that a body gives values for. Raises InvalidInput."""
    given = body.get(VALUES) or []
    if not isinstance(given, list) or not all(isinstance(each, Mapping) for each in given):
        raise InvalidInput(f"KEY: '{VALUES}' must be an Array of Hashes")
    return [_network(str(name), value) for each in given for name, value in each.items()]


def with_values(body: Mapping[str, Any]) -> Body:
    """The body with a value for each of its `networks`: what was given, or what the template says. Raises
    InvalidInput where there is none."""
    defaults = [{name: _default(name, text)} for name, text in unanswered(body).items()]
    if not defaults and not of(body):
        return dict(body)
    return {**body, VALUES: [*(body.get(VALUES) or []), *defaults]}


def unanswered(body: Mapping[str, Any]) -> dict[str, str]:
    """The definitions of the networks that no value is given for, by name. Raises InvalidInput."""
    asked = body.get("networks") or {}
    if not isinstance(asked, Mapping):
        raise InvalidInput("KEY: 'networks' must be a Hash")
    given = {network.name for network in of(body)}
    return {str(name): str(text) for name, text in asked.items() if name not in given}


def read(name: str, text: str) -> Body:
    """`id:0`, or `template_id:4:VLAN_ID=3`, as a value. Raises InvalidInput."""
    way, _, rest = text.partition(":")
    number, _, extra = rest.partition(":")
    if way not in _WAYS or not number:
        raise InvalidInput(f"network '{name}' has no value", hint=f"give it in {VALUES}")
    return {way: _number(name, number), **({"extra": extra} if extra else {})}


def ids(body: Mapping[str, Any]) -> dict[str, str]:
    """The number of each network that has one by now."""
    return {
        str(name): str(value["id"])
        for each in body.get(VALUES) or []
        for name, value in each.items()
        if "id" in value
    }


def with_ids(body: Mapping[str, Any], made: Mapping[str, int]) -> Body:
    """With the numbers of networks that were made."""
    if not made:
        return dict(body)
    values = [
        {name: {**value, "id": made[name]} if name in made else value for name, value in each.items()}
        for each in body.get(VALUES) or []
    ]
    return {**body, VALUES: values}


def _network(name: str, value: object) -> Network:
    ways = [way for way in _WAYS if way in value] if isinstance(value, Mapping) else []
    if not isinstance(value, Mapping) or not ways:
        raise InvalidInput(f"network '{name}' needs one of: {', '.join(_WAYS)}")
    # One that was made has its number as well by now.
    return Network(name, ways[0], _number(name, value[ways[0]]), str(value.get("extra") or ""))


def _default(name: str, text: str) -> Body:
    """`M|network|description||id:0`, or `template_id:4:VLAN_ID=3` as the last field."""
    return read(name, text.split("|")[-1])


def _number(name: str, value: object) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not text.isdecimal() or len(text) > 9:
        raise InvalidInput(f"network '{name}': {text[:40]!r} is no number of a network or template")
    return int(text)
