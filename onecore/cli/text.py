"""Foreign text made safe to print: nothing a driver or a provider wrote can steer the terminal."""

import re

# C0, DEL and C1 steer terminals; line separators break rows; bidi controls reorder what a reader sees.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text: str, *, keep_newlines: bool = False) -> str:
    """`text` with every control character spelled out (`\\x1b`), on one line unless told otherwise."""
    if keep_newlines:
        return "\n".join(printable(line) for line in text.split("\n"))
    return _UNSAFE.sub(_spelled, text)


def display_width(text: str) -> int:
    """How many terminal cells `text` takes."""
    return len(text) if text.isascii() else sum(_cells(char) for char in text)


def cut(text: str, width: int) -> str:
    """The longest beginning of `text` that fits into `width` terminal cells."""
    if display_width(text) <= width:
        return text
    used = 0
    for position, char in enumerate(text):
        used += _cells(char)
        if used > width:
            return text[:position]
    return text


def _spelled(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")


def _cells(char: str) -> int:
    if char.isascii():
        return 1
    from unicodedata import combining, east_asian_width  # lazy: only text beyond ASCII needs the tables

    if combining(char):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1
