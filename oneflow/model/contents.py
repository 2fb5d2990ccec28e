"""What a role lays over its VM template: OpenNebula template text or an object, with values put in."""

import re
from collections.abc import Mapping
from typing import Any

from onecore.errors import InvalidInput

Template = dict[str, Any]

_LINE = re.compile(r"\s*([A-Za-z_][\w.-]*)\s*=\s*")
_WORD = re.compile(r"\$(\w+)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r"[^\s,\]]+(?:[ \t]+[^\s,\]]+)*")


def parsed(contents: object) -> Template:
    """The attributes in upper case. Text is `KEY=value` or `KEY=[A=b, C="d"]`; a key that comes again makes a
    list. Raises InvalidInput naming where the text cannot be read."""
    if isinstance(contents, Mapping):
        return {str(key).upper(): value for key, value in contents.items()}
    text = str(contents or "")
    result: Template = {}
    at = 0
    while text[at:].strip():
        found = _LINE.match(text, at)
        if not found:
            raise _unreadable(text, at)
        value, at = (
            _vector(text, found.end()) if text[found.end() :][:1] == "[" else _value(text, found.end())
        )
        _put(result, found[1].upper(), value)
    return result


def merged(template: Mapping[str, Any], contents: Mapping[str, Any]) -> Template:
    """Deeply; lists and single values are replaced."""
    result = dict(template)
    for key, value in contents.items():
        before = result.get(key)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        result[key] = merged(before, value) if both else value  # type: ignore[arg-type]  # checked above
    return result


def substituted(value: Any, values: Mapping[str, Any]) -> Any:
    """With every `$WORD` that has a value replaced by it, anywhere inside."""
    if isinstance(value, str):
        return _WORD.sub(lambda found: str(values.get(found[1], found[0])), value)
    if isinstance(value, Mapping):
        return {key: substituted(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [substituted(inner, values) for inner in value]
    return value


def _vector(text: str, at: int) -> tuple[Template, int]:
    inner: Template = {}
    at += 1
    while True:
        rest = text[at:].lstrip(" \t\r\n,")
        at = len(text) - len(rest)
        if rest.startswith("]"):
            return inner, at + 1
        found = _LINE.match(text, at)
        if not found:
            raise _unreadable(text, at)
        value, at = _value(text, found.end())
        _put(inner, found[1].upper(), value)


def _value(text: str, at: int) -> tuple[str, int]:
    quoted = _QUOTED.match(text, at)
    if quoted:
        return re.sub(r"\\(.)", r"\1", quoted[1]), quoted.end()
    bare = _BARE.match(text, at)
    return (bare[0].strip(), bare.end()) if bare else ("", at)


def _put(result: Template, key: str, value: object) -> None:
    before = result.get(key)
    if before is None:
        result[key] = value
    else:
        result[key] = [*before, value] if isinstance(before, list) else [before, value]


def _unreadable(text: str, at: int) -> InvalidInput:
    line = text.count("\n", 0, at) + 1
    part = text[at:].strip().splitlines()[0][:60] if text[at:].strip() else "the end"
    return InvalidInput(
        f"KEY: 'vm_template_contents' cannot be read in line {line}, at: {part}",
        hint='write KEY=value or KEY=[A="b", C="d"], one attribute a line',
    )
