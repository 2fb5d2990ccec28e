"""The tree between text and data: values with their lines, within limits that hold before anything grows."""

from dataclasses import dataclass

from onecore.errors import InvalidInput
from onecore.schema.document import Document, Path
from onecore.schema.problems import Problem, refusal

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 100_000
MAX_DIGITS = 18

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it begins. `size` counts it and all below it, aliases expanded; `height` the
    levels of lists and mappings; `source` is how a scalar that is not text was written.
    """

    value: "Scalar | list[Node] | dict[str, Node]"
    line: int
    size: int = 1
    height: int = 0
    source: str | None = None


@dataclass
class Limits:
    """Refuses a document that is too deep or too large, while it is read."""

    name: str
    left: int = MAX_NODES

    def spend(self, count: int, line: int | None) -> None:
        self.left -= count
        if self.left < 0:
            raise self.refuse(f"more than {MAX_NODES} values, aliases expanded; split the document", line)

    def check_depth(self, depth: int, line: int | None) -> None:
        if depth > MAX_DEPTH:
            raise self.refuse(f"lists and mappings are nested more than {MAX_DEPTH} levels deep", line)

    def refuse(self, message: str, line: int | None) -> InvalidInput:
        return refusal(self.name, [Problem(message, line)])


def list_node(items: list[Node], line: int) -> Node:
    return _container(items, items, line)


def mapping_node(entries: dict[str, Node], line: int) -> Node:
    return _container(entries, list(entries.values()), line)


def document_of(root: Node, name: str) -> Document:
    """Plain data, never shared between two places, with the line of every value."""
    lines: dict[Path, int] = {}
    sources: dict[Path, tuple[object, str]] = {}

    def build(node: Node, path: Path) -> object:
        lines[path] = node.line
        if isinstance(node.value, dict):
            return {key: build(child, (*path, key)) for key, child in node.value.items()}
        if isinstance(node.value, list):
            return [build(child, (*path, index)) for index, child in enumerate(node.value)]
        if node.source is not None:
            sources[path] = (node.value, node.source)
        return node.value

    data = build(root, ())
    return Document(name, data, lines, sources)


def number_problem(value: int | float) -> str | None:
    """Why a number cannot be used, or None: beyond 18 digits it fits no database and no other program."""
    if isinstance(value, int):
        return f"a number has more than {MAX_DIGITS} digits" if abs(value) >= 10**MAX_DIGITS else None
    finite = value - value == 0
    return None if finite else "infinity and NaN are not numbers here"


def _container(value: "list[Node] | dict[str, Node]", children: list[Node], line: int) -> Node:
    size = 1 + sum(child.size for child in children)
    height = 1 + max((child.height for child in children), default=0)
    return Node(value, line, size, height)
