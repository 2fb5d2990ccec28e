"""What is told to people while work goes on."""

from dataclasses import dataclass
from typing import Final

LEVELS: Final = {"I": "info", "W": "warning", "E": "error"}


@dataclass(frozen=True)
class Notice:
    """One thing that happened at `at` (epoch seconds), which people who wait may want to see.

    Without `label` it is about the subject as a whole, and `text` is its state. With it, it is about one host
    or address of it, whose state is `step`, and which is `done` when nothing more will happen to it. What is
    `lasting`, such as a plan, stays on the screen. After those that say `more` comes one that does not, or
    the end of a row of them.
    """

    at: float
    subject: str
    text: str
    level: str = "I"
    label: str = ""
    step: str = ""
    done: bool = False
    lasting: bool = False
    more: bool = False

    @property
    def is_loud(self) -> bool:
        return self.level != "I"
