"""Words for what the validator found, with the line and the field of each problem."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from onecore.schema.coerce import below, referred
from onecore.schema.document import Document
from onecore.schema.keyword_words import WORDS, wrong_type
from onecore.schema.problems import Problem, path_text, shown

if TYPE_CHECKING:
    from jsonschema import ValidationError


@dataclass(frozen=True)
class Subject:
    """What was checked against what."""

    document: Document
    schema: Mapping[str, object]


def problems_of(errors: "Iterable[ValidationError]", subject: Subject) -> list[Problem]:
    return [problem for error in errors for problem in _problems(error, subject)]


def _problems(error: "ValidationError", subject: Subject) -> Iterator[Problem]:
    if error.validator in ("anyOf", "oneOf"):
        yield from _of_branches(error, subject)
    elif error.validator == "additionalProperties" and error.validator_value is False:
        yield from _of_unknown_keys(error, subject)
    else:
        for message in _messages(error, subject):
            yield _problem(message, error, subject)


def _messages(error: "ValidationError", subject: Subject) -> list[str]:
    value, wanted = error.instance, error.validator_value
    if error.validator == "required":
        return [f"{shown(key)} is missing" for key in _missing(error)]
    words = WORDS.get(str(error.validator))
    if words is not None:
        return [words(_shown(error, subject), value, wanted)]
    if error.schema is False:
        # The validator does not tell where, so the value has to.
        return [f"{_shown(error, subject)} may not be given"]
    return [f"{_shown(error, subject)} does not satisfy the rule {shown(str(error.validator))}"]


def _of_unknown_keys(error: "ValidationError", subject: Subject) -> Iterator[Problem]:
    from difflib import get_close_matches  # lazy: for this message only

    schema = cast("Mapping[str, Mapping[str, object]]", error.schema)
    known = list(schema.get("properties", {}))
    path = list(error.absolute_path)
    for key in cast("Mapping[str, object]", error.instance):
        if key in known or _matches_a_pattern(key, schema):
            continue
        close = get_close_matches(key, known, n=1)
        advice = f"; did you mean {shown(close[0])}?" if close else ""
        message = f"{shown(key)} is not known here{advice}"
        yield Problem(message, subject.document.line([*path, key]), path_text(path))


def _of_branches(error: "ValidationError", subject: Subject) -> Iterator[Problem]:
    """The problems of the alternative that was most likely meant."""
    branches: dict[object, list[ValidationError]] = {}
    for child in error.context or ():
        branches.setdefault(child.schema_path[0], []).append(child)
    meant = [branch for branch in branches.values() if not any(map(_is_wrong_type, branch))]
    if not branches:
        yield _problem("this fits more than one of the allowed forms", error, subject)
    elif not meant:
        types = [name for branch in branches.values() for name in _wanted_types(branch)]
        yield _problem(wrong_type(_shown(error, subject), error.instance, types), error, subject)
    elif len(meant) > 1 and all(map(_only_lacks_keys, meant)):
        choices = " or ".join(" and ".join(_lacking(branch)) for branch in meant)
        yield _problem(f"one of these is missing: {choices}", error, subject)
    else:
        for child in min(meant, key=_distance):
            yield from _problems(child, subject)


def _is_wrong_type(error: "ValidationError") -> bool:
    return error.validator == "type" and not error.relative_path


def _wanted_types(branch: "list[ValidationError]") -> list[str]:
    found: list[str] = []
    for error in filter(_is_wrong_type, branch):
        wanted = error.validator_value
        found += wanted if isinstance(wanted, list) else [str(wanted)]
    return found


def _only_lacks_keys(branch: "list[ValidationError]") -> bool:
    return all(error.validator == "required" and not error.relative_path for error in branch)


def _lacking(branch: "list[ValidationError]") -> list[str]:
    return list(dict.fromkeys(shown(key) for error in branch for key in _missing(error)))


def _missing(error: "ValidationError") -> list[str]:
    given = cast("Mapping[str, object]", error.instance)
    return [key for key in cast("list[str]", error.validator_value) if key not in given]


def _distance(branch: "list[ValidationError]") -> tuple[bool, int]:
    """A wrong discriminator (`type: const`) weighs more than any number of other faults."""
    other_kind = any(error.validator == "const" for error in branch)
    return other_kind, len(branch)


def _matches_a_pattern(key: str, schema: Mapping[str, object]) -> bool:
    import re  # lazy: for this message only

    patterns = schema.get("patternProperties")
    return isinstance(patterns, Mapping) and any(re.search(pattern, key) for pattern in patterns)


def _shown(error: "ValidationError", subject: Subject) -> str:
    secret = _is_secret(list(error.absolute_schema_path), subject.schema, subject.schema)
    return "this secret" if secret else shown(error.instance)


def _is_secret(path: list[str | int], part: object, root: Mapping[str, object]) -> bool:
    """Whether the broken rule, or any part of the schema on the way to it, is marked as secret."""
    if isinstance(part, Mapping):
        if part.get("writeOnly") is True or part.get("format") == "password":
            return True
        # The validator leaves `$ref` out of its paths, so the way may go on there.
        if "$ref" in part and _is_secret(path, referred(part, root), root):
            return True
    return bool(path) and _is_secret(path[1:], below(part, path[0]), root)


def _problem(message: str, error: "ValidationError", subject: Subject) -> Problem:
    path = list(error.absolute_path)
    key = error.instance if "propertyNames" in error.schema_path else None
    line = subject.document.line([*path, key] if isinstance(key, str) else path)
    return Problem(message, line, path_text(path))
