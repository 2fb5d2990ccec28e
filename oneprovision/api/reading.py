"""What comes in, checked: bodies against their schemas, and the flags of queries."""

from typing import TYPE_CHECKING, Any

from onecore.errors import InvalidInput
from onecore.http.operation import Call
from onecore.schema.fit import fitted
from oneprovision.api.schemas import OPTIONS, Schema
from oneprovision.model.provision import OnFailure

if TYPE_CHECKING:
    from jsonschema import ValidationError

_NO = ("false", "0", "no", "off")


def body_of(call: Call[Any], schema: Schema) -> dict[str, Any]:
    """The body as the schema wants it; keys that it does not know are left alone (reference 2). Raises
    InvalidInput whose context names every input with what is wrong (reference 2, validation errors)."""
    body, problems = fitted(call.data, schema)
    if not problems:
        return dict(body)
    said: dict[str, list[str]] = {}
    for problem in problems:
        name, text = _explained(problem)
        said.setdefault(name, []).append(text)
    first, texts = next(iter(said.items()))
    raise InvalidInput(f"'{first}' {texts[0]}", context=said)


def effort_of(body: dict[str, Any]) -> dict[str, object]:
    """The fields of Options that the body's `options` say."""
    said: dict[str, object] = {}
    for name, value in body.get("options", {}).items():
        if name in OPTIONS["properties"]:
            said[name] = tuple(map(OnFailure, value)) if name == "on_failure" else value
    return said


def present(data: bytes) -> object:
    """JSON; OneForm's words where there is nothing."""
    from onecore.schema.load import load_json  # lazy: only requests with a body

    if not data.strip():
        raise InvalidInput("Missing request body", hint="at least: {}")
    return load_json(data, "body")


def flag(call: Call[Any], name: str) -> bool:
    """`?force`, `?force=true`; not `?force=false`."""
    return name in call.query and call.query[name].lower() not in _NO


def _explained(error: "ValidationError") -> tuple[str, str]:
    rule: Any = error.validator_value
    place = ".".join(str(part) for part in error.absolute_path) or "body"
    if error.validator == "required":
        missing = next(key for key in rule if key not in error.instance)  # type: ignore[operator]
        return str(missing) if place == "body" else f"{place}.{missing}", "is missing"
    text = {
        "type": f"must be {_words(rule)}",
        "enum": f"must be one of {', '.join(map(str, rule))}" if isinstance(rule, list) else "",
        "minimum": f"must be at least {rule}",
    }.get(str(error.validator), "is not valid")
    return place, text


def _words(rule: object) -> str:
    types = rule if isinstance(rule, list) else [rule]
    return " or ".join(_TYPES.get(str(each), str(each)) for each in types)


_TYPES = {
    "integer": "a number",
    "number": "a number",
    "string": "a text",
    "array": "a list",
    "boolean": "true or false",
    "object": "a mapping",
}
