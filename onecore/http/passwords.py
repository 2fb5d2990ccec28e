"""HTTP Basic: whose request it is, at the price of a slow hash only when credentials are new.

Verified credentials are remembered by a keyed hash, for a while, and only as long as the user has that
password. Whoever guesses is slowed down per user and address; those who are remembered do not feel it.
"""

import asyncio
import binascii
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from onecore.access import Principal
from onecore.errors import NotFound, OneError
from onecore.http.manner import unauthorized
from onecore.store import accounts
from onecore.store.accounts import User
from onecore.store.engine import Database

REMEMBERED_S = 600.0
MOST_REMEMBERED = 1024
MOST_WAITING = 32
LONGEST_HEADER = 4096
MOST_FAILURES = 10
FAILURES_FORGOTTEN_S = 60.0
NEEDED = "A username and password must be provided"
WRONG = "Invalid credentials"

Verify = Callable[[str, User | None, str], "asyncio.Future[bool]"]


@dataclass(frozen=True)
class _Known:
    user_name: str
    password_hash: str
    until: float


class Passwords:
    """`verify(name, user, password)` runs beside the event loop; it may make the user known, who is None as
    long as he is not. `monotonic` is in seconds; who was verified need not be for `remembered_s`."""

    def __init__(
        self,
        database: Database,
        verify: Verify,
        monotonic: Callable[[], float],
        random: Callable[[int], bytes],
        remembered_s: float = REMEMBERED_S,
    ) -> None:
        self._database = database
        self._verify = verify
        self._monotonic = monotonic
        self._key = random(32)
        self._remembered_s = remembered_s
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._asked: dict[bytes, asyncio.Future[bool]] = {}
        self._failures = _Failures(monotonic)
        self._users: dict[str, User | None] = {}
        self._version = -1

    async def admit(self, header: str, peer: str, version: int) -> Principal:
        """Raises NotAuthorized (401). `version` is that of the state, now."""
        if version != self._version:
            self._users.clear()
            self._version = version
        mark = blake2b(header.encode("utf-8", "surrogateescape"), key=self._key, digest_size=16).digest()
        known = self._known.get(mark)
        if known is not None:
            user = self._user(known.user_name)
            if user is not None and self._is_still(known, user):
                return accounts.principal(user)
            del self._known[mark]
        return await self._checked(mark, *_parsed(header), peer)

    async def _checked(self, mark: bytes, name: str, password: str, peer: str) -> Principal:
        who = (peer, name)
        self._failures.refuse_too_many(who)
        user = self._user(name)
        # Eight connections that begin at once wait for one check.
        check = self._asked.get(mark) or self._begin(mark, name, user, password)
        fits = await asyncio.shield(check)
        user = user or self._user(name)
        if not fits or user is None:
            self._failures.add(who)
            raise unauthorized(WRONG)
        self._known[mark] = _Known(user.name, user.password, self._monotonic() + self._remembered_s)
        while len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return accounts.principal(user)

    def _begin(self, mark: bytes, name: str, user: User | None, password: str) -> "asyncio.Future[bool]":
        if len(self._asked) >= MOST_WAITING:
            raise _busy("too many passwords are being checked")
        check = self._verify(name, user, password)
        self._asked[mark] = check
        check.add_done_callback(lambda done: self._asked.pop(mark, None))
        return check

    def _is_still(self, known: _Known, user: User) -> bool:
        return known.password_hash == user.password and self._monotonic() < known.until

    def _user(self, name: str) -> User | None:
        if name not in self._users:
            with self._database.read() as tx:
                try:
                    self._users[name] = accounts.user_named(tx, name)
                except NotFound:
                    return None
        return self._users[name]


class _Failures:
    """Who failed how often of late."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._times: OrderedDict[tuple[str, str], list[float]] = OrderedDict()

    def add(self, who: tuple[str, str]) -> None:
        self._times.setdefault(who, []).append(self._monotonic())
        self._times.move_to_end(who)
        while len(self._times) > MOST_REMEMBERED:
            self._times.popitem(last=False)

    def refuse_too_many(self, who: tuple[str, str]) -> None:
        since = self._monotonic() - FAILURES_FORGOTTEN_S
        recent = [at for at in self._times.get(who, ()) if at > since]
        if len(recent) >= MOST_FAILURES:
            raise _busy("too many wrong passwords", status=429, wait_s=int(FAILURES_FORGOTTEN_S))
        if recent:
            self._times[who] = recent
        else:
            self._times.pop(who, None)


def _busy(text: str, status: int = 503, wait_s: int = 1) -> OneError:
    return OneError(
        text, hint=f"repeat in {wait_s} seconds", http_status=status, context={"retry_after": wait_s}
    )


def _parsed(header: str) -> tuple[str, str]:
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != "basic" or len(header) > LONGEST_HEADER:
        raise unauthorized(NEEDED)
    try:
        text = b64decode(rest.strip(), validate=True).decode()
    except (binascii.Error, ValueError) as exc:
        raise unauthorized(NEEDED) from exc
    name, colon, password = text.partition(":")
    if not colon or not name:
        raise unauthorized(NEEDED)
    return name, password
