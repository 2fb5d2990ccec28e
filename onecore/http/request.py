"""What came in: head and body, within limits."""

import asyncio
from collections.abc import Mapping

from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope

from onecore.errors import InvalidInput, OneError

Headers = Mapping[bytes, bytes]

LARGEST_BODY = 1024 * 1024
BODY_S = 30.0
TOO_LARGE = 413
TOO_SLOW = 408


class ClientGone(Exception):
    """Nobody is there any more to be answered."""


class Request:
    """What came in; the body is read once, within limits."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query_string: bytes = scope["query_string"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        client = scope.get("client")
        self.peer: str = client[0] if client else ""
        self.values: dict[str, str] = scope.get("path_params", {})
        self.user = ""
        self._receive = receive

    @property
    def is_foreign(self) -> bool:
        """Whether a browser sends this for a page of another site, with its user's credentials."""
        return self.headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin")

    @property
    def query(self) -> Mapping[str, str]:
        return QueryParams(self.query_string) if self.query_string else {}

    async def body(self) -> bytes:
        length = self.headers.get(b"content-length", b"0")
        if length.isdigit() and len(length) < 20 and int(length) > LARGEST_BODY:
            raise _too_large()
        try:
            async with asyncio.timeout(BODY_S):
                return await self._whole()
        except TimeoutError as exc:
            raise OneError("the body did not arrive in time", http_status=TOO_SLOW) from exc

    async def _whole(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            part = message.get("body", b"")
            size += len(part)
            if size > LARGEST_BODY:
                raise _too_large()
            parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)


def _too_large() -> InvalidInput:
    return InvalidInput(f"the body has more than {LARGEST_BODY // 1024} KiB", http_status=TOO_LARGE)
