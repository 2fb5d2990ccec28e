"""Lists of many pages, read to their end in the three ways in which providers page."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from onecore.drivers.kit.http import Api
from onecore.drivers.kit.program import Failed
from onecore.drivers.kit.values import Json, number, rows, text

# What comes next: the query of the next page, or None after the last one.
Next = Callable[[object, Mapping[str, str]], Mapping[str, str] | None]

_MOST_PAGES = 10_000
_MOST_READINGS = 6


@dataclass(frozen=True)
class Style:
    """How a provider pages: the query of the first page, and where the next one is found."""

    first: Mapping[str, str]
    following: Next = field(repr=False)


def numbered(size: int) -> Style:
    """`page` counts up to `pages` (Linode)."""

    def following(body: object, query: Mapping[str, str]) -> Mapping[str, str] | None:
        page = int(query["page"])
        return {"page": str(page + 1)} if page < number(body, "pages") else None

    return Style({"page": "1", "page_size": str(size)}, following)


def linked(size: int) -> Style:
    """`links.pages.next` is an address (DigitalOcean). Only its query is used: the key goes nowhere else."""

    def following(body: object, query: Mapping[str, str]) -> Mapping[str, str] | None:
        link = text(body, "links", "pages", "next")
        return dict(parse_qsl(urlsplit(link).query)) if link else None

    return Style({"page": "1", "per_page": str(size)}, following)


def by_cursor(size: int) -> Style:
    """`meta.links.next` is a cursor, empty on the last page (Vultr)."""

    def following(body: object, query: Mapping[str, str]) -> Mapping[str, str] | None:
        cursor = text(body, "meta", "links", "next")
        return {"cursor": cursor} if cursor else None

    return Style({"per_page": str(size)}, following)


def read(api: Api, path: str, key: str, style: Style, query: Mapping[str, str] | None = None) -> list[Json]:
    """Every entry, the pages one after the other."""
    return [row for page in _pages(api, path, style, query or {}) for row in rows(page, key)]


def read_surely(
    api: Api, path: str, key: str, style: Style, query: Mapping[str, str] | None = None
) -> list[Json]:
    """Every entry, where one that is missing could end a machine's record.

    What is removed while the pages are read moves the entries behind it, and one can slip from a page not yet
    read to one that was. So several pages count only once two readings in a row show the same entries.
    """
    before: list[str] | None = None
    for _ in range(_MOST_READINGS):
        pages = list(_pages(api, path, style, query or {}))
        found = [row for page in pages for row in rows(page, key)]
        ids = [text(row, "id") or text(row, "ip") or text(row, "address") for row in found]
        if len(pages) == 1 or ids == before:
            return found
        before = ids
    raise Failed(f"{api.provider.name}: {path} changes faster than it can be read")


def _pages(api: Api, path: str, style: Style, query: Mapping[str, str]) -> Iterator[object]:
    asked: set[tuple[tuple[str, str], ...]] = set()
    step: Mapping[str, str] | None = {**style.first, **query}
    for _ in range(_MOST_PAGES):
        whole = {**style.first, **query, **(step or {})}
        place = tuple(sorted(whole.items()))
        if place in asked:
            raise Failed(f"{api.provider.name}: the pages of {path} go round in a circle")
        asked.add(place)
        body = api.get(path, whole)
        yield body
        step = style.following(body, whole)
        if step is None:
            return
    raise Failed(f"{api.provider.name}: {path} has no end")
