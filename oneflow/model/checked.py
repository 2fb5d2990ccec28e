"""What clients send, checked against a schema, with the messages that clients of OneFlow know."""

from typing import TYPE_CHECKING, Any

from onecore.errors import InvalidInput
from oneflow.model.schema import Schema

if TYPE_CHECKING:
    from jsonschema import ValidationError

Body = dict[str, Any]


def checked(data: object, schema: Schema, noun: str = "service template") -> Body:
    """`data` as the schema wants it: numbers as numbers, defaults in, unknown keys kept. Raises InvalidInput
    with the first thing that is wrong; `noun`: what the whole is called."""
    from onecore.schema.fit import fitted  # lazy: brings jsonschema

    body, problems = fitted(data, schema)
    if problems:
        raise InvalidInput(_explained(problems[0], noun))
    return dict(body)  # a mapping, or it had not passed


def _explained(error: "ValidationError", noun: str) -> str:
    """`KEY: 'cardinality' must be an Integer`, and which role or policy is meant."""
    path = list(error.absolute_path)
    rule: Any = error.validator_value
    instance: Any = error.instance
    if error.validator == "required":
        missing = next(key for key in rule if key not in instance)
        return f"KEY: '{missing}' is required{_where(path)}"
    key = next((part for part in reversed(path) if isinstance(part, str)), noun)
    text = {
        "type": f"must be {_TYPES.get(str(rule), 'of another type')}",
        "enum": f"must be one of {', '.join(map(str, rule))}" if error.validator == "enum" else "",
        "minimum": f"must be greater than or equal to {rule}",
    }.get(str(error.validator), error.message)
    return f"KEY: '{key}' {text}{_where(path[:-1])}"


def _where(path: list[str | int]) -> str:
    return f" (in {'.'.join(str(part) for part in path)})" if path else ""


_TYPES = {
    "integer": "an Integer",
    "string": "a String",
    "array": "an Array",
    "boolean": "a Boolean",
    "object": "a Hash",
    "['string', 'object']": "a String or a Hash",
    "['string', 'integer']": "a String",
}
