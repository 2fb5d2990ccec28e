"""The edge: what becomes of a request, whatever an operation does."""

import asyncio
import threading
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from onecore import config
from onecore.bootstrap import open_deps, with_own_connection
from onecore.deps import Deps
from onecore.errors import InvalidInput, NotFound, OneError, StoreFailed, WrongState
from onecore.http.edge import Edge
from onecore.http.journal import Line
from onecore.http.manner import Manner, unauthorized
from onecore.http.operation import Call, Operation, Work
from onecore.http.workers import Workers
from onecore.store import accounts
from tests.onecore.http.asgi import Reply, ask

SPEAKS = Manner("Test", lambda error: {"error": error.message})


@dataclass
class Kept:
    """A log that is looked into."""

    lines: list[Line] = field(default_factory=list)
    bugs: list[tuple[str, str, BaseException]] = field(default_factory=list)

    def asked(self, line: Line) -> None:
        self.lines.append(line)

    def bug(self, reference: str, where: str, exc: BaseException) -> None:
        self.bugs.append((reference, where, exc))


class Installation:
    """An edge on a real state, with operations that do what a test says."""

    def __init__(self, home: Any) -> None:
        environ = {"ONE_HOME": str(home), "HOME": str(home), "PATH": "/usr/bin:/bin"}
        first = open_deps(config.read(environ), ())
        self.deps = first
        self.workers = Workers(lambda: with_own_connection(first, ()))
        self.log = Kept()
        self.changes = 0

    def ask(self, perform: Any, method: str = "GET", path: str = "/x", *more: Any, **headers: str) -> Reply:
        work, body = more or (Work.READ, b"")
        operation = Operation(method, "/x", perform, "test", work)
        return asyncio.run(ask(self.app(operation), method, path, body, **headers))

    def app(self, *operations: Operation[Deps]) -> Any:
        async def gate(headers: Any, peer: str, version: int) -> str:
            if b"x-user" not in headers:
                raise unauthorized("who is it?")
            return str(headers[b"x-user"].decode())

        def changed() -> None:
            self.changes += 1

        edge = Edge(self.workers, gate, lambda deps, who: deps, SPEAKS, self.log, changed)
        return edge.app(operations)


@pytest.fixture
def here(tmp_path):
    made = Installation(tmp_path)
    yield made
    made.workers.close()


def _raise(error: BaseException) -> Any:
    def perform(call: Call[Deps]) -> object:
        raise error

    return perform


def test_an_answer_is_json(here):
    reply = here.ask(lambda call: {"a": [1, "é"]}, x_user="ann")
    assert (reply.status, reply.json) == (200, {"a": [1, "é"]})
    assert reply.headers["content-type"] == "application/json"
    assert (here.log.lines[0].user, here.log.lines[0].status, here.log.lines[0].peer) == (
        "ann",
        200,
        "192.0.2.1",
    )


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput("no"), 400),
        (NotFound("no"), 404),
        (WrongState("no"), 409),
        (OneError("no", http_status=501), 501),
    ],
)
def test_an_expected_failure_is_told(here, error, status):
    reply = here.ask(_raise(error), x_user="ann")
    assert (reply.status, reply.json) == (status, {"error": "no"})
    assert reply.headers["x-one-error"] == type(error).__name__
    assert here.log.bugs == []


def test_a_bug_is_a_500_with_a_reference_to_the_log_and_nothing_of_the_inside(here):
    reply = here.ask(_raise(ZeroDivisionError("secret detail")), x_user="ann")
    reference, where, exc = here.log.bugs[0]
    assert (reply.status, where, type(exc)) == (500, "GET /x", ZeroDivisionError)
    assert reply.json == {"error": f"internal error; the log of the server says more (reference {reference})"}


def test_where_the_state_lies_is_not_told(here):
    reply = here.ask(_raise(StoreFailed("/home/ann/one.db is damaged")), x_user="ann")
    reference = here.log.bugs[0][0]
    assert (reply.status, "/home/ann" in reply.body.decode(), reference in reply.json["error"]) == (
        500,
        False,
        True,
    )
    busy = here.ask(_raise(StoreFailed("/home/ann/one.db is locked", retryable=True)), x_user="ann")
    assert (busy.status, busy.headers["retry-after"]) == (503, "1")


def test_nobody_is_let_in_without_being_known_not_even_to_see_what_there_is(here):
    for path in ("/x", "/nowhere"):
        reply = here.ask(lambda call: 1, "GET", path)
        assert reply.status == 401
        assert reply.headers["www-authenticate"] == 'Basic realm="Test", charset="UTF-8"'


def test_undefined_verbs_and_unknown_paths(here):
    app = here.app(Operation("PUT", "/x/{id}", lambda call: call.number(), "test", Work.WRITE))
    asking = [("GET", "/x/1", 501), ("PUT", "/x/a", 404), ("PUT", "/x/1/", 404), ("PUT", "/x/1", 200)]
    for method, path, status in asking:
        assert asyncio.run(ask(app, method, path, x_user="ann")).status == status


def test_head_is_get_without_its_body(here):
    assert here.ask(lambda call: 1, "GET", x_user="ann").body == b"1"
    app = here.app(Operation("GET", "/x", lambda call: 1, "test", Work.READ))
    assert asyncio.run(ask(app, "HEAD", "/x", x_user="ann")).status == 200


def test_a_page_of_another_site_is_refused(here):
    reply = here.ask(
        lambda call: 1, "POST", "/x", Work.WRITE, b"{}", x_user="ann", sec_fetch_site="cross-site"
    )
    assert (reply.status, here.changes) == (403, 0)
    assert here.ask(lambda call: 1, x_user="ann", sec_fetch_site="same-origin").status == 200


def test_an_answer_is_given_again_until_something_changes(here):
    numbers = count(1)
    app = here.app(Operation("GET", "/x", lambda call: next(numbers), "test", Work.READ))

    def asked(user: str = "ann", path: str = "/x") -> int:
        return int(asyncio.run(ask(app, "GET", path, x_user=user)).json)

    assert [asked(), asked(), asked("bob"), asked(path="/x?page=1"), asked()] == [1, 1, 2, 3, 1]
    with here.deps.database.begin() as tx:
        accounts.add_group(tx, "new")
    assert [asked(), asked()] == [4, 4]


def test_what_depends_on_the_time_is_asked_every_time(here):
    numbers = count(1)
    app = here.app(Operation("GET", "/x", lambda call: next(numbers), "test", Work.ASK))
    answers = [asyncio.run(ask(app, "GET", "/x", x_user="ann")).json for _ in range(2)]
    assert answers == [1, 2]


def test_those_who_ask_for_the_same_list_at_once_wait_for_one_answer(here):
    numbers = count(1)
    app = here.app(Operation("GET", "/x", lambda call: next(numbers), "test", Work.LIST))

    async def eight() -> list[Any]:
        return [
            r.json for r in await asyncio.gather(*(ask(app, "GET", "/x", x_user="ann") for _ in range(8)))
        ]

    assert asyncio.run(eight()) == [1] * 8


def test_what_took_long_is_no_longer_made_in_the_event_loop(here):
    names: list[str] = []

    def perform(call: Call[Deps]) -> object:
        names.append(threading.current_thread().name)
        return sum(range(2_000_000))

    app = here.app(Operation("GET", "/x", perform, "test", Work.READ))
    for user in ("ann", "bob"):
        assert asyncio.run(ask(app, "GET", "/x", x_user=user)).status == 200
    assert names == ["MainThread", "read_0"]


def test_writes_come_one_after_the_other_beside_the_event_loop_and_are_announced(here):
    names: list[str] = []
    app = here.app(
        Operation(
            "POST", "/x", lambda call: names.append(threading.current_thread().name), "test", Work.WRITE, 201
        )
    )

    async def eight() -> list[int]:
        asked = (ask(app, "POST", "/x", b"{}", x_user="ann") for _ in range(8))
        return [reply.status for reply in await asyncio.gather(*asked)]

    assert asyncio.run(eight()) == [201] * 8
    assert (set(names), here.changes) == ({"write_0"}, 8)


def test_a_body_is_read_as_json_whatever_it_calls_itself(here):
    reply = here.ask(
        lambda call: call.data, "POST", "/x", Work.WRITE, b'{"a": 1}', x_user="ann",
        content_type="application/x-www-form-urlencoded",
    )  # fmt: skip
    assert reply.json == {"a": 1}
    assert here.ask(lambda call: call.data, "POST", "/x", Work.WRITE, b"", x_user="ann").body == b""
    bad = here.ask(lambda call: call.data, "POST", "/x", Work.WRITE, b'{"a": \n 1,}', x_user="ann")
    assert (bad.status, bad.json["error"].startswith("body:2: ")) == (400, True)
