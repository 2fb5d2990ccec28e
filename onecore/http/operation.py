"""What a server offers, as values: routing, reading, threads and the OpenAPI document follow from them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar

from onecore.errors import InvalidInput, NotFound

C = TypeVar("C")
Schema = Mapping[str, Any]

LARGEST_ID = 2**63 - 1


class Work(Enum):
    """Where an operation is carried out, and whether its answer may be given again while nothing changes."""

    READ = "in the event loop, remembered"  # well below a millisecond
    LIST = "beside the event loop, remembered"
    ASK = "beside the event loop, never remembered"  # depends on the time, or on processes
    WRITE = "one after the other, beside the event loop"
    SLOW = "a few at a time, beside the event loop"  # writes, and may ask drivers before


@dataclass(frozen=True)
class Call(Generic[C]):
    """One request, read. `context` is what it acts with and on whose behalf; `data` its body, None without
    one."""

    context: C
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    data: object = None

    def number(self, name: str = "id") -> int:
        """A number of the path. Raises NotFound for one that nothing can have."""
        text = self.path[name]
        if len(text) > 19 or int(text) > LARGEST_ID:
            raise NotFound(f"there is no {text[:40]}")
        return int(text)

    def whole(self, name: str, otherwise: int | None = None) -> int | None:
        """A number of the query. Raises InvalidInput."""
        text = self.query.get(name)
        if text is None:
            return otherwise
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise InvalidInput(f"'{name}' has to be a number, not {text[:40]!r}")
        return int(text)


@dataclass(frozen=True)
class Operation(Generic[C]):
    """One verb of one path. `path` as in OpenAPI (`/service/{id}`; names in `numbers` take digits only);
    `body` and `answer` are JSON Schemas, `query` names parameters; `perform` returns what becomes the JSON of
    the answer (None: no body)."""

    method: str
    path: str
    perform: Callable[[Call[C]], object]
    summary: str
    work: Work
    status: int = 200
    body: Schema | None = None
    answer: Schema | None = None
    query: tuple[str, ...] = ()
    read: Callable[[bytes], object] | None = None
    is_open: bool = False
    """Whether no credentials are asked for."""


NUMBERS = frozenset({"id", "job_id", "ar_id"})
"""Names in paths that stand for numbers."""

QUERY_NUMBERS = frozenset({"after", "amount", "page", "per_page", "pos", "type"})
"""Names in queries that do."""
