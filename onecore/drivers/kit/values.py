"""Typed looks into JSON: what is missing or of another kind is empty, since providers leave things out."""

from collections.abc import Mapping

Json = Mapping[str, object]


def at(value: object, *path: str) -> object:
    """What is found there, or None."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def text(value: object, *path: str) -> str:
    """Text, and numbers as text: ids are the one or the other."""
    found = at(value, *path)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return ""
    return str(found)


def number(value: object, *path: str) -> float:
    """A number, also where it is written as text; 0 where there is none."""
    try:
        return float(text(value, *path) or 0)
    except ValueError:
        return 0.0


def rows(value: object, *path: str) -> list[Json]:
    """The objects of an array."""
    found = at(value, *path)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def texts(value: object, *path: str) -> list[str]:
    """The texts of an array."""
    found = at(value, *path)
    return [text(item) for item in found if text(item)] if isinstance(found, list) else []
