"""Checks a document against a JSON Schema and returns it coerced, completed with defaults, safe to trust."""

from collections.abc import Mapping
from re import error as BadPattern

from onecore.errors import InvalidInput
from onecore.schema.coerce import Coercer
from onecore.schema.document import Document
from onecore.schema.plain import plain_copy
from onecore.schema.problems import Problem, cut, printable, refusal


def validate(document: Document, schema: Mapping[str, object]) -> dict[str, object]:
    """The data of the document as the schema wants it; keys the schema does not know are kept."""
    checked = _checked(document, schema)
    if not isinstance(checked, dict):
        what = "a list" if isinstance(checked, list) else "a single value"
        raise refusal(document.name, [Problem(f"this is {what}, not a mapping", document.line(()))])
    return checked


def validate_value(value: object, schema: Mapping[str, object], name: str) -> object:
    """The same for a value that comes from no text; `name` says in messages what it is."""
    return _checked(Document(name, value, {}), schema)


def _checked(document: Document, schema: Mapping[str, object]) -> object:
    # lazy: jsonschema and what it brings along cost about 80 ms
    from jsonschema.exceptions import UnknownType
    from referencing.exceptions import Unresolvable

    try:
        return _coerced(document, schema)
    # Drivers bring schemas of their own, so a bad one is somebody's mistake and not a bug of ours.
    except UnknownType as exc:
        raise _unusable(document, f"it names the unknown type '{exc.type}'") from exc
    except Unresolvable as exc:
        raise _unusable(document, f"there is nothing at $ref '{exc.ref}'") from exc
    except BadPattern as exc:
        raise _unusable(document, f"a pattern is wrong: {exc}") from exc
    except RecursionError as exc:
        raise _unusable(document, "it refers to itself without end") from exc


def _coerced(document: Document, schema: Mapping[str, object]) -> object:
    # lazy: see above
    from onecore.schema.dialect import validator_for
    from onecore.schema.explain import Subject, problems_of

    validator = validator_for(schema)

    def fits(value: object, part: object) -> bool:
        return validator.evolve(schema=part).is_valid(value)

    data = Coercer(schema, fits, document.sources).coerce(plain_copy(document), schema)
    problems = problems_of(validator.iter_errors(data), Subject(document, schema))
    if problems:
        raise refusal(document.name, problems)
    return data


def _unusable(document: Document, reason: str) -> InvalidInput:
    return InvalidInput(
        f"the schema for '{printable(document.name)}' is not usable: {printable(cut(reason))}",
        hint="this is a fault of whoever wrote the schema, not of the document",
    )
