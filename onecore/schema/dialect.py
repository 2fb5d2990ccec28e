"""JSON Schema 2020-12 as it is meant here; import it lazily, it brings jsonschema along."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, cast

from jsonschema import Draft202012Validator, TypeChecker, ValidationError
from jsonschema.validators import extend
from referencing import Registry


class Validator(Protocol):
    """What is used of a validator; the types of jsonschema do not say that any value may be checked."""

    def evolve(self, *, schema: object) -> "Validator": ...

    def is_valid(self, instance: object) -> bool: ...

    def iter_errors(self, instance: object) -> Iterator[ValidationError]: ...


def validator_for(schema: Mapping[str, object]) -> Validator:
    # An empty registry: a schema that points to the network must fail, not fetch.
    return cast("Validator", _DIALECT(schema, registry=Registry()))


def _is_integer(checker: TypeChecker, value: object) -> bool:
    """Coercion has made 3.0 an integer already; what is left, such as 1e300, is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def _unique_items(
    validator: Validator, wanted: object, value: object, schema: Mapping[str, object]
) -> Iterator[ValidationError]:
    """The check of jsonschema compares every pair of mappings: minutes for a list of the largest size."""
    if wanted is True and isinstance(value, list):
        distinct = {json.dumps(item, sort_keys=True) for item in value}
        if len(distinct) < len(value):
            yield ValidationError("an item is given twice")


_DIALECT = cast("Callable[..., Callable[..., object]]", extend)(
    Draft202012Validator,
    validators={"uniqueItems": _unique_items},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)
