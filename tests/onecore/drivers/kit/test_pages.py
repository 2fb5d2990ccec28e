"""Lists are read to their end, whichever way a provider pages."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from onecore.drivers.kit import pages
from onecore.drivers.kit.http import Account, Api, Provider
from onecore.drivers.kit.pages import Style
from onecore.drivers.kit.program import Failed
from tests.http_server import Reply, Request, serving
from tests.onecore.drivers.kit.turning_clock import TurningClock

Query = Mapping[str, str]


class Shelf:
    """Things on pages of `size`. `turn` is called before each page is answered."""

    def __init__(
        self, things: list[int], size: int, turn: Callable[[int], None] = lambda asked: None
    ) -> None:
        self.things = things
        self.size = size
        self.turn = turn
        self.asked = 0

    def page(self, number: int) -> tuple[list[dict[str, int]], int]:
        self.turn(self.asked)
        self.asked += 1
        last = max(1, -(-len(self.things) // self.size))
        shown = self.things[(number - 1) * self.size : number * self.size]
        return [{"id": thing} for thing in shown], last

    def numbered(self, query: Query) -> object:
        number = int(query["page"])
        shown, last = self.page(number)
        return {"data": shown, "page": number, "pages": last, "results": len(self.things)}

    def linked(self, query: Query) -> object:
        number = int(query["page"])
        shown, last = self.page(number)
        link = {"next": f"https://elsewhere.test/x?page={number + 1}&per_page={query['per_page']}"}
        return {"data": shown, "links": {"pages": link if number < last else {}}}

    def by_cursor(self, query: Query) -> object:
        number = int(query.get("cursor", "c1")[1:])
        shown, last = self.page(number)
        cursor = f"c{number + 1}" if number < last else ""
        return {"data": shown, "meta": {"links": {"next": cursor, "prev": ""}}}


STYLES = [
    ("numbered", pages.numbered(25)),
    ("linked", pages.linked(200)),
    ("by_cursor", pages.by_cursor(500)),
]


def ids(folder: Path, answer: Callable[[Query], object], style: Style, surely: bool = False) -> list[object]:
    def reply(request: Request) -> Reply:
        assert request.query.get("tag") == "ours"
        return Reply(200, answer(request.query))

    read = pages.read_surely if surely else pages.read
    with serving(reply) as url:
        api = Api(Provider("cloud", url, lambda body: ""), Account(""), folder, clock=TurningClock())
        return [row["id"] for row in read(api, "/things", "data", style, {"tag": "ours"})]


@pytest.mark.parametrize(("name", "style"), STYLES)
@pytest.mark.parametrize("count", [0, 1, 3, 4, 10])
def test_every_page_is_read(tmp_path: Path, name: str, style: Style, count: int):
    shelf = Shelf(list(range(count)), 3)
    assert ids(tmp_path, getattr(shelf, name), style) == list(range(count))


@pytest.mark.parametrize(("name", "style"), STYLES)
def test_one_page_is_asked_for_once(tmp_path: Path, name: str, style: Style):
    shelf = Shelf([1, 2], 3)
    assert ids(tmp_path, getattr(shelf, name), style, surely=True) == [1, 2]
    assert shelf.asked == 1


@pytest.mark.parametrize(("name", "style"), STYLES)
def test_what_slips_to_a_page_that_was_read_is_found_all_the_same(tmp_path: Path, name: str, style: Style):
    shelf = Shelf([0, 1, 2, 3, 4], 3)

    def remove_the_first_before_the_second_page(asked: int) -> None:
        if asked == 1:
            shelf.things.remove(0)

    shelf.turn = remove_the_first_before_the_second_page
    assert ids(tmp_path, getattr(shelf, name), style, surely=True) == [1, 2, 3, 4]


def test_a_list_that_never_rests_is_a_failure_and_not_a_guess(tmp_path: Path):
    shelf = Shelf(list(range(9)), 3)
    shelf.turn = lambda asked: shelf.things.append(100 + asked)
    with pytest.raises(Failed, match="changes faster than it can be read"):
        ids(tmp_path, shelf.numbered, pages.numbered(25), surely=True)


def test_pages_that_go_round_in_a_circle_are_a_failure(tmp_path: Path):
    with pytest.raises(Failed, match="round in a circle"):
        ids(tmp_path, lambda query: {"data": [], "meta": {"links": {"next": "same"}}}, pages.by_cursor(500))
