"""Records become rows and rows records again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from pathlib import Path
from types import MappingProxyType

import pytest

from onecore.store import rows
from onecore.store.engine import CORE, open_database


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


@dataclass(frozen=True)
class Part:
    size: int
    colours: tuple[Colour, ...] = ()


@dataclass(frozen=True)
class Thing:
    id: int
    colour: Colour = Colour.RED
    level: Level = Level.HIGH
    is_new: bool = True
    price: float | None = None
    tags: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({"a": (1, 2)}))
    part: Part = field(default_factory=lambda: Part(1, (Colour.RED,)))


def test_each_field_is_a_column_and_what_is_no_scalar_is_json():
    assert rows.columns(Thing(7), is_new="fresh") == {
        "id": 7,
        "colour": "red",
        "level": 3,
        "fresh": 1,
        "price": None,
        "tags": '{"a": [1, 2]}',
        "part": '{"size": 1, "colours": ["red"]}',
    }


def test_what_was_written_is_read(tmp_path: Path):
    database = open_database(tmp_path / "one.db", (CORE,))
    with database.begin() as tx:
        tx.run("CREATE TABLE thing (id, colour, level, is_new, price, tags, part)")
        tx.run(
            "INSERT INTO thing VALUES (:id, :colour, :level, :is_new, :price, :tags, :part)",
            rows.columns(Thing(7)),
        )
        [row] = tx.all("SELECT * FROM thing")
        known = rows.read(row, "tags", "part")
    database.close()
    assert known["tags"] == {"a": [1, 2]}
    assert known["part"] == {"size": 1, "colours": ["red"]}
    assert (known["id"], known["colour"], known["is_new"]) == (7, "red", 1)


def test_what_has_no_json_is_an_error():
    with pytest.raises(TypeError, match="object has no JSON"):
        rows.columns(Thing(1, tags={"a": object()}))
