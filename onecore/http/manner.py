"""How a product says over HTTP what went wrong."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from onecore.errors import NotAuthorized, NotFound, OneError, StoreFailed, TimedOut

UNAUTHORIZED = 401
NOT_IMPLEMENTED = 501


@dataclass(frozen=True)
class Manner:
    """`body`: what the JSON of a refusal is; `status`: its code; `realm`: for the browser's question."""

    realm: str
    body: Callable[[OneError], object]
    status: Callable[[OneError], int] = lambda error: error.http_status


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()


JSON_TYPE = (b"content-type", b"application/json")


def answer(status: int, value: object) -> Answer:
    """None is no body at all; bytes are JSON already."""
    if value is None:
        return Answer(status)
    body = value if isinstance(value, bytes) else encoded(value)
    return Answer(status, body, (JSON_TYPE,))


def refusal(manner: Manner, error: OneError) -> Answer:
    """The answer to what cannot be done, with the headers that belong to it."""
    status = manner.status(error)
    headers = [JSON_TYPE, (b"x-one-error", type(error).__name__.encode())]
    if status == UNAUTHORIZED:
        headers.append((b"www-authenticate", f'Basic realm="{manner.realm}", charset="UTF-8"'.encode()))
    wait_s = error.context.get("retry_after")
    if isinstance(wait_s, int):
        headers.append((b"retry-after", str(wait_s).encode()))
    return Answer(status, encoded(manner.body(error)), tuple(headers))


def encoded(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def no_such_path(path: str) -> NotFound:
    return NotFound(f"there is nothing at {path[:200]}", hint="see /openapi.json")


def undefined_verb(method: str, path: str, verbs: tuple[str, ...]) -> OneError:
    """spec/003, Methods: verbs not defined for a particular entity return a 501."""
    return OneError(
        f"{method} is not defined for {path[:200]}",
        hint=f"it has: {', '.join(verbs)}",
        http_status=NOT_IMPLEMENTED,
    )


def unauthorized(text: str) -> NotAuthorized:
    return NotAuthorized(text, http_status=UNAUTHORIZED)


def outward(error: OneError, reference: str) -> OneError:
    """What may be told to a client: where the state lies and what is wrong with it stays in the log."""
    if isinstance(error, StoreFailed) and error.retryable:
        return OneError("the state is busy; repeat in a moment", http_status=503, context={"retry_after": 1})
    if isinstance(error, StoreFailed):
        return OneError(f"the state cannot be used; the log says why (reference {reference})")
    if isinstance(error, TimedOut):
        return OneError(error.message, hint=error.hint, http_status=503)
    return error


def crashed(reference: str) -> OneError:
    return OneError(f"internal error; the log of the server says more (reference {reference})")
