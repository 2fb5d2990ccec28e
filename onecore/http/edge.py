"""The edge: lets requests in, has operations carried out, and turns whatever happens into an answer."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from onecore.deps import Deps
from onecore.errors import NotAuthorized, OneError
from onecore.http import manner
from onecore.http.journal import Line, Log
from onecore.http.manner import Answer, Manner
from onecore.http.operation import NUMBERS, Call, Operation, Work
from onecore.http.remembered import Remembered
from onecore.http.request import TOO_LARGE, TOO_SLOW, ClientGone, Headers, Request
from onecore.http.workers import Workers
from onecore.schema.load import load_json

D = TypeVar("D", bound=Deps)
W = TypeVar("W")
C = TypeVar("C")

SLOW_S = 0.01
MOST_SLOW = 10_000
GONE = 499  # the client, before it had its answer; only the log sees this

Gate = Callable[[Headers, str, int], Awaitable[W]]
"""From headers, peer and version of the state to who asks; raises NotAuthorized."""


class Edge(Generic[D, W, C]):
    """`act_for(deps, who)` gives what operations act with for somebody (None: for nobody); `changed` is told
    after each write."""

    def __init__(
        self,
        workers: Workers[D],
        gate: Gate[W],
        act_for: Callable[[D, W | None], C],
        speaks: Manner,
        log: Log,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.workers = workers
        self.speaks = speaks
        self.log = log
        self._gate = gate
        self._act_for = act_for
        self._changed = changed
        self._remembered = Remembered()
        self._slow: set[str] = set()
        self._making: dict[Hashable, asyncio.Future[bytes]] = {}

    def app(self, operations: Sequence[Operation[C]]) -> ASGIApp:
        paths: dict[str, dict[str, Operation[C]]] = {}
        for operation in operations:
            paths.setdefault(operation.path, {})[operation.method] = operation
        routes = [Route(_pattern(path), _Resource(self, path, verbs)) for path, verbs in paths.items()]
        return Router(routes, redirect_slashes=False, default=_Resource(self, "", {}))

    async def answer(
        self, request: Request, operation: Operation[C] | None, verbs: tuple[str, ...]
    ) -> Answer:
        """Raises OneError, ClientGone."""
        if request.is_foreign:
            raise NotAuthorized("a page of another site may not ask this")
        version = self.workers.here.database.changes()
        who: W | None = None
        if operation is None or not operation.is_open:
            who = await self._gate(request.headers, request.peer, version)
            request.user = str(getattr(who, "user_name", who))
        if operation is None:
            raise manner.undefined_verb(request.method, request.path, verbs) if verbs else _nowhere(request)
        if operation.work in (Work.READ, Work.LIST):
            return await self._read(request, operation, who, version)
        data = await request.body()
        return await self._act(request, operation, who, data)

    async def _read(self, request: Request, operation: Operation[C], who: W | None, version: int) -> Answer:
        key = (who, request.path, request.query_string)
        body = self._remembered.get(version, key)
        if body is None:

            def work(deps: D) -> bytes:
                began = deps.clock.monotonic()
                call = Call(self._act_for(deps, who), request.values, request.query)
                made = manner.encoded(operation.perform(call))
                self._took(request.path, deps.clock.monotonic() - began)
                return made

            if operation.work is Work.READ and request.path not in self._slow:
                body = work(self.workers.here)
                self._remembered.put(version, key, body)
            else:
                body = await self._made_once(version, key, work)
        return manner.answer(operation.status, body)

    def _took(self, path: str, seconds: float) -> None:
        """What took long (a service of hundreds of VMs) is made beside the event loop the next time."""
        if seconds <= SLOW_S:
            self._slow.discard(path)
        elif len(self._slow) < MOST_SLOW:
            self._slow.add(path)

    async def _made_once(self, version: int, key: Hashable, work: Callable[[D], bytes]) -> bytes:
        """Those who ask for the same at the same time wait for one answer."""
        making = self._making.get((version, key))
        if making is None:
            making = self._making[version, key] = asyncio.ensure_future(self.workers.read(work))
            making.add_done_callback(lambda done: self._making.pop((version, key), None))
        body = await asyncio.shield(making)
        self._remembered.put(version, key, body)
        return body

    async def _act(self, request: Request, operation: Operation[C], who: W | None, body: bytes) -> Answer:
        def work(deps: D) -> Answer:
            read = operation.read or _json
            data = read(body) if operation.body is not None or body else None
            call = Call(self._act_for(deps, who), request.values, request.query, data)
            return manner.answer(operation.status, operation.perform(call))

        if operation.work is Work.ASK:
            return await self.workers.read(work)
        slow = operation.work is Work.SLOW
        answer = await (self.workers.slow(work) if slow else self.workers.write(work))
        self._changed()
        return answer


class _Resource(Generic[D, W, C]):
    """One path with its verbs."""

    def __init__(self, edge: Edge[D, W, C], path: str, operations: Mapping[str, Operation[C]]) -> None:
        self._edge = edge
        self._path = path
        self._operations = dict(operations)
        if "GET" in operations:
            self._operations["HEAD"] = operations["GET"]
        self._verbs = tuple(operations)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        edge, clock = self._edge, self._edge.workers.here.clock
        began = clock.monotonic()
        request = Request(scope, receive)
        answer = await self._answer(request)
        await _send(answer, send)
        took_ms = round((clock.monotonic() - began) * 1000, 2)
        target = request.path + (f"?{request.query_string.decode('latin-1')}" if request.query_string else "")
        edge.log.asked(
            Line(
                clock.now(),
                request.peer,
                request.user,
                request.method,
                target,
                answer.status,
                took_ms,
                len(answer.body),
            )
        )

    async def _answer(self, request: Request) -> Answer:
        edge = self._edge
        try:
            return await edge.answer(request, self._operations.get(request.method), self._verbs)
        except ClientGone:
            return Answer(GONE)
        except OneError as exc:
            reference = self._reference()
            told = manner.outward(exc, reference)
            if told is not exc:
                edge.log.bug(reference, f"{request.method} {request.path}", exc)
            return manner.refusal(edge.speaks, told)
        except Exception as exc:  # noqa: BLE001 - the HTTP edge: a bug ends one request, not the server
            reference = self._reference()
            edge.log.bug(reference, f"{request.method} {request.path}", exc)
            return manner.refusal(edge.speaks, manner.crashed(reference))

    def _reference(self) -> str:
        return self._edge.workers.here.random_bytes(6).hex()


async def _send(answer: Answer, send: Send) -> None:
    length = (b"content-length", str(len(answer.body)).encode())
    # 204 has no body, and says nothing of its length.
    headers = [*answer.headers] if answer.status == 204 else [*answer.headers, length]
    if answer.status in (GONE, TOO_LARGE, TOO_SLOW):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _json(body: bytes) -> object:
    return load_json(body, "body")


def _nowhere(request: Request) -> OneError:
    return manner.no_such_path(request.path)


class _Digits(Convertor[str]):
    """Kept as text: nobody knows yet whether the number is one that something can have."""

    regex = "[0-9]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("digits", _Digits())


def _pattern(path: str) -> str:
    """As Starlette writes it: names of numbers take digits only, so that anything else is nowhere."""
    for name in NUMBERS:
        path = path.replace("{" + name + "}", "{" + name + ":digits}")
    return path
