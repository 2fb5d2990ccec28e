"""The log of what happened to an object, with reasons: shown by `show`, `logs` and the API."""

from collections.abc import Sequence

from onecore.history import Event
from onecore.store.engine import Transaction

# Subject, time, action, text and level of one line.
Line = tuple[str, float, str, str, str]


def add(tx: Transaction, subject: str, at: float, action: str, text: str, level: str = "I") -> None:
    add_many(tx, [(subject, at, action, text, level)])


def add_many(tx: Transaction, lines: Sequence[Line]) -> None:
    tx.run_many("INSERT INTO event (subject, at, action, text, level) VALUES (?, ?, ?, ?, ?)", lines)


def of(tx: Transaction, subject: str, after: int = 0, action: str = "") -> list[Event]:
    """The lines of `subject` with an id above `after`, oldest first; of one `action` only, if given."""
    rows = tx.all(
        "SELECT * FROM event WHERE subject = ? AND id > ? AND (? = '' OR action = ?) ORDER BY id",
        (subject, after, action, action),
    )
    return [Event(**dict(row)) for row in rows]


def forget(tx: Transaction, subject: str) -> None:
    tx.run("DELETE FROM event WHERE subject = ?", (subject,))
