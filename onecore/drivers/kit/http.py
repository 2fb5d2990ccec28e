"""A client for a provider's JSON API: deadlines, shared limits, and its own rule for repeating.

GET, PUT and DELETE do the same when they are done twice, so they are repeated when network or provider
stumble. A POST is repeated only when it surely had no effect: no connection came about, the provider said
429, or it answered what `Provider.transient` knows as "not now". Every other stumble raises Uncertain, and
whoever asked has to look whether it was done before asking again.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import requests

from onecore.clock import Clock, SystemClock
from onecore.drivers.kit import waiting
from onecore.drivers.kit.limiter import Limiter, Limits
from onecore.drivers.kit.program import Failed
from onecore.drivers.kit.retry_after import retry_after

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0
PATIENCE_S = 240.0
MOST_BYTES = 32 * 1024 * 1024

NOT_FOUND = 404
CONFLICT = 409
TOO_MANY = 429
_STUMBLES = (408, 500, 502, 503, 504)


class Refused(Failed):
    """The provider answered that it does not; nothing was done."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class Uncertain(Failed):
    """Nobody knows whether the provider did it."""


@dataclass(frozen=True)
class Provider:
    """What is peculiar to one provider. `reason` finds the words in the body of an error; `transient` knows
    the errors (status, words) that pass by themselves and leave nothing done."""

    name: str
    url: str
    reason: Callable[[object], str]
    transient: Callable[[int, str], bool] = lambda status, words: False
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Account:
    """Whose machines: where the API is, and the key, which may be missing where the provider needs none."""

    url: str
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    query: Mapping[str, str]
    body: object
    kind: str

    @property
    def repeatable(self) -> bool:
        return self.method != "POST"

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class _Reply:
    status: int
    headers: Mapping[str, str]
    body: object


class _NoConnection(Exception):
    """Nothing was sent."""


class _Broken(Exception):
    """Something may have been sent, and no whole answer came."""


class Api:
    """Calls one provider for one account. `patience_s`: how long an answer "not now" is asked again."""

    def __init__(
        self,
        provider: Provider,
        account: Account,
        one_home: Path,
        patience_s: float = PATIENCE_S,
        clock: Clock | None = None,
    ) -> None:
        self.provider = provider
        self.clock = clock or SystemClock()
        self._account = account
        self._url = safe_url(account.url or provider.url)
        folder = one_home / "limits" / f"{provider.name}-{_fingerprint(self._url, account.token)}"
        self._limiter = Limiter(folder, provider.limits, self.clock)
        self._patience_s = patience_s
        self._session = requests.Session()
        # Neither a proxy nor a password of ~/.netrc may come between us and the provider.
        self._session.trust_env = False

    def get(self, path: str, query: Mapping[str, str] | None = None, kind: str = "") -> object:
        return self._ask(_Request("GET", path, query or {}, None, kind))

    def find(self, path: str, kind: str = "") -> object | None:
        """Like get, but None for what does not exist."""
        try:
            return self.get(path, kind=kind)
        except Refused as exc:
            if exc.status == NOT_FOUND:
                return None
            raise

    def post(self, path: str, body: object = None, kind: str = "") -> object:
        return self._ask(_Request("POST", path, {}, body if body is not None else {}, kind))

    def delete(self, path: str) -> bool:
        """False when it was gone already."""
        try:
            self._ask(_Request("DELETE", path, {}, None, ""))
        except Refused as exc:
            if exc.status == NOT_FOUND:
                return False
            raise
        return True

    def _ask(self, request: _Request) -> object:
        """Ask until there is an answer to go by, or patience ends."""
        end, turn = self.clock.monotonic() + self._patience_s, 0
        while True:
            wait_s, problem = self._once(request, turn)
            if isinstance(problem, _Reply):
                return problem.body
            if self.clock.monotonic() + wait_s > end:
                raise problem
            self.clock.sleep(wait_s)
            turn += 1

    def _once(self, request: _Request, turn: int) -> tuple[float, "_Reply | Failed"]:
        """The answer; or why there is none, and in how many seconds to ask again (raised when never)."""
        name = self.provider.name
        try:
            with self._limiter.call(request.kind):
                reply = self._send(request)
        except _NoConnection as exc:
            return waiting.pause(turn + 3), Failed(f"{name} cannot be reached at {self._url}: {exc}")
        except _Broken as exc:
            lost = Uncertain(f"the answer of {name} to {request} was lost: {exc}")
            return self._again(request, turn, lost)
        if reply.status < 300:
            return 0.0, reply
        words = self._words(reply)
        refused = Refused(f"{name} refuses {request}: {words}", reply.status)
        if reply.status == TOO_MANY:
            pause = retry_after(reply.headers, self.clock.now(), turn)
            self._limiter.back_off(pause)
            return pause, refused
        if self.provider.transient(reply.status, words):
            return waiting.pause(turn + 2), refused
        if reply.status in _STUMBLES:
            return self._again(request, turn, Uncertain(f"{name} stumbled over {request}: {words}"))
        raise refused

    def _again(self, request: _Request, turn: int, lost: Uncertain) -> tuple[float, Failed]:
        if not request.repeatable:
            raise lost
        return waiting.pause(turn + 3), lost

    def _send(self, request: _Request) -> _Reply:
        headers = {"Accept": "application/json", "User-Agent": "onesuite"}
        if self._account.token:
            headers["Authorization"] = f"Bearer {self._account.token}"
        try:
            with self._session.request(
                request.method,
                self._url + request.path,
                params=dict(request.query),
                json=request.body,
                headers=headers,
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                # A redirection would carry the key to who knows where.
                allow_redirects=False,
                stream=True,
            ) as response:
                return _Reply(response.status_code, response.headers, _json(response, request))
        except requests.exceptions.ConnectTimeout as exc:
            raise _NoConnection("it does not answer") from exc
        except requests.exceptions.ConnectionError as exc:
            if _never_connected(exc):
                raise _NoConnection(_reason(exc)) from exc
            raise _Broken(_reason(exc)) from exc
        except requests.exceptions.RequestException as exc:
            raise _Broken(_reason(exc)) from exc

    def _words(self, reply: _Reply) -> str:
        words = self.provider.reason(reply.body) or str(reply.body or "no reason given")[:200]
        return f"{' '.join(words.split())} (HTTP {reply.status})"


def patience_s(action: str) -> float:
    """How long an action may ask again: a machine that installs is locked for minutes, and who asks what is
    offered looks at a screen."""
    return _PATIENCE_S.get(action, PATIENCE_S)


_PATIENCE_S = {"cancel": 540.0, **dict.fromkeys(("locations", "plans", "images", "prices"), 20.0)}


def safe_url(url: str) -> str:
    """The base address, unless the key would travel in the clear to another machine."""
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise Failed(f"'{parts.scheme}://{parts.hostname or ''}' cannot be the address of an API")
    if parts.scheme == "http" and not local:
        raise Failed(f"'{url}' would carry the key in the clear: use https (http is for this machine only)")
    return url.rstrip("/")


def _json(response: requests.Response, request: _Request) -> object:
    raw = b""
    for part in response.iter_content(65536):
        raw += part
        if len(raw) > MOST_BYTES:
            raise Failed(f"the answer to {request} is longer than {MOST_BYTES} bytes")
    if not raw.strip():
        return None
    try:
        parsed: object = json.loads(raw)
    except ValueError as exc:
        if response.status_code < 300:
            raise _Broken("it is not JSON") from exc
        return raw[:200].decode("utf-8", "replace")  # the page of a proxy in between
    return parsed


def _never_connected(exc: requests.exceptions.ConnectionError) -> bool:
    from urllib3.exceptions import MaxRetryError, NewConnectionError  # lazy: only for what went wrong

    cause = exc.args[0] if exc.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


def _reason(exc: Exception) -> str:
    """The innermost of a chain of exceptions; the outer ones repeat address and path."""
    cause: object = exc
    while isinstance(cause, Exception) and cause.args and isinstance(cause.args[-1], Exception):
        cause = cause.args[-1]
    if isinstance(cause, Exception) and isinstance(reason := getattr(cause, "reason", None), Exception):
        cause = reason
    return str(cause).rpartition(": ")[2] or type(cause).__name__


def _fingerprint(url: str, token: str) -> str:
    """Names the account in a file name, and tells nothing of its key."""
    from hashlib import sha256

    return sha256(f"{url}\n{token}".encode()).hexdigest()[:16]
