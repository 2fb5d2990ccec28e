"""Lays `--set path=value` over a merged template."""

from collections.abc import Mapping, Sequence

from onecore.errors import InvalidInput
from oneprovision.model.refusal import known_names, refusal
from oneprovision.model.shapes import mapping_at, mappings_at
from oneprovision.model.template_schema import TEMPLATE_SCHEMA

_INPUT_WORDS = ("input", "inputs")


def apply_sets(template: Mapping[str, object], sets: Sequence[str]) -> dict[str, object]:
    """A copy with every `path=value` laid over it, in their order.

    `input.NAME=value` answers an input; any other dotted path names a value of the template.
    """
    result = dict(template)
    for text in sets:
        path, equals, value = text.partition("=")
        steps = path.strip().split(".")
        if not equals or not all(steps):
            raise InvalidInput(
                f"--set {text!r} is not path=value", hint="for example hosts.0.provision.count=5"
            )
        if len(steps) == 2 and steps[0] in _INPUT_WORDS and not steps[1].isdecimal():
            result["inputs"] = _answered(result, steps[1], _scalar(value, path))
            continue
        _check_section(result, path, steps[0])
        result = dict(_in_mapping(result, steps, _scalar(value, path), path))
    return result


def _answered(template: Mapping[str, object], name: str, value: object) -> list[object]:
    inputs = mappings_at(template.get("inputs"), ("inputs",))
    names = [str(entry["name"]) for entry in inputs]
    if name not in names:
        raise InvalidInput(f"--set input.{name}: there is no such input", hint=known_names(name, names))
    return [{**entry, "value": value} if entry["name"] == name else entry for entry in inputs]


def _check_section(template: Mapping[str, object], path: str, section: str) -> None:
    known = TEMPLATE_SCHEMA["properties"]
    names = list({**template, **mapping_at(known, ())})
    if section not in names or section == "extends":
        raise InvalidInput(
            f"--set {path}: there is no {section!r} in a template", hint=known_names(section, names)
        )


def _laid(data: object, steps: list[str], value: object, path: str) -> object:
    if not steps:
        return value
    if isinstance(data, list):
        return _in_list(data, steps, value, path)
    if isinstance(data, Mapping):
        return _in_mapping(data, steps, value, path)
    if data is None and not steps[0].isdecimal():
        return _in_mapping({}, steps, value, path)
    what = "nothing is there" if data is None else "a single value is there"
    raise refusal((), f"--set {path}: {what}, so it has no {steps[0]!r}")


def _in_mapping(
    data: Mapping[str, object], steps: list[str], value: object, path: str
) -> Mapping[str, object]:
    return {**data, steps[0]: _laid(data.get(steps[0]), steps[1:], value, path)}


def _in_list(data: list[object], steps: list[str], value: object, path: str) -> list[object]:
    if not steps[0].isdecimal() or int(steps[0]) >= len(data):
        count = f"the list has {len(data)}, numbered from 0" if data else "the list is empty"
        raise InvalidInput(f"--set {path}: there is no entry {steps[0]!r}", hint=count)
    at = int(steps[0])
    return [*data[:at], _laid(data[at], steps[1:], value, path), *data[at + 1 :]]


def _scalar(text: str, path: str) -> object:
    """A YAML scalar, or a list or mapping in brackets; what YAML cannot read is text."""
    from onecore.schema import load_text  # lazy: only --set needs it here

    text = text.strip()
    if text in ("null", "~"):
        return None
    in_brackets = text.startswith(("[", "{"))
    try:
        document = load_text(text, f"--set {path}")
    except InvalidInput:
        if in_brackets:
            raise
        return text
    value = document.data
    if isinstance(value, list | dict):
        return value if in_brackets else text
    # 010 and 1.10 stay what was typed; a field that wants a number says so in the schema.
    same = isinstance(value, bool | str) or str(value) == text
    return value if same else text
