"""An OpenNebula front end for tests: its XML-RPC API over HTTP, with faults on demand.

It refuses what oned refuses, and is stricter about arguments: of the wrong type, too many or too few, they
are a fault of the client. Every document is read by pyone before it is sent.
"""

import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xmlrpc.client import Fault, dumps, loads

from tests.nebula import calls, infrastructure_calls, network_calls, router_calls
from tests.nebula.cloud import ACTION, Cloud, Refused
from tests.nebula.schemas import check
from tests.nebula.signatures import SIGNATURES

CALLS = {**calls.CALLS, **network_calls.CALLS, **infrastructure_calls.CALLS, **router_calls.CALLS}
UNKNOWN_METHOD, WRONG_ARGUMENTS, INTERNAL_ERROR = -506, -501, -500


@dataclass
class Faults:
    """What goes wrong with the next calls of a method (or of any: `*`), how often.

    `lost_before`: the connection is cut and nothing was done; `lost_after`: it was done, and the answer is
    lost; `cut`: the answer ends in the middle; `garbled`: a proxy answers in place of the server; `slow`: so
    many seconds pass before it is heard, every time; `refuses`: refused in these words, every time.
    """

    lost_before: Counter[str] = field(default_factory=Counter)
    lost_after: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)
    garbled: Counter[str] = field(default_factory=Counter)
    slow: dict[str, float] = field(default_factory=dict)
    refuses: dict[str, str] = field(default_factory=dict)

    def strikes(self, which: Counter[str], method: str) -> bool:
        for name in (method, "*"):
            if which[name] > 0:
                which[name] -= 1
                return True
        return False


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked may be dead by now."""


@dataclass
class Nebula:
    """The server of a cloud. `calls` counts what was asked, `asked` has it with its arguments; `broken` are
    documents that pyone does not take, which no test may leave behind. `on_receipt` is told of each call
    before it is carried out, `on_effect` of each that was, before it is answered."""

    cloud: Cloud
    faults: Faults = field(default_factory=Faults)
    calls: Counter[str] = field(default_factory=Counter)
    asked: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    port: int = 0
    on_receipt: Callable[[str], None] = lambda method: None
    on_effect: Callable[[str], None] = lambda method: None
    gate: threading.Event = field(default_factory=threading.Event)
    _http: _Http | None = None

    def __post_init__(self) -> None:
        self.gate.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/RPC2"

    @property
    def is_up(self) -> bool:
        return self._http is not None

    def start(self) -> None:
        """Listen, at the same address as before."""
        self._http = _Http(("127.0.0.1", self.port), _handler(self))
        self.port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Nobody listens any more; the cloud stays as it is."""
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None

    def answer(self, body: bytes) -> str:
        try:
            arguments, method = loads(body)
            result = self._called(str(method), tuple(arguments))
        except Fault as fault:
            return dumps(fault)
        except Exception as exc:
            self.broken.append(traceback.format_exc())
            return dumps(Fault(INTERNAL_ERROR, f"the test server is broken: {exc!r}"))
        return dumps((result,), methodresponse=True)

    def _called(self, method: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        signature = SIGNATURES.get(method)
        if signature is None or self.cloud.version < signature.since:
            raise Fault(UNKNOWN_METHOD, f"Method '{method}' not defined")
        if not arguments or type(arguments[0]) is not str:
            raise Fault(WRONG_ARGUMENTS, f"{method}: the first argument is the session")
        problem = signature.problem(arguments[1:])
        if problem:
            raise Fault(WRONG_ARGUMENTS, f"{method}: {problem}")
        with self.cloud.lock:
            self.calls[method] += 1
            self.asked.append((method, arguments[1:]))
            self.cloud.advance()
            return self._done(method, arguments)

    def _done(self, method: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        try:
            who = self.cloud.authenticated(arguments[0])
            if method in self.faults.refuses:
                raise Refused(ACTION, self.faults.refuses[method])
            made = CALLS[method](self.cloud, who, *arguments[1:])
        except Refused as refused:
            return False, f"[{method}] {refused}", refused.code, -1
        if isinstance(made, str) and made.startswith("<"):
            self.broken += check(made)
        return True, made, 0


def _handler(nebula: Nebula) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            nebula.gate.wait(60)
            method = str(loads(body)[1])
            nebula.on_receipt(method)
            faults = nebula.faults
            if faults.strikes(faults.lost_before, method):
                self.close_connection = True
                return
            time.sleep(faults.slow.get(method, faults.slow.get("*", 0.0)))
            garbled = faults.strikes(faults.garbled, method)
            text = "<html>502 Bad Gateway</html>" if garbled else nebula.answer(body)
            nebula.on_effect(method)
            if faults.strikes(faults.lost_after, method):
                self.close_connection = True
                return
            self._reply(text.encode(), 502 if garbled else 200, faults.strikes(faults.cut, method))

        def _reply(self, raw: bytes, status: int, cut: bool) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw[: len(raw) // 2] if cut else raw)
            self.close_connection = self.close_connection or cut

        def log_message(self, format: str, *args: object) -> None:
            """Tests need no access log."""

    return Handler


@contextmanager
def serving(cloud: Cloud) -> Iterator[Nebula]:
    """A server of this cloud, for as long as a test needs it; at the end every document was a good one."""
    nebula = Nebula(cloud)
    nebula.start()
    try:
        yield nebula
    finally:
        nebula.stop()
    assert nebula.broken == []
