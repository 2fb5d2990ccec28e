"""Data that came over the wire, made to fit a schema."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from onecore.schema.coerce import Coercer
from onecore.schema.dialect import validator_for

if TYPE_CHECKING:
    from jsonschema import ValidationError


def fitted(data: object, schema: Mapping[str, object]) -> "tuple[Any, list[ValidationError]]":
    """`data` as the schema wants it: numbers as numbers, defaults in, unknown keys kept; and what is wrong
    with it, in the order of the places."""
    validator = validator_for(schema)

    def fits(value: object, part: object) -> bool:
        return validator.evolve(schema=part).is_valid(value)

    body: Any = Coercer(schema, fits, {}).coerce(data, schema)
    problems = sorted(validator.iter_errors(body), key=lambda error: [str(p) for p in error.absolute_path])
    return body, problems
