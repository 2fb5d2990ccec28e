"""The inputs a template asks for: which are missing, which values are allowed, what they become."""

import math
import re
from collections.abc import Mapping, Sequence

from onecore.errors import InvalidInput
from oneprovision.model.refusal import known_names, shown
from oneprovision.model.shapes import text_of

Declaration = Mapping[str, object]

TYPES = (
    "text text64 password string boolean bool number number-float range range-float array list list-multiple"
).split()

_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?")
_RANGE = re.compile(r"(.+?)\.\.(.+)")
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


def resolve(declared: Sequence[Declaration], given: Mapping[str, object]) -> dict[str, object]:
    """Every declared input with its checked value; all problems are reported at once."""
    wrong: dict[str, str] = {}
    values: dict[str, object] = {}
    names = [str(entry["name"]) for entry in declared]
    hint = ""
    for name in given:
        if name not in names:
            wrong[name] = "the template has no such input"
            hint = known_names(name, names)
    for name, entry in zip(names, declared, strict=True):
        try:
            values[name] = _resolved(entry, given.get(name))
        except _Refused as exc:
            wrong[name] = str(exc)
            hint = hint or f"give it with --set input.{name}=…"
    if wrong:
        raise InvalidInput(
            "\n".join(f"input {name!r}: {why}" for name, why in wrong.items()),
            hint=hint,
            context={name: [why] for name, why in wrong.items()},
        )
    return values


def secret_names(declared: Sequence[Declaration]) -> frozenset[str]:
    """The inputs whose values are never printed or stored in clear."""
    return frozenset(str(entry["name"]) for entry in declared if entry.get("type") == "password")


def is_missing(entry: Declaration) -> bool:
    """Whether it needs a value and has none."""
    return _needed(entry) and _chosen(entry, None) is None


def options(entry: Declaration) -> list[object]:
    """What may be chosen, where only some values are allowed."""
    is_range = text_of(entry.get("type")).startswith(("range", "bool"))
    return [] if is_range else _options(entry)


def declaration_problem(entry: Declaration) -> str:
    """What is wrong with the declaration itself, or nothing."""
    kind = text_of(entry.get("type") or "text")
    if kind in ("list", "list-multiple") and not _options(entry):
        return f"an input of type {kind} needs 'options'"
    if kind in ("range", "range-float"):
        try:
            low, high = _bounds(entry)
        except _Refused as exc:
            return str(exc)
        if low is None or high is None:
            return f"an input of type {kind} needs 'min_value' and 'max_value'"
        if low > high:
            return f"'min_value' {low} is above 'max_value' {high}"
    return ""


class _Refused(ValueError):
    """Why a value is not allowed."""


def _resolved(entry: Declaration, given: object) -> object:
    value = _chosen(entry, given)
    if value is None:
        if _needed(entry):
            raise _Refused("no value is given, and there is no default")
        return None
    typed = _typed(text_of(entry.get("type") or "text"), value)
    _check_bounds(entry, typed)
    return _check_options(entry, typed)


def _chosen(entry: Declaration, given: object) -> object:
    # `value` is where --set puts what was said for this one run; it beats the template's own default.
    for value in (given, entry.get("value"), entry.get("default")):
        if value is not None:
            return value
    return None


def _needed(entry: Declaration) -> bool:
    return entry.get("mandatory") is not False


def _typed(kind: str, value: object) -> object:
    if kind in ("boolean", "bool"):
        return _boolean(value)
    if kind in ("number", "range", "number-float", "range-float"):
        return _number(value)
    if kind in ("array", "list-multiple"):
        return _array(value)
    if isinstance(value, Mapping | list | tuple):
        raise _Refused(f"{shown(value)} is not a text")
    return text_of(value)


def _boolean(value: object) -> bool:
    word = text_of(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise _Refused(f"{shown(value)} is not one of: yes, no, true, false")


def _number(value: object) -> int | float:
    text = text_of(value).strip()
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        raise _Refused(f"{shown(value)} is not a number")
    number = float(text)
    if not math.isfinite(number):
        raise _Refused(f"{shown(value)} is not a finite number")
    return number if set(text) & set(".eE") else int(text)


def _array(value: object) -> list[object]:
    if isinstance(value, str):
        return [item.strip() for item in value.split(",")] if value.strip() else []
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, Mapping):
        raise _Refused(f"{shown(value)} is not a list")
    return [value]


def _options(entry: Declaration) -> list[object]:
    return _array(entry.get("options") or "")


def _bounds(entry: Declaration) -> tuple[int | float | None, int | float | None]:
    span = _RANGE.fullmatch(text_of(entry.get("options")))
    low = entry.get("min_value", entry.get("min", span[1] if span else None))
    high = entry.get("max_value", entry.get("max", span[2] if span else None))
    return (None if low is None else _number(low)), (None if high is None else _number(high))


def _check_bounds(entry: Declaration, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return
    low, high = _bounds(entry)
    if low is not None and value < low:
        raise _Refused(f"{value} is below the minimum {low}")
    if high is not None and value > high:
        raise _Refused(f"{value} is above the maximum {high}")


def _check_options(entry: Declaration, value: object) -> object:
    options = _options(entry)
    if not options or text_of(entry.get("type")).startswith(("range", "bool")):
        return value
    by_text = {text_of(option): option for option in options}
    for item in value if isinstance(value, list) else [value]:
        if text_of(item) not in by_text:
            # What was typed for a password is not repeated, not even when it is wrong.
            what = "the value" if entry.get("type") == "password" else shown(item)
            raise _Refused(f"{what} is not one of: {', '.join(by_text)}")
    return by_text[text_of(value)] if entry.get("type") == "list" else value
