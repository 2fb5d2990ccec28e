"""Puts values into the strings of a template: `${input.x}`, and the few ERB forms of 5.x templates.

Nothing is ever executed, and text that was put in is never looked at again.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from oneprovision.model.refusal import Path, known_names, refusal, shown
from oneprovision.model.shapes import text_of

Record = Mapping[str, object]

# Where a record keeps its second name: the one in the template, when the real object's has a suffix.
# No variable can ask for an attribute without a name.
ALIAS = ""

_TOKEN = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{|<%%|<%(.*?)%>|<%", re.DOTALL)
_ERB_NAME = re.compile(r"=\s*@(name|id|index)\s*-?")
_ERB_OBJECT = re.compile(
    r"""=\s*@(clusters|datastores|hosts|vnets|networks)\s*\[\s*([0-9]{1,9})\s*\]"""
    r"""\s*\[\s*(['"])(\w+)\3\s*\]\s*-?"""
)
_ERB_KINDS = {
    "clusters": "cluster",
    "datastores": "datastore",
    "hosts": "host",
    "vnets": "network",
    "networks": "network",
}
_ERB_VARIABLES = {"name": "provision", "id": "provision_id", "index": "index"}
_PLAIN = ("provision", "provision_id", "index")
_KINDS = ("cluster", "datastore", "network", "host")
_ROOTS = (*_PLAIN, "input.<name>", *(f"{kind}.<number or name>.<attribute>" for kind in _KINDS))
_LITERAL_HINT = "write $${ for a literal ${"
_ERB_HINT = "only <%= @name %>, <%= @id %>, <%= @index %> and <%= @clusters[0]['ID'] %> are understood"


@dataclass(frozen=True)
class Scope:
    """What the variables of a template stand for; `index` only where a host is evaluated."""

    name: str
    provision_id: int
    inputs: Mapping[str, object] = field(default_factory=dict)
    objects: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)
    index: int | None = None

    def at(self, index: int) -> "Scope":
        """The scope of the host with this number."""
        return replace(self, index=index)

    def knowing(self, kind: str, records: tuple[Record, ...]) -> "Scope":
        """The scope in which these objects can be named, too."""
        return replace(self, objects={**self.objects, kind: records})


@dataclass(frozen=True)
class Reference:
    """One variable: its root word, and for objects which one and which attribute."""

    written: str
    root: str
    key: str = ""
    attribute: str = ""


def interpolate(value: object, scope: Scope, path: Path = ()) -> object:
    """The value with every string in it evaluated; keys stay as they are."""
    if isinstance(value, str):
        return _evaluated(value, scope, path)
    if isinstance(value, Mapping):
        return {key: interpolate(item, scope, (*path, str(key))) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [interpolate(item, scope, (*path, at)) for at, item in enumerate(value)]
    return value


def problems(value: object, path: Path = ()) -> Iterator[tuple[Path, str, str]]:
    """Markers that can never work, as path, message and hint; needs no values."""
    if isinstance(value, str):
        try:
            _parts(value)
        except _Malformed as exc:
            yield path, exc.message, exc.hint
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from problems(item, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for at, item in enumerate(value):
            yield from problems(item, (*path, at))


def escape(value: object) -> object:
    """The opposite of `interpolate`: plain data as a template that evaluates to it."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("<%", "<%%")
    if isinstance(value, Mapping):
        return {key: escape(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [escape(item) for item in value]
    return value


class _Malformed(Exception):
    """A marker that says nothing we know; the caller knows the place."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def _evaluated(text: str, scope: Scope, path: Path) -> object:
    if "${" not in text and "<%" not in text:
        return text
    try:
        parts = _parts(text)
    except _Malformed as exc:
        raise refusal(path, exc.message, exc.hint) from exc
    if len(parts) == 1 and isinstance(parts[0], Reference) and parts[0].root == "input":
        # The whole string is one input: a number stays a number, a list a list.
        return _value(parts[0], scope, path)
    return "".join(part if isinstance(part, str) else text_of(_value(part, scope, path)) for part in parts)


@lru_cache(maxsize=1024)  # the same string is evaluated again for every host of a group
def _parts(text: str) -> tuple[str | Reference, ...]:
    parts: list[str | Reference] = []
    end = 0
    for token in _TOKEN.finditer(text):
        if token.start() > end:
            parts.append(text[end : token.start()])
        parts.append(_part(token))
        end = token.end()
    if end < len(text):
        parts.append(text[end:])
    return tuple(parts)


def _part(token: re.Match[str]) -> str | Reference:
    written = token[0]
    if written == "$${":
        return "${"
    if written == "<%%":
        return "<%"
    if token[1] is not None:
        return _variable(written, token[1].strip())
    if token[2] is not None:
        return _erb(written, token[2].strip())
    if written == "<%":
        raise _Malformed("'<%' is not closed by '%>'", _ERB_HINT)
    raise _Malformed("'${' is not closed by '}'", _LITERAL_HINT)


def _variable(written: str, text: str) -> Reference:
    if text in _PLAIN:
        return Reference(written, text)
    root, dot, rest = text.partition(".")
    if root == "input" and rest:
        return Reference(written, root, rest)
    if root in _KINDS and dot:
        # A name may itself have dots, an attribute may not.
        key, dot, attribute = rest.rpartition(".")
        if key and attribute:
            return Reference(written, root, key, attribute.lower())
    raise _Malformed(f"{shown(written)} is not a variable", f"{known_names(text, _ROOTS)}; {_LITERAL_HINT}")


def _erb(written: str, text: str) -> Reference:
    if match := _ERB_NAME.fullmatch(text):
        return Reference(written, _ERB_VARIABLES[match[1]])
    if match := _ERB_OBJECT.fullmatch(text):
        return Reference(written, _ERB_KINDS[match[1]], str(int(match[2])), match[4].lower())
    raise _Malformed(f"{shown(written)} is Ruby code, which is never run", _ERB_HINT)


def _value(reference: Reference, scope: Scope, path: Path) -> object:
    if reference.root == "provision":
        return scope.name
    if reference.root == "provision_id":
        return scope.provision_id
    if reference.root == "index":
        if scope.index is None:
            raise refusal(path, f"{shown(reference.written)} has no value here", "only hosts have an index")
        return scope.index
    if reference.root == "input":
        if reference.key not in scope.inputs:
            raise refusal(
                path, f"there is no input {reference.key!r}", known_names(reference.key, scope.inputs)
            )
        return scope.inputs[reference.key]
    return _attribute(reference, scope.objects.get(reference.root, ()), path)


def _attribute(reference: Reference, records: tuple[Record, ...], path: Path) -> object:
    record = _record(reference, records, path)
    if reference.attribute not in record:
        raise refusal(
            path,
            f"{reference.root} {reference.key!r} has no attribute {reference.attribute!r}",
            known_names(reference.attribute, (key for key in record if key != ALIAS)),
        )
    return record[reference.attribute]


def _record(reference: Reference, records: tuple[Record, ...], path: Path) -> Record:
    if reference.key.isdecimal() and int(reference.key) < len(records):
        return records[int(reference.key)]
    for record in records:
        if reference.key == record.get("name") or reference.key == record.get(ALIAS):
            return record
    names = [f"{at} ({text_of(record.get('name'))})" for at, record in enumerate(records)]
    raise refusal(
        path,
        f"there is no {reference.root} {reference.key!r}",
        f"known: {', '.join(names[:12])}" if names else f"there is no {reference.root} at all",
    )
