"""From the files of a template, parent to child, to the one checked template that is evaluated and stored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING

from onecore.errors import InvalidInput
from oneprovision.model.inputs import declaration_problem
from oneprovision.model.interpolate import problems as marker_problems
from oneprovision.model.merge import merge
from oneprovision.model.names import check_provision_name
from oneprovision.model.refusal import Path, closest
from oneprovision.model.sets import apply_sets
from oneprovision.model.shapes import mapping_at, mappings_at, text_of
from oneprovision.model.template_schema import TEMPLATE_SCHEMA

if TYPE_CHECKING:
    from onecore.schema import Document

_EVALUATED = ("defaults", "cluster", "hosts", "datastores", "networks")
_LISTS = ("hosts", "datastores", "networks", "inputs")
_TOP = (*_EVALUATED, "inputs", "playbook", "cleanup", "description", "extends", "version", "name")

# Sections of other generations: kept, and not taken for a slip of the pen.
_FOREIGN = ("images", "marketplaceapps", "templates", "vntemplates", "flowtemplates", "ansible", "provider")

# One of these has to be there; im_mad and vm_mad of a host are kvm unless somebody says otherwise.
_REQUIRED = (("datastores", ("tm_mad",)), ("datastores", ("ds_mad", "type")), ("networks", ("vn_mad",)))


@dataclass(frozen=True)
class Part:
    """One file after the checks that concern it alone."""

    document: "Document"
    data: Mapping[str, object]


@dataclass(frozen=True)
class Fault:
    """Something wrong at a place of a template, before it is known which line that is."""

    path: Path
    message: str
    hint: str = ""


def prepare(documents: "Sequence[Document]", sets: Sequence[str] = ()) -> dict[str, object]:
    """The merged template as plain data; every error names its file and line."""
    if not documents:
        raise InvalidInput("there is no template to prepare")
    parts = [_part(document) for document in documents]
    nothing: dict[str, object] = {}
    merged = reduce(merge, (part.data for part in parts), nothing)
    merged = {key: value for key, value in merged.items() if key != "extends"}
    if merged.get("inputs"):
        merged["inputs"] = _inputs(merged)
    if sets:
        merged = _with_sets(merged, sets)
    _check_whole(merged, parts)
    return {"version": 1, **merged}


def _part(document: "Document") -> Part:
    from onecore.schema import validate  # lazy: YAML and JSON Schema are needed where files are read only

    document = replace(document, data=_without_empty(document.data))
    data = validate(document, TEMPLATE_SCHEMA)
    _refuse(document, [*_unknown_sections(data), *_bad_markers(data), *_bad_inputs(data)])
    return Part(document, data)


def _without_empty(data: object) -> object:
    """`hosts:` with nothing behind it is an empty section and not a mistake."""
    if not isinstance(data, Mapping):
        return data
    kept = {key: value for key, value in data.items() if value is not None or key not in _TOP}
    for key, value in kept.items():
        if key in _LISTS and isinstance(value, list):
            kept[key] = [_without_nulls(entry) for entry in value]
        elif key in ("defaults", "cluster"):
            kept[key] = _without_nulls(value)
    return kept


def _without_nulls(entry: object) -> object:
    if not isinstance(entry, Mapping):
        return entry
    return {key: value for key, value in entry.items() if value is not None}


def _unknown_sections(data: Mapping[str, object]) -> Iterator[Fault]:
    for key in data:
        if key not in _TOP and key not in _FOREIGN and (near := closest(key, _TOP, cutoff=0.8)):
            yield Fault((key,), f"{key!r} is not a section of a template", f"did you mean {near!r}?")


def _bad_markers(data: Mapping[str, object]) -> Iterator[Fault]:
    for section in _EVALUATED:
        for path, message, hint in marker_problems(data.get(section), (section,)):
            yield Fault(path, message, hint)


def _bad_inputs(data: Mapping[str, object]) -> Iterator[Fault]:
    seen = set()
    for at, entry in enumerate(mappings_at(data.get("inputs"), ("inputs",))):
        if entry["name"] in seen:
            yield Fault(("inputs", at, "name"), f"there are two inputs named {text_of(entry['name'])!r}")
        seen.add(entry["name"])
        if problem := declaration_problem(entry):
            yield Fault(("inputs", at), problem)


def _refuse(document: "Document", faults: Sequence[Fault]) -> None:
    if not faults:
        return
    from onecore.schema.problems import Problem, path_text, refusal  # lazy: only a mistake needs it

    error = refusal(
        document.name,
        [Problem(fault.message, document.line(fault.path), path_text(fault.path)) for fault in faults],
    )
    raise InvalidInput(error.message, hint=error.hint or faults[0].hint, context=error.context)


def _inputs(merged: Mapping[str, object]) -> list[object]:
    # A child declares an input again to change it; it keeps its place among the questions.
    by_name: dict[object, object] = {}
    for entry in mappings_at(merged["inputs"], ("inputs",)):
        by_name[entry["name"]] = entry
    return list(by_name.values())


def _with_sets(merged: Mapping[str, object], sets: Sequence[str]) -> dict[str, object]:
    from onecore.schema import Document, validate  # lazy: only --set needs it here

    # The files were fine, so whatever is wrong now came with --set.
    document = Document("--set", _without_empty(apply_sets(merged, sets)), {})
    data = validate(document, TEMPLATE_SCHEMA)
    _refuse(document, [*_bad_markers(data), *_bad_inputs(data)])
    return data


def _check_whole(merged: Mapping[str, object], parts: Sequence[Part]) -> None:
    child = parts[-1].document
    if "name" not in merged:
        _refuse(child, [Fault((), "'name' is missing")])
    try:
        check_provision_name(text_of(merged["name"]))
    except InvalidInput as exc:
        for part in reversed(parts):
            if part.data.get("name") == merged["name"]:
                _refuse(part.document, [Fault(("name",), exc.message.removeprefix("name: "), exc.hint)])
        raise
    _check_required(merged, parts)


def _check_required(merged: Mapping[str, object], parts: Sequence[Part]) -> None:
    defaults = mapping_at(merged.get("defaults"), ("defaults",))
    for kind, names in _REQUIRED:
        for at, entry in enumerate(mappings_at(merged.get(kind), (kind,))):
            if not any(entry.get(name) or defaults.get(name) for name in names):
                document, own = _owner(kind, at, merged, parts)
                missing = " or ".join(f"{name!r}" for name in names)
                hint = f"write it here, or once for all as defaults.{names[0]}"
                _refuse(document, [Fault((kind, own), f"{missing} is missing", hint)])


def _owner(kind: str, at: int, merged: Mapping[str, object], parts: Sequence[Part]) -> "tuple[Document, int]":
    """The file an entry of a list came from, and its number there: lists are appended file by file."""
    owners = [
        (part.document, own)
        for part in parts
        for own in range(len(mappings_at(part.data.get(kind), (kind,))))
    ]
    whole = len(owners) == len(mappings_at(merged.get(kind), (kind,)))
    return owners[at] if whole else (replace(parts[-1].document, lines={}), at)
