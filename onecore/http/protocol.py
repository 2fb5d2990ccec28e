"""HTTP/1.1 as uvicorn reads it, with limits on what comes before the body."""

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 32 * 1024
HEAD_S = 20.0
# How long one who is refused in the middle of a request may go on sending, so that it gets to the answer.
LINGER_S = 2.0
BAD_REQUEST = 400
TOO_LARGE = 431

_HEAD = b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
_TOO_LONG = f"more than {LARGEST_HEAD // 1024} KiB of headers"
_PHRASES = {BAD_REQUEST: b"Bad Request", TOO_LARGE: b"Request Header Fields Too Large"}


class _Gathering:
    """A transport that hands on in one piece what is written in one turn: the head of an answer and its body
    would be two calls of the system, the dearest part of a small answer.

    Closing while the client still sends (`is_heard_out` says that it does not) would reset the connection,
    and with it the answer that is on its way: it ends our side only, until the client has ended its own.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        is_heard_out: Callable[[], bool],
    ) -> None:
        self.is_lingering = False
        self._transport = transport
        self._loop = loop
        self._is_heard_out = is_heard_out
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, part: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(part)

    def is_closing(self) -> bool:
        return self.is_lingering or self._transport.is_closing()

    def close(self) -> None:
        self._flush()
        if self.is_closing() or self._is_heard_out():
            self._transport.close()
            return
        self.is_lingering = True
        self._transport.write_eof()
        self._transport.resume_reading()
        self._loop.call_later(LINGER_S, self._transport.close)

    def _flush(self) -> None:
        parts, self._parts = self._parts, []
        if parts and not self.is_closing():
            self._transport.write(b"".join(parts))


class LimitedHttp(HttpToolsProtocol):
    """Refuses a request line and headers above 32 KiB, and those that are not complete in 20 s; an idle
    connection that never asked anything is closed after the same time."""

    body_of = staticmethod(lambda status, text: text.encode())
    """What a refusal that no application sees looks like; set by whoever makes the server."""

    _in_head = True
    _head_bytes = 0
    _deadline: asyncio.TimerHandle | None = None
    _gathering: _Gathering

    def connection_made(self, transport: Any) -> None:
        self._gathering = _Gathering(transport, self.loop, self._is_heard_out)
        super().connection_made(self._gathering)  # type: ignore[arg-type]  # stands for it
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._gathering.is_lingering:
            return
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        if self._head_bytes > LARGEST_HEAD:
            self._refuse(TOO_LARGE, _TOO_LONG)
        elif self._head_bytes and self._deadline is None:
            self._arm()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._disarm()
        # What came in one piece with the end of the head was not stopped on its way.
        if self._head_bytes > LARGEST_HEAD and self._size() > LARGEST_HEAD:
            raise ValueError(_TOO_LONG)
        self._head_bytes = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._head_bytes > LARGEST_HEAD:
            self._refuse(TOO_LARGE, _TOO_LONG)
        else:
            self._refuse(BAD_REQUEST, "this is no HTTP request")

    def _is_heard_out(self) -> bool:
        return self._in_head and not self._head_bytes

    def _size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _refuse(self, status: int, text: str) -> None:
        body = self.body_of(status, text)
        self.transport.write(_HEAD % (status, _PHRASES[status], len(body)) + body)
        self.transport.close()

    def _arm(self) -> None:
        self._deadline = self.loop.call_later(HEAD_S, self.transport.close)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
