"""Reads the numbers of a role and its policies, and says which one is wrong."""

import re
from collections.abc import Mapping

from onecore.errors import InvalidInput

_DECIMAL = re.compile(r" *[+-]?[0-9]{1,18} *")


def whole(body: Mapping[str, object], key: str, where: str, least: int | None = None) -> int | None:
    """The integer under `key`, also when it is written as decimal text; None if there is none."""
    value = body.get(key)
    if value is None:
        return None
    number = _integer(value)
    if number is None:
        raise InvalidInput(f"{where} '{key}' must be an Integer")
    if least is not None and number < least:
        raise InvalidInput(f"{where} '{key}' must be greater than or equal to {least}")
    return number


def mappings(body: Mapping[str, object], key: str, where: str) -> list[Mapping[str, object]]:
    """The objects of the array under `key`; none if there is no array."""
    value = body.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise InvalidInput(f"{where} '{key}' must be an Array of objects")
    return value


def _integer(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return int(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else None
