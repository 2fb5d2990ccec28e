"""One plain sentence for each JSON Schema keyword a value can break."""

from collections.abc import Callable, Collection, Iterable
from typing import cast

from onecore.schema.nodes import MAX_DIGITS
from onecore.schema.problems import cut, printable, shown

_TYPES = {
    "integer": "an integer",
    "number": "a number",
    "string": "a string",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
}


def wrong_type(text: str, value: object, wanted: str | Iterable[str]) -> str:
    """`'many' is not an integer`; `text` is how the value is shown."""
    names = [wanted] if isinstance(wanted, str) else list(dict.fromkeys(wanted))
    allowed = " or ".join(_TYPES.get(name, name) for name in names)
    if value is None:
        return f"this is empty, not {allowed}"
    if isinstance(value, dict | list):
        return f"this is {'a mapping' if isinstance(value, dict) else 'a list'}, not {allowed}"
    if isinstance(value, str) and "integer" in names and _has_too_many_digits(value):
        return f"{text} has more than {MAX_DIGITS} digits"
    return f"{text} is not {allowed}"


def _one_of(text: str, value: object, wanted: object) -> str:
    choices = ", ".join(_choice(choice) for choice in cast("list[object]", wanted))
    return f"{text} is not one of: {choices}"


def _exactly(text: str, value: object, wanted: object) -> str:
    return f"{text} is not {shown(wanted)}"


def _length(text: str, value: object, wanted: object) -> str:
    return f"{text} is {_compared(value, wanted)} than {_counted(wanted, 'character')}"


def _items(text: str, value: object, wanted: object) -> str:
    return f"{_counted(_size(value), 'item')} given, {_limit(value, wanted)}"


def _keys(text: str, value: object, wanted: object) -> str:
    return f"{_counted(_size(value), 'key')} given, {_limit(value, wanted)}"


def _twice(text: str, value: object, wanted: object) -> str:
    return "an item of this list is given twice"


def _pattern(text: str, value: object, wanted: object) -> str:
    return f"{text} does not match the pattern {printable(cut(str(wanted)))}"


def _dependent(text: str, value: object, wanted: object) -> str:
    keys = cast("Collection[str]", value)
    rules = cast("dict[str, list[str]]", wanted)
    given = [(have, need) for have, needs in rules.items() if have in keys for need in needs]
    return "; ".join(
        f"{shown(need)} is missing, {shown(have)} needs it" for have, need in given if need not in keys
    )


def _compared(value: object, wanted: object) -> str:
    return "shorter" if _size(value) < cast("int", wanted) else "longer"


def _limit(value: object, wanted: object) -> str:
    too_few = _size(value) < cast("int", wanted)
    return f"at least {wanted} needed" if too_few else f"at most {wanted} allowed"


def _size(value: object) -> int:
    return len(cast("Collection[object]", value))


def _counted(count: object, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _choice(value: object) -> str:
    return printable(cut(value)) if isinstance(value, str) else shown(value)


def _has_too_many_digits(text: str) -> bool:
    digits = text.removeprefix("-")
    return len(digits) > MAX_DIGITS and digits.isdecimal()


WORDS: dict[str, Callable[[str, object, object], str]] = {
    "type": lambda text, value, wanted: wrong_type(text, value, cast("str | list[str]", wanted)),
    "enum": _one_of,
    "const": _exactly,
    "minimum": lambda text, _, wanted: f"{text} is less than {shown(wanted)}",
    "maximum": lambda text, _, wanted: f"{text} is more than {shown(wanted)}",
    "exclusiveMinimum": lambda text, _, wanted: f"{text} is not more than {shown(wanted)}",
    "exclusiveMaximum": lambda text, _, wanted: f"{text} is not less than {shown(wanted)}",
    "multipleOf": lambda text, _, wanted: f"{text} is not a multiple of {shown(wanted)}",
    "minLength": _length,
    "maxLength": _length,
    "pattern": _pattern,
    "minItems": _items,
    "maxItems": _items,
    "uniqueItems": _twice,
    "minProperties": _keys,
    "maxProperties": _keys,
    "dependentRequired": _dependent,
    "not": lambda text, _value, _wanted: f"{text} is not allowed here",
}
