"""How hosts are shown: the columns of `host list` and the sections of `host show`."""

from collections.abc import Callable, Mapping
from typing import Any

from onecore.cli.tables import Align, Column

Entry = Mapping[str, Any]


def described(document: Entry, given: str) -> list[tuple[str, Any]]:
    """The sections of `show`; `given` is what the driver was given, in its XML."""
    plain = [(key, str(value)) for key, value in document.items() if isinstance(value, str) and value]
    metrics = sorted(document.get("METRICS", {}).items())
    return [
        (f"HOST {document['ID']} INFORMATION", plain),
        ("CONNECTION", list(document["CONNECTION"].items())),
        *([("METRICS", metrics)] if metrics else []),
        *([("DEPLOYMENT", given)] if given else []),
    ]


def _of(key: str) -> Callable[[Entry], str]:
    return lambda row: row.get(key) or "-"


def _metric(name: str) -> Callable[[Entry], str]:
    return lambda row: row.get("METRICS", {}).get(name, "-")


def _memory(row: Entry) -> str:
    """Drivers tell it in KiB."""
    text = _metric("MEMORY")(row)
    return f"{int(text) // 1024}M" if text.isdecimal() else text


COLUMNS = [
    Column[Entry]("ID", 4, Align.RIGHT, _of("ID"), about="its number"),
    Column[Entry]("NAME", 25, Align.LEFT, _of("NAME"), about="its name"),
    Column[Entry]("CLUSTER", 15, Align.LEFT, _of("CLUSTER"), about="the cluster that it is in"),
    Column[Entry]("PROVISION", 9, Align.RIGHT, _of("PROVISION_ID"), about="the provision that it belongs to"),
    Column[Entry]("DRIVER", 8, Align.LEFT, _of("PM_MAD"), about="the pm driver that makes it"),
    Column[Entry]("IP", 15, Align.LEFT, _of("IP"), about="its address"),
    Column[Entry]("CPU", 6, Align.RIGHT, _metric("CPU"), about="how much CPU it uses, in percent"),
    Column[Entry]("MEM", 6, Align.RIGHT, _memory, about="how much memory it uses"),
    Column[Entry]("STAT", 8, Align.LEFT, _of("STATE"), about="its state"),
]
