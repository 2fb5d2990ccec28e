"""What a user may write to name objects (`1,8..15,web`), turned into ids."""

import re
from collections.abc import Iterable, Iterator

from onecore.errors import InvalidInput, NotFound

MOST_IDS = 10_000

_RANGE = re.compile(r"(\d*)\.\.(\d*)", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)
_LONGEST_ID = 18  # digits: what still fits into the 64 bits of a stored id


def parse(selector: str) -> tuple[int | str, ...]:
    """Ids as numbers and names as text, each once, in the order written; ranges are expanded."""
    found: dict[int | str, None] = {}
    for piece in (piece.strip() for piece in selector.split(",")):
        if not piece:
            raise InvalidInput(f"id list {selector!r} has an empty place", hint="write it as in 1,8..15,name")
        found.update(dict.fromkeys(_expand(piece)))
        if len(found) > MOST_IDS:
            raise _too_many(selector)
    return tuple(found)


def resolve(selector: str, known: Iterable[tuple[int, str]], kind: str = "provision") -> tuple[int, ...]:
    """The ids `selector` names: digits are ids, taken as they are; anything else is an exact name.

    `known` holds (id, name) and is read only when a name was written. Whether an id exists is for the
    use case to say, which also knows who may see it.
    """
    wanted = parse(selector)
    by_name = _index(known) if any(isinstance(part, str) for part in wanted) else {}
    ids = (part if isinstance(part, int) else _only_one(part, by_name, kind) for part in wanted)
    return tuple(dict.fromkeys(ids))


def _expand(piece: str) -> Iterable[int | str]:
    span = _RANGE.fullmatch(piece)
    if span is not None:
        return _span(piece, *span.groups())
    return (_number(piece),) if _DIGITS.fullmatch(piece) else (piece,)


def _span(piece: str, first: str, last: str) -> range:
    if not (first and last):
        raise InvalidInput(f"range {piece!r} needs both ends", hint="write it as in 8..15")
    low, high = _number(first), _number(last)
    if low > high:
        raise InvalidInput(f"range {piece!r} runs backwards", hint=f"write {high}..{low}")
    if high - low >= MOST_IDS:
        raise _too_many(piece)
    return range(low, high + 1)


def _number(digits: str) -> int:
    if len(digits) > _LONGEST_ID:
        raise InvalidInput(f"id {digits[:_LONGEST_ID]}... is too large", hint="ids have at most 18 digits")
    return int(digits)


def _too_many(text: str) -> InvalidInput:
    return InvalidInput(f"{text[:60]!r} names more than {MOST_IDS} ids", hint="split it into several calls")


def _index(known: Iterable[tuple[int, str]]) -> dict[str, list[int]]:
    by_name: dict[str, list[int]] = {}
    for identifier, name in known:
        by_name.setdefault(name, []).append(identifier)
    return by_name


def _only_one(name: str, by_name: dict[str, list[int]], kind: str) -> int:
    ids = by_name.get(name, [])
    if not ids:
        raise NotFound(f"{kind} {name!r} not found", hint="; ".join(_hints(name, by_name, kind)))
    if len(ids) > 1:
        numbers = _listed(sorted(ids))
        raise InvalidInput(f"there are {len(ids)} {kind}s named {name!r} (ids {numbers}); use the id")
    return ids[0]


def _hints(name: str, by_name: dict[str, list[int]], kind: str) -> Iterator[str]:
    from difflib import get_close_matches  # lazy: only a mistyped name needs it

    close = get_close_matches(name, by_name, n=3, cutoff=0.5)
    if close:
        yield f"did you mean {' or '.join(repr(other) for other in close)}?"
    else:
        yield f"list shows every {kind} you may use"


def _listed(ids: list[int]) -> str:
    return f"{', '.join(map(str, ids[:-1]))} and {ids[-1]}"
