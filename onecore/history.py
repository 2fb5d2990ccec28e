"""A line of what happened to an object, with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """One line. `level` is I, W or E; `action` groups lines ("State changed"); `at` in seconds."""

    id: int
    subject: str
    at: float
    level: str
    action: str
    text: str
