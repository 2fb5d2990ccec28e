"""The three parameters that say what a machine is to be: its place, its size and its system.

A driver marks each of them in its inputs with `role`; several parameters of one role say the same.
"""

from collections.abc import Mapping
from typing import cast

# What a driver's extension lists for each role.
OFFERS = {"location": "locations", "plan": "plans", "image": "images"}

Inputs = Mapping[str, object]


def spellings(inputs: Inputs, role: str) -> tuple[str, ...]:
    """The parameters of a role, the usual one first; none where the driver knows no such thing."""
    return tuple(name for name, part in _properties(inputs).items() if part.get("role") == role)


def unanswered(inputs: Inputs, given: Mapping[str, object]) -> tuple[str, ...]:
    """The roles that the driver has, and for which neither a parameter nor a default says anything."""
    properties = _properties(inputs)
    said = {name for name, value in given.items() if value not in (None, "")}
    said |= {name for name, part in properties.items() if "default" in part}
    known = [(role, spellings(inputs, role)) for role in OFFERS]
    return tuple(role for role, names in known if names and said.isdisjoint(names))


def _properties(inputs: Inputs) -> Mapping[str, Mapping[str, object]]:
    found = cast("Mapping[str, object]", inputs.get("properties", {}))
    return {name: part for name, part in found.items() if isinstance(part, Mapping)}
