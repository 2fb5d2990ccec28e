"""What a loaded text is: its data, and the line where each part of it begins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """`lines` maps a path to the line, counted from 1, where the value at that path begins.

    `sources` keeps a scalar that is not text together with how it was written, so that a field which
    wants text gets `1.10`, `0644` or `yes` and not what YAML made of it.
    """

    name: str
    data: object
    lines: Mapping[Path, int]
    sources: Mapping[Path, tuple[object, str]] = field(default_factory=dict, repr=False, compare=False)

    def line(self, path: Sequence[str | int]) -> int | None:
        """The line of the value at `path`, or of the nearest part around it that is known."""
        known = tuple(path)
        while known and known not in self.lines:
            known = known[:-1]
        return self.lines.get(known)
