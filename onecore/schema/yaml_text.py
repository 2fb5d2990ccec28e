"""Reads YAML text into nodes with the safe core types only; import it lazily, it brings PyYAML along."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, cast

import yaml

from onecore.schema.nodes import Limits, Node, Scalar, list_node, mapping_node, number_problem
from onecore.schema.problems import printable, shown
from onecore.schema.yaml_words import in_words

LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_Constructor = Callable[[yaml.SafeLoader, yaml.Node], Scalar]

_CORE = "tag:yaml.org,2002:"
_SCALAR_KINDS = frozenset({"null", "bool", "int", "float", "str"})
_MAX_NUMBER_CHARS = 100
_ABSURD: int = 10**_MAX_NUMBER_CHARS
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse_yaml(text: str, name: str, loader: type[yaml.SafeLoader] = LOADER) -> Node:
    """The one document of the text.

    Works on parser events, not on PyYAML's own nodes: so depth and size are refused before anything
    is built or any recursion gets deep, and an alias costs what it would expand to, without expanding.
    """
    limits = Limits(name)
    _refuse_oddities(text, limits)
    try:
        return _Composer(text, limits, loader).document()
    except yaml.MarkedYAMLError as exc:
        raise limits.refuse(*in_words(exc, last_line=len(text.splitlines()))) from exc
    except yaml.YAMLError as exc:
        raise limits.refuse(f"not YAML: {printable(str(exc))}", None) from exc


def _refuse_oddities(text: str, limits: Limits) -> None:
    control = _CONTROL.search(text)
    if control:
        message = f"the control character {shown(control[0])} is not allowed"
        raise limits.refuse(message, text.count("\n", 0, control.start()) + 1)
    # libyaml takes quadratic time over these, and the tags they abbreviate would be refused anyway.
    tag_directive = re.search(r"^%TAG\b", text, re.MULTILINE)
    if tag_directive:
        line = text.count("\n", 0, tag_directive.start()) + 1
        raise limits.refuse("%TAG directives are not allowed", line)


class _Parser(Protocol):
    """The untyped half of a PyYAML loader that is used here."""

    def check_event(self, kind: type[yaml.Event]) -> bool: ...

    def get_event(self) -> yaml.Event: ...

    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str: ...


class _Composer:
    def __init__(self, text: str, limits: Limits, loader: type[yaml.SafeLoader]) -> None:
        self._loader = loader(text)
        self._parser = cast("_Parser", self._loader)
        self._limits = limits
        self._anchors: dict[str, Node] = {}
        self._open: set[str] = set()

    def document(self) -> Node:
        self._next()  # start of the stream
        if self._at(yaml.StreamEndEvent):
            raise self._limits.refuse("the document is empty", 1)
        self._next()  # start of the document
        root = self._node(0)
        self._next()  # end of the document
        if not self._at(yaml.StreamEndEvent):
            line = _line(self._next())
            raise self._limits.refuse("a second document begins here; give one document only", line)
        return root

    def _node(self, depth: int) -> Node:
        event = self._next()
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        self._limits.spend(1, _line(event))
        if isinstance(event, yaml.ScalarEvent):
            return self._remember(event.anchor, self._scalar(event))
        assert isinstance(event, yaml.CollectionStartEvent)  # noqa: S101 - the grammar leaves nothing else
        return self._collection(event, depth + 1)

    def _collection(self, event: yaml.CollectionStartEvent, depth: int) -> Node:
        self._limits.check_depth(depth, _line(event))
        is_list = isinstance(event, yaml.SequenceStartEvent)
        self._check_tag(event, {"seq" if is_list else "map"})
        if event.anchor:
            self._open.add(event.anchor)
        node = self._sequence(event, depth) if is_list else self._mapping(event, depth)
        self._open.discard(event.anchor)
        return self._remember(event.anchor, node)

    def _sequence(self, start: yaml.Event, depth: int) -> Node:
        items: list[Node] = []
        while not self._at(yaml.SequenceEndEvent):
            items.append(self._node(depth))
        self._next()
        return list_node(items, _line(start))

    def _mapping(self, start: yaml.Event, depth: int) -> Node:
        entries: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        first_lines: dict[str, int] = {}
        while not self._at(yaml.MappingEndEvent):
            event = self._next()
            if self._is_merge(event):
                self._merge(merged, self._node(depth))
                continue
            key, line = self._key(event), _line(event)
            if key in first_lines:
                message = f"key {shown(key)} is given twice, first in line {first_lines[key]}"
                raise self._limits.refuse(message, line)
            first_lines[key] = line
            entries[key] = self._node(depth)
        self._next()
        return mapping_node({**merged, **entries}, _line(start))

    def _is_merge(self, event: yaml.Event) -> bool:
        return isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]

    def _merge(self, merged: dict[str, Node], source: Node) -> None:
        """`<<: *defaults`: what is written out wins, then the mapping named first."""
        for node in source.value if isinstance(source.value, list) else [source]:
            if not isinstance(node.value, dict):
                raise self._limits.refuse("'<<' takes a mapping or a list of mappings", source.line)
            for key, child in node.value.items():
                merged.setdefault(key, child)

    def _key(self, event: yaml.Event) -> str:
        """The text of a key as written: `on`, `1` and `0x10` are names here, whatever YAML makes of them."""
        if isinstance(event, yaml.ScalarEvent):
            self._limits.spend(1, _line(event))
            self._check_tag(event, _SCALAR_KINDS)
            return str(self._remember(event.anchor, Node(event.value, _line(event))).value)
        if isinstance(event, yaml.AliasEvent):
            node = self._alias(event, 0)
            if not isinstance(node.value, dict | list):
                return node.source if node.source is not None else str(node.value)
        raise self._limits.refuse("a key must be a word, not a list or a mapping", _line(event))

    def _alias(self, event: yaml.AliasEvent, depth: int) -> Node:
        line = _line(event)
        name = event.anchor or ""
        if name in self._open:
            raise self._limits.refuse(f"alias {shown('*' + name)} refers to what it is part of", line)
        node = self._anchors.get(name)
        if node is None:
            raise self._limits.refuse(f"alias {shown('*' + name)} has no anchor before it", line)
        self._limits.spend(node.size, line)
        self._limits.check_depth(depth + node.height, line)
        return replace(node, line=line)

    def _remember(self, anchor: str | None, node: Node) -> Node:
        if anchor:
            self._anchors[anchor] = node
        return node

    def _scalar(self, event: yaml.ScalarEvent) -> Node:
        kind = self._scalar_kind(event)
        if kind == "str":
            return Node(event.value, _line(event))
        try:
            value = self._construct(kind, event.value)
        except (ValueError, LookupError, ArithmeticError) as exc:
            raise self._limits.refuse(f"{shown(event.value)} is not of type !!{kind}", _line(event)) from exc
        if isinstance(value, int | float):
            self._check_number(value, event)
        return Node(value, _line(event), source=event.value)

    def _construct(self, kind: str, text: str) -> Scalar:
        # Numbers in base 60 (1:30:00) take quadratic time, so no long ones.
        if kind in ("int", "float") and len(text) > _MAX_NUMBER_CHARS:
            return _ABSURD
        construct = cast(_Constructor, self._loader.yaml_constructors[_CORE + kind])
        return construct(self._loader, yaml.ScalarNode(_CORE + kind, text))

    def _check_number(self, value: int | float, event: yaml.ScalarEvent) -> None:
        problem = number_problem(value)
        if problem:
            raise self._limits.refuse(f"{problem}; quote it if it is text", _line(event))

    def _scalar_kind(self, event: yaml.ScalarEvent) -> str:
        """Timestamps and the other implicit types of YAML 1.1 stay text."""
        if event.tag in (None, "!"):
            tag = self._parser.resolve(yaml.ScalarNode, event.value, event.implicit)
            kind = tag.removeprefix(_CORE)
            return kind if kind in _SCALAR_KINDS else "str"
        self._check_tag(event, _SCALAR_KINDS)
        return str(event.tag).removeprefix(_CORE)

    def _check_tag(self, event: yaml.Event, allowed: set[str] | frozenset[str]) -> None:
        tag = getattr(event, "tag", None)
        if tag in (None, "!") or str(tag).removeprefix(_CORE) in allowed:
            return
        name = str(tag).replace(_CORE, "!!", 1)
        raise self._limits.refuse(f"the tag {shown(name)} is not allowed here", _line(event))

    def _at(self, kind: type[yaml.Event]) -> bool:
        return self._parser.check_event(kind)

    def _next(self) -> yaml.Event:
        return self._parser.get_event()


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
