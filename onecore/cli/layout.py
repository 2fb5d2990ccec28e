"""How wide the columns of a table are: as wide as their content, or as the user wants them; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from onecore.errors import InvalidInput

MOST = 10_000


@dataclass(frozen=True)
class Layout:
    """`width` is that of the terminal, None where nothing is cut. `sizes` are exact widths, but for the
    columns in `adjusted`, which are never cut. `expand` says which columns take what is left of the terminal:
    a part of it each, or None for one in proportion to their widths; all of them when it is empty."""

    width: int | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    adjusted: frozenset[str] = frozenset()
    expand: Mapping[str, float | None] | None = None

    @property
    def names(self) -> Iterator[str]:
        """The columns that the user named."""
        yield from self.sizes
        yield from self.adjusted
        yield from self.expand or ()

    def widths(self, names: Sequence[str], content: Sequence[int]) -> list[int]:
        """Of the columns of those names, from what their content takes."""
        chosen = [
            self.sizes[name] if name in self.sizes and name not in self.adjusted else needed
            for name, needed in zip(names, content, strict=True)
        ]
        if self.width is None or self.expand is None:
            return chosen
        spare = max(0, self.width - sum(chosen) - (len(chosen) - 1))
        grown = self._grown(names, chosen, spare)
        return [width + more for width, more in zip(chosen, grown, strict=True)]

    def _grown(self, names: Sequence[str], widths: Sequence[int], spare: int) -> list[int]:
        wanted = dict(self.expand or dict.fromkeys(names))
        fixed = {name: int(spare * part) for name, part in wanted.items() if part is not None}
        open_ended = [name in wanted and wanted[name] is None for name in names]
        rest = max(0, spare - sum(fixed.get(name, 0) for name in names))
        whole = sum(width for width, is_open in zip(widths, open_ended, strict=True) if is_open)
        return [
            rest * width // whole if is_open and whole else fixed.get(name, 0)
            for name, width, is_open in zip(names, widths, open_ended, strict=True)
        ]


def names_of(text: str) -> tuple[str, ...]:
    """`NAME,user` as column names."""
    return tuple(name.strip().upper() for name in text.split(",") if name.strip())


def sizes_of(text: str) -> dict[str, int]:
    """`NAME=20,USER=8`. Raises InvalidInput."""
    return {name: _size(name, value) for name, value in _pairs(text)}


def parts_of(text: str) -> dict[str, float | None]:
    """`NAME=0.4,GROUP=0.6`, or names alone. Raises InvalidInput."""
    return {name: _part(name, value) for name, value in _pairs(text)}


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for piece in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, value = piece.partition("=")
        yield name.strip().upper(), value.strip()


def _size(name: str, text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 6 and 1 <= int(text) <= MOST:
        return int(text)
    raise InvalidInput(
        f"the size of column {name} is {text!r} and not a number from 1 to {MOST}",
        hint="write it as in --size NAME=20 (-s is for a server only before the command)",
    )


def _part(name: str, text: str) -> float | None:
    if not text:
        return None
    try:
        part = float(text)
    except ValueError:
        part = -1.0
    if not 0 <= part <= 1:
        raise InvalidInput(
            f"the part of column {name} is {text!r} and not a number from 0 to 1",
            hint="write it as in --expand NAME=0.4,GROUP=0.6",
        )
    return part
