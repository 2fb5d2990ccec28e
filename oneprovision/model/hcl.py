"""Variables and validators of OpenTofu configuration files, read by an HCL parser: text in, values out."""

from collections.abc import Iterator, Mapping
from typing import cast

from onecore.errors import InvalidInput
from oneprovision.model.folder import Input, Match

Tree = Mapping[str, object]


def parse_hcl(text: str, name: str) -> Tree:
    """The file as plain data: texts without quotes, expressions as `${…}`. Errors name file and line."""
    # lazy: the parser and its grammar take a tenth of a second
    from hcl2 import SerializationOptions, loads
    from lark.exceptions import LarkError, UnexpectedInput

    options = SerializationOptions(with_comments=False, explicit_blocks=False, preserve_heredocs=False)
    try:
        parsed = loads(text, serialization_options=options)
    except UnexpectedInput as exc:
        line = exc.line if exc.line and exc.line > 0 else 1
        raise InvalidInput(f"{name}:{line}: this is not HCL") from exc
    except (LarkError, RuntimeError, RecursionError) as exc:
        raise InvalidInput(f"{name}: this is not HCL") from exc
    return cast(Tree, _plain(parsed))


def variables(tree: Tree, validators: Mapping[str, Match] | None = None) -> list[Input]:
    """The `variable` blocks, in the order of the file."""
    matches = validators or {}
    return [_input(name, block, matches.get(name)) for name, block in _blocks(tree, "variable")]


def outputs(tree: Tree) -> set[str]:
    return {name for name, _ in _blocks(tree, "output")}


def validators(tree: Tree, name: str) -> dict[str, Match]:
    """`locals.validators`: `{name = {type, values, grouped_by}}`."""
    found: dict[str, Match] = {}
    for block in _list(tree.get("locals")):
        declared = block.get("validators") if isinstance(block, Mapping) else None
        for key, written in (declared if isinstance(declared, Mapping) else {}).items():
            found[str(key)] = match_of(written, f"{name}: validators.{key}")
    return found


def match_of(written: object, where: str) -> Match:
    """A validator; both files and template headers write them alike."""
    if not isinstance(written, Mapping) or written.get("type") not in ("list", "number", "string", "map"):
        raise InvalidInput(f"{where}: a validator needs a type: list, number, string or map")
    kind, values = str(written["type"]), written.get("values")
    wanted = {"list": list, "number": Mapping, "string": str, "map": Mapping}[kind]
    if not isinstance(values, wanted):
        raise InvalidInput(
            f"{where}: the values of a {kind} are not {'a text' if kind == 'string' else kind}"
        )
    grouped_by = str(written.get("grouped_by") or "")
    if kind == "map" and not grouped_by:
        raise InvalidInput(f"{where}: a map needs grouped_by, the name of another input")
    return Match(kind, values, grouped_by)


def _input(name: str, block: Mapping[str, object], match: Match | None) -> Input:
    return Input(
        name=name,
        type=_type(block.get("type")),
        description=str(block.get("description") or "").strip(),
        default=block.get("default"),
        mandatory="default" not in block,
        sensitive=block.get("sensitive") is True,
        match=match,
    )


def _type(written: object) -> str:
    text = str(written or "string")
    return text[2:-1] if text.startswith("${") and text.endswith("}") else text


def _blocks(tree: Tree, kind: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    for labelled in _list(tree.get(kind)):
        for name, block in (labelled if isinstance(labelled, Mapping) else {}).items():
            yield str(name), block if isinstance(block, Mapping) else {}


def _plain(value: object) -> object:
    """The parser leaves the quotes on texts, so that they differ from expressions."""
    if isinstance(value, Mapping):
        return {_unquoted(str(key)): _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return _unquoted(value) if isinstance(value, str) else value


def _unquoted(text: str) -> str:
    if len(text) < 2 or not (text[0] == text[-1] == '"'):
        return text
    from hcl2.utils import process_escape_sequences  # lazy: as above

    return process_escape_sequences(text[1:-1]).replace("$${", "${").replace("%%{", "%{")


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
