"""Values for the inputs of a driver folder: defaults filled in, types and validators checked, all at once.

The words of the problems are OneForm's: `is missing`, `must be a number`, `invalid value 'x' for 'y'`.
"""

import json
import re
from collections.abc import Mapping, Sequence

from onecore.errors import InvalidInput
from oneprovision.model.folder import Input
from oneprovision.model.refusal import known_names
from oneprovision.model.shapes import text_of

_COLLECTIONS = ("list", "set", "tuple", "map", "object")


def resolve(inputs: Sequence[Input], given: Mapping[str, object], what: str = "input") -> dict[str, object]:
    """Every input with its checked value. Raises InvalidInput whose context has the problems by name."""
    wrong: dict[str, list[str]] = {}
    values: dict[str, object] = {}
    names = [each.name for each in inputs]
    unknown = [name for name in given if name not in names]
    for each in inputs:
        try:
            values[each.name] = _value(each, given.get(each.name))
        except _Refused as exc:
            wrong[each.name] = [str(exc)]
    for each in inputs:
        if each.name not in wrong and each.match and values.get(each.name) is not None:
            problem = _mismatch(each, values)
            if problem:
                wrong[each.name] = [problem]
    wrong |= {name: ["is not known"] for name in unknown}
    if wrong:
        raise InvalidInput(
            "; ".join(f"{what} '{name[:80]}' {words[0]}" for name, words in wrong.items()),
            hint=known_names(unknown[0], names) if unknown and names else f"its {what}s: {', '.join(names)}",
            context=dict(wrong),
        )
    return {name: value for name, value in values.items() if value is not None}


def choices(asked: Input, values: Mapping[str, object]) -> list[object]:
    """What may be chosen, where an input allows only some values."""
    match = asked.match
    if match is None:
        return []
    if match.type == "list" and isinstance(match.values, list):
        return list(match.values)
    if match.type == "map" and isinstance(match.values, Mapping):
        grouped = match.values.get(text_of(values.get(match.grouped_by)))
        return list(grouped) if isinstance(grouped, list) else []
    return []


class _Refused(ValueError):
    """Why a value is not allowed."""


def _value(asked: Input, given: object) -> object:
    chosen = asked.default if given is None else given
    if chosen is None:
        if asked.mandatory:
            raise _Refused("is missing")
        return None
    return _typed(asked, chosen)


def _typed(asked: Input, value: object) -> object:
    kind = asked.type.split("(", 1)[0].strip()
    if kind == "number":
        return _number(value)
    if kind == "bool":
        return _bool(value)
    if kind in _COLLECTIONS:
        return _collection(kind, value)
    if kind == "string":
        if isinstance(value, Mapping | list):
            raise _Refused("must be a text")
        return text_of(value)
    return value


def _number(value: object) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    try:
        number = float(text_of(value))
    except ValueError as exc:
        raise _Refused("must be a number") from exc
    if number != number or number in (float("inf"), float("-inf")) or isinstance(value, bool):
        raise _Refused("must be a number")
    return int(number) if number.is_integer() else number


def _bool(value: object) -> bool:
    words = {"true": True, "false": False, "yes": True, "no": False}
    if isinstance(value, bool):
        return value
    if text_of(value).lower() not in words:
        raise _Refused("must be true or false")
    return words[text_of(value).lower()]


def _collection(kind: str, value: object) -> object:
    """As JSON where it is a text; a list may also be written with commas."""
    wanted = Mapping if kind in ("map", "object") else list
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = [part.strip() for part in str(value).split(",") if part.strip()]
    if not isinstance(value, wanted):
        raise _Refused("must be a map" if wanted is Mapping else "must be a list")
    return value


def _mismatch(asked: Input, values: Mapping[str, object]) -> str:
    match, value = asked.match, values[asked.name]
    shown = "(a secret)" if asked.sensitive else f"'{text_of(value)[:80]}'"
    invalid = f"invalid value {shown} for '{asked.name}'"
    if match is None:
        return ""
    if match.type in ("list", "map"):
        allowed = choices(asked, values)
        texts = [text_of(each) for each in allowed]
        chosen = value if isinstance(value, list) else [value]
        bad = any(text_of(each) not in texts for each in chosen)
        return f"{invalid}: one of {', '.join(texts) or 'nothing'}" if bad else ""
    if match.type == "number":
        return _out_of_bounds(match.values, value, invalid)
    try:
        fits = re.search(str(match.values), text_of(value)) is not None
    except re.error:
        return ""  # a pattern that only Ruby understands is left to the driver
    return "" if fits else f"{invalid}: it must match {match.values}"


def _out_of_bounds(bounds: object, value: object, invalid: str) -> str:
    if not isinstance(bounds, Mapping) or not isinstance(value, int | float):
        return ""
    low, high = bounds.get("min"), bounds.get("max")
    if isinstance(low, int | float) and value < low:
        return f"{invalid}: at least {low}"
    if isinstance(high, int | float) and value > high:
        return f"{invalid}: at most {high}"
    return ""
