"""Runs applications behind sockets until they are asked to stop, and then stops them in order."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address

import uvicorn
from starlette.types import ASGIApp

from onecore.errors import InvalidInput, OneError
from onecore.http import manner
from onecore.http.manner import Manner
from onecore.http.protocol import LimitedHttp

IDLE_S = 75
GRACE_S = 10
MOST_CONNECTIONS = 1000
WAITING_CONNECTIONS = 1024
TICK_S = 0.5


@dataclass(frozen=True)
class Door:
    """An application and where it listens."""

    app: ASGIApp
    listener: socket.socket
    speaks: Manner

    @property
    def url(self) -> str:
        return url_of(self.listener)


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises OneError for an address or port that cannot be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        made = socket.create_server((host, port), family=family, backlog=WAITING_CONNECTIONS)
    except (OSError, OverflowError) as exc:
        number = exc.errno if isinstance(exc, OSError) else None
        # A name that is not known has a number of its own kind, below 0.
        own = getattr(exc, "strerror", None) or str(exc)
        why = os.strerror(number) if number is not None and number > 0 else own
        raise InvalidInput(
            f"cannot listen on {host} port {port}: {why.lower()}",
            hint="is another server running there? choose another with --host and --port",
        ) from exc
    # Those who are let in inherit it; else a head waits 40 ms for its body.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setblocking(False)
    return made


def url_of(made: socket.socket) -> str:
    host, port = made.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def reachable_url(made: socket.socket) -> str:
    """Where others reach it: for one that listens everywhere, the address of this machine on its way out."""
    host, port = made.getsockname()[:2]
    if not ip_address(host).is_unspecified:
        return url_of(made)
    with socket.socket(made.family, socket.SOCK_DGRAM) as probe:
        try:
            # Sends nothing: only asks which way it would go.
            probe.connect(("192.0.2.1" if made.family == socket.AF_INET else "2001:db8::1", 9))
            host = probe.getsockname()[0]
        except OSError:
            host = socket.gethostname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


async def run(doors: Sequence[Door], stop: asyncio.Event, tick: Callable[[], None]) -> None:
    """Until `stop` is set; what was begun is finished, for up to 10 s. `tick` is called about twice a second,
    beside the event loop."""
    servers = [_server(door) for door in doors]
    running = [
        asyncio.create_task(server.serve(sockets=[door.listener]))
        for server, door in zip(servers, doors, strict=True)
    ]
    ticking = asyncio.create_task(_tick(tick))
    waiting = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([waiting, ticking, *running], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*running)
        waiting.cancel()
        ticking.cancel()
        with suppress(asyncio.CancelledError):
            await ticking


@contextmanager
def stopping_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """The first SIGTERM or SIGINT sets `stop`; the second ends the process at once, which is safe."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)

    def ask() -> None:
        stop.set()
        for number in signals:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in signals:
        loop.add_signal_handler(number, ask)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:  # several servers share the signals
        yield


def _server(door: Door) -> uvicorn.Server:
    def body_of(status: int, text: str) -> bytes:
        return manner.encoded(door.speaks.body(OneError(text, http_status=status)))

    protocol = type("Http", (LimitedHttp,), {"body_of": staticmethod(body_of)})
    return _Server(
        uvicorn.Config(
            door.app,
            http=protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",  # what it would say is either the client's doing, or in our own log
            access_log=False,
            server_header=False,
            timeout_keep_alive=IDLE_S,
            timeout_graceful_shutdown=GRACE_S,
            limit_concurrency=MOST_CONNECTIONS,
            backlog=WAITING_CONNECTIONS,
        )
    )


async def _tick(tick: Callable[[], None]) -> None:
    """Ends, and with it the server, when `tick` raises."""
    while True:
        await asyncio.sleep(TICK_S)
        await asyncio.to_thread(tick)
