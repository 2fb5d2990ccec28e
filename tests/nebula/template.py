"""Templates as OpenNebula keeps them: from the text that a client sends to values, and on to XML."""

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as Tree

from lxml import etree

Template = dict[str, Any]

_ATTRIBUTE = re.compile(
    r"""\s* ([A-Za-z_][\w-]*) \s*=\s*
        (?: \[ (?P<vector> (?: [^\]"]* | "(?:\\.|[^"\\])*" )* ) \]
          | "(?P<quoted> (?:\\.|[^"\\])* )"
          | (?P<bare> [^\n]* ) ) \s*""",
    re.VERBOSE | re.DOTALL,
)
_PAIR = re.compile(r'\s*([A-Za-z_][\w-]*)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^,"]*))\s*,?', re.DOTALL)


class BadTemplate(ValueError):
    """The text is no template."""


def parsed(text: str) -> Template:
    """XML, or lines of KEY=value. Names in upper case; one that comes again makes a list."""
    if text.lstrip().startswith("<"):
        try:
            return _of_element(etree.fromstring(text.encode(), etree.XMLParser(strip_cdata=False)))
        except etree.XMLSyntaxError as exc:
            raise BadTemplate(f"Parse error: {exc}") from exc
    result: Template = {}
    at = 0
    while text[at:].strip():
        found = _ATTRIBUTE.match(text, at)
        if found is None:
            raise BadTemplate(f"Parse error: syntax error, at: {text[at:].strip()[:60]}")
        value = _value(found)
        name = found[1].upper()
        before = result.get(name)
        if before is None:
            result[name] = value
        else:
            result[name] = [*before, value] if isinstance(before, list) else [before, value]
        at = found.end()
    return result


def merged(template: Mapping[str, Any], extra: Mapping[str, Any]) -> Template:
    """What the server makes of both: an attribute of the second replaces those of its name in the first."""
    return {**template, **extra}


def element(name: str, value: object) -> list[Tree.Element]:
    """One element for each value of that name."""
    if isinstance(value, list):
        return [each for inner in value for each in element(name, inner)]
    made = Tree.Element(name)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            made.extend(element(key, inner))
    else:
        made.text = str(value)
    return [made]


def _of_element(root: etree._Element) -> Template:
    """An element without anything in it is no attribute; with an empty CDATA section it is an empty one."""
    result: Template = {}
    for child in root:
        value: object = _of_element(child) if len(child) else child.text
        if value is None or value == {}:
            continue
        before = result.get(child.tag.upper())
        if before is None:
            result[child.tag.upper()] = value
        else:
            result[child.tag.upper()] = [*before, value] if isinstance(before, list) else [before, value]
    return result


def _value(found: re.Match[str]) -> object:
    if found["vector"] is not None:
        return {
            pair[1].upper(): _unescaped(pair[2]) or (pair[3] or "").strip()
            for pair in _pairs(found["vector"])
        }
    return _unescaped(found["quoted"]) if found["quoted"] is not None else found["bare"].strip()


def _pairs(text: str) -> list[re.Match[str]]:
    pairs, at = [], 0
    while text[at:].strip():
        found = _PAIR.match(text, at)
        if found is None:
            raise BadTemplate(f"Parse error: syntax error, at: {text[at:].strip()[:60]}")
        pairs.append(found)
        at = found.end()
    return pairs


def _unescaped(text: str | None) -> str:
    return (text or "").replace('\\"', '"')
