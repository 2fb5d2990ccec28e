"""What rows and sections of services and templates have in common; from documents as they are served."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from onecore.cli.tables import Align, Column

Entry = Mapping[str, Any]


def body_of(document: Entry) -> Entry:
    """The body of a document, with or without its envelope."""
    inner = document.get("DOCUMENT", document)
    found: Entry = inner["TEMPLATE"]["BODY"]
    return found


def owner_columns(name_width: int, id_width: int = 10) -> list[Column[Entry]]:
    """ID, USER, GROUP, NAME as OneFlow's lists begin."""
    return [
        Column("ID", id_width, Align.RIGHT, lambda d: d["ID"], about="its number"),
        Column("USER", 15, Align.LEFT, lambda d: d["UNAME"], about="its owner"),
        Column("GROUP", 15, Align.LEFT, lambda d: d["GNAME"], about="the group of its owner"),
        Column("NAME", name_width, Align.LEFT, lambda d: d["NAME"], about="its name"),
    ]


def time_column(name: str, key: str) -> Column[Entry]:
    """When a document was made, as its body says it."""

    def value(document: Entry) -> str:
        return moment(float(body_of(document).get(key, 0)))

    return Column(name, 15, Align.LEFT, value, shown=False, about="when it was made")


def as_pool(documents: Sequence[Entry]) -> Entry:
    return {"DOCUMENT_POOL": {"DOCUMENT": list(documents)} if documents else {}}


def moment(seconds: float, pattern: str = "%m/%d %H:%M:%S") -> str:
    """As OneFlow's columns have it, in the zone of this machine; a blank for no time."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime(pattern) if seconds else "-"
