"""From a file and `--set` to the inputs of a provision that a driver folder makes."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from onecore.errors import InvalidInput
from oneprovision.model.shapes import mapping_at, text_of

VALUES = "user_inputs_values"


@dataclass(frozen=True)
class FolderForm:
    """What was said; what was not is empty."""

    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    name: str = ""
    description: str = ""
    deployment: str = ""
    provider_id: int | None = None


def form_of(file: Path | None, sets: Sequence[str]) -> FolderForm:
    """The file has the inputs by name, or the body that OneForm is posted: its user_inputs_values."""
    data = _data(file) if file is not None else {}
    chosen = dict(_pair(text) for text in sets)
    if VALUES not in data:
        return FolderForm({**data, **chosen})
    number = data.get("provider_id")
    if number is not None and not text_of(number).isdecimal():
        raise InvalidInput(f"provider_id: {text_of(number)[:80]!r} is not the id of a provider")
    return FolderForm(
        values={**mapping_at(data[VALUES], (VALUES,)), **chosen},
        name=text_of(data.get("name")),
        description=text_of(data.get("description")),
        deployment=text_of(data.get("deployment_type") or data.get("deployment_file")),
        provider_id=None if number is None else int(text_of(number)),
    )


def _data(file: Path) -> Mapping[str, object]:
    from onecore.schema import load_file, load_text  # lazy: brings the YAML reader

    name = "standard input" if str(file) == "-" else str(file)
    data = load_text(sys.stdin.read(), name).data if str(file) == "-" else load_file(file).data
    if not isinstance(data, Mapping):
        raise InvalidInput(f"{name}: the inputs are not a mapping of names to values")
    return data


def _pair(text: str) -> tuple[str, object]:
    """A list or a map may be written as JSON, a list also with commas."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise InvalidInput(f"--set {text!r} has no '='", hint="as in: --set oneform_hosts=3")
    return name.removeprefix("input."), value
