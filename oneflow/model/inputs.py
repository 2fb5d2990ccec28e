"""What a template asks its users for: `M|number|the port||80`, five fields between bars (reference 2.2)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onecore.errors import InvalidInput
from oneflow.model import networks

YES_OR_NO = ("YES", "NO")
NETWORK = "network"

_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_NUMBERS = {"number": True, "range": True, "number-float": False, "float": False, "range-float": False}


@dataclass(frozen=True)
class Input:
    """One value that is asked for. `options` are those of a list, or the two ends of a range."""

    name: str
    mandatory: bool = True
    kind: str = "text"
    about: str = ""
    options: tuple[str, ...] = ()
    default: str = ""

    @property
    def is_secret(self) -> bool:
        return self.kind == "password"

    def problem(self, value: object) -> str:
        """Why it cannot have this value; empty if it can."""
        text = as_text(value)
        if not text:
            return "needs a value" if self.mandatory else ""
        if self.kind == NETWORK:
            return _network_problem(self.name, text)
        if self.kind == "fixed":
            return "" if text == self.default else f"is always {self.default!r}"
        if self.kind in _NUMBERS:
            return self._number_problem(text)
        allowed = YES_OR_NO if self.kind == "boolean" else self.options
        given = {"boolean": [text.upper()], "list": [text], "list-multiple": text.split(",")}
        unknown = [each for each in given.get(self.kind, ()) if allowed and each not in allowed]
        return f"is one of {', '.join(allowed)}, not {unknown[0]!r:.80}" if unknown else ""

    def _number_problem(self, text: str) -> str:
        whole = _NUMBERS[self.kind]
        number = _number(text, whole)
        if number is None:
            return f"is a {'whole number' if whole else 'number'}, not {text!r:.80}"
        ends = [_number(end, whole) for end in self.options] if self.kind.startswith("range") else []
        if len(ends) == 2 and None not in ends and not (ends[0] or 0) <= number <= (ends[1] or 0):
            return f"is from {self.options[0]} to {self.options[1]}, not {text}"
        return ""


def parsed(name: str, definition: object) -> Input:
    """What is not written in fields is a description of a text that has to be given."""
    fields = [field.strip() for field in definition.split("|", 4)] if isinstance(definition, str) else []
    if len(fields) < 2 or fields[0] not in ("M", "O"):
        return Input(name, about=str(definition or ""))
    kind, about, options, default = [*fields[1:], "", "", ""][:4]
    separator = ".." if kind.startswith("range") else ","
    parts = tuple(part.strip() for part in options.split(separator)) if options else ()
    return Input(name, fields[0] == "M", kind, about, parts, default)


def asked(body: Mapping[str, Any]) -> list[Input]:
    """Of a service or a role, in the order of the template."""
    definitions = body.get("custom_attrs")
    return [parsed(*each) for each in definitions.items()] if isinstance(definitions, Mapping) else []


def values(body: Mapping[str, Any]) -> dict[str, Any]:
    """Those that were given to a service or a role."""
    given = body.get("custom_attrs_values")
    return dict(given) if isinstance(given, Mapping) else {}


def unanswered(body: Mapping[str, Any]) -> list[Input]:
    """Those that nothing is known for."""
    return [each for each in asked(body) if as_text(values(body).get(each.name)) == ""]


def with_values(template: Mapping[str, Any]) -> dict[str, Any]:
    """A template whose service and roles have a value for each of their inputs: what was given, the default,
    or nothing for what is optional. Raises InvalidInput naming all that is missing, or the first that is
    wrong."""
    roles = [(f"role '{role['name']}'", role) for role in template["roles"]]
    lacking = [
        f"{where} lacks {names}"
        for where, part in [("service", template), *roles]
        if (names := _missing(part))
    ]
    if lacking:
        raise InvalidInput(
            "Verify that every User Input have its corresponding value defined: " + "; ".join(lacking),
            hint='give them as {"custom_attrs_values": {…}}, in merge_template or in the FILE of instantiate',
        )
    return {**_completed(template, "service"), "roles": [_completed(role, where) for where, role in roles]}


def as_text(value: object) -> str:
    """A value as it is put into templates."""
    if isinstance(value, bool):
        return YES_OR_NO[0] if value else YES_OR_NO[1]
    return "" if value is None else str(value)


def _network_problem(name: str, text: str) -> str:
    try:
        networks.read(name, text)
    except InvalidInput:
        return f"is a network such as id:3, template_id:3 or reserve_from:3, not {text!r:.80}"
    return ""


def _missing(body: Mapping[str, Any]) -> str:
    return ", ".join(sorted(each.name for each in unanswered(body) if each.mandatory and not each.default))


def _completed(body: Mapping[str, Any], where: str) -> dict[str, Any]:
    full = {**values(body), **{each.name: each.default for each in unanswered(body)}}
    for each in asked(body):
        problem = each.problem(full[each.name])
        if problem:
            raise InvalidInput(f"User Input {each.name} of {where} {problem}")
    return {**body, "custom_attrs_values": full} if full else dict(body)


def _number(text: str, whole: bool) -> float | None:
    if whole:
        return float(text) if _WHOLE.fullmatch(text) else None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None
