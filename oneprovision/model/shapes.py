"""Typed views on template data, for code that needs a mapping, a list, a number or a text."""

import json
import re
from collections.abc import Mapping, Sequence

from oneprovision.model.refusal import Path, refusal, shown

_DECIMAL = re.compile(r"-?[0-9]{1,18}")


def mapping_at(value: object, path: Path) -> Mapping[str, object]:
    """The mapping; an absent or empty section counts as an empty one."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    raise refusal(path, f"{shown(value)} is not a mapping")


def list_at(value: object, path: Path) -> Sequence[object]:
    """The list; an absent or empty section counts as an empty one."""
    if value is None:
        return ()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return value
    raise refusal(path, f"{shown(value)} is not a list")


def mappings_at(value: object, path: Path) -> list[Mapping[str, object]]:
    """The list of mappings below a path."""
    return [mapping_at(entry, (*path, at)) for at, entry in enumerate(list_at(value, path))]


def count_at(value: object, path: Path, most: int) -> int:
    """A whole number from 0 up to `most`, also when it was written as text."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise refusal(path, f"{shown(value)} is not a whole number")
    if value < 0:
        raise refusal(path, f"{value} is negative", "0 is the smallest number allowed")
    if value > most:
        raise refusal(path, f"{value} is more than {most}")
    return value


def text_of(value: object) -> str:
    """A value as one text: `true`, `5`, `a,b` for a list, JSON for a mapping, nothing for null."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Sequence):
        return ",".join(text_of(item) for item in value)
    return str(value)
