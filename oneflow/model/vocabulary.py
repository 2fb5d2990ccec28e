"""The two vocabularies of OneFlow: stored is that of spec/003, served is the one that a client wrote in."""

from collections.abc import Mapping
from typing import Any, Final

from onecore.errors import InvalidInput

Body = dict[str, Any]

# What 5.x to 7.x call the same things. The first name is the later one, the second is stored.
_INPUTS: Final = {"user_inputs": "custom_attrs", "user_inputs_values": "custom_attrs_values"}
_ROLE: Final = {"template_id": "vm_template", "template_contents": "vm_template_contents", **_INPUTS}

# Kept in a body that was written in the later words.
LATER: Final = "later_vocabulary"


def unified(data: object) -> object:
    """One vocabulary; anything but a mapping stays as it is. Null counts as missing, as OneFlow takes it.
    Raises InvalidInput where both names of one thing are given."""
    if not isinstance(data, Mapping):
        return data
    body = _renamed(data, _INPUTS)
    roles = body.get("roles")
    given = [data]
    if isinstance(roles, list):
        given += [role for role in roles if isinstance(role, Mapping)]
        body["roles"] = [unified_role(role) for role in roles]
    if any(key in each for each in given for key in _ROLE):
        body[LATER] = True
    return body


def unified_role(role: object) -> object:
    """The same for one role."""
    return _renamed(role, _ROLE) if isinstance(role, Mapping) else role


def as_given(body: Mapping[str, Any]) -> Body:
    """The body in the words that it was written in."""
    if not body.get(LATER):
        return dict(body)
    later = {stored: name for name, stored in _ROLE.items()}
    renamed = {later.get(key, key): value for key, value in body.items() if key != LATER}
    renamed["roles"] = [{later.get(key, key): value for key, value in role.items()} for role in body["roles"]]
    return renamed


def _renamed(data: Mapping[str, Any], names: Mapping[str, str]) -> Body:
    present = {key: value for key, value in data.items() if value is not None}
    twice = [key for key, name in names.items() if key in present and name in present]
    if twice:
        raise InvalidInput(f"KEY: '{twice[0]}' and '{names[twice[0]]}' are the same; give one of them")
    return {names.get(key, key): value for key, value in present.items()}
