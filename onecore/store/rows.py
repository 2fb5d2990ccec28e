"""Records as rows: each field of a record is a column of its name, and what is no scalar is kept as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from onecore.store.engine import Row, Value

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def columns(record: "DataclassInstance", **renamed: str) -> dict[str, Value]:
    """The values of a record by column. `renamed`: the columns of fields that have another name."""
    return {renamed.get(f.name, f.name): _column(getattr(record, f.name)) for f in fields(record)}


def read(row: Row, *texts: str) -> dict[str, Any]:
    """The columns of a row, those that are JSON (`texts`) as what they say."""
    return {**dict(row), **{name: json.loads(row[name]) for name in texts}}


def _column(value: object) -> Value:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Enum):
        return value.value  # type: ignore[no-any-return]
    if value is None or isinstance(value, str | int | float | bytes):
        return value
    return json.dumps(value, default=_plain)


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON")
