"""The edge for people: each request on behalf of the user whom HTTP Basic names."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from onecore.access import NOBODYS, Principal, verify_password
from onecore.deps import Deps
from onecore.http.edge import Edge
from onecore.http.journal import Log
from onecore.http.manner import Manner
from onecore.http.passwords import REMEMBERED_S, Passwords
from onecore.http.request import Headers
from onecore.http.workers import Workers
from onecore.store.accounts import User

D = TypeVar("D", bound=Deps)

ELSEWHERE_S = 60.0
"""How long an answer of somebody else counts: a token may expire, a password be changed."""


def basic_edge(
    workers: Workers[D],
    speaks: Manner,
    log: Log,
    changed: Callable[[], None],
    elsewhere: Callable[[D, str, str], bool] | None = None,
) -> Edge[D, Principal, D]:
    """`changed` is told after each write. `elsewhere`: who knows the passwords, if we do not; it makes those
    known here whose passwords are right."""
    deps = workers.here

    def verify(name: str, user: User | None, password: str) -> "asyncio.Future[bool]":
        if elsewhere is not None:
            return asyncio.ensure_future(workers.slow(partial(_ask, elsewhere, name, password)))
        # An unknown user costs the same time as a wrong password.
        return workers.hash(verify_password, user.password if user else NOBODYS, password)

    remembered_s = REMEMBERED_S if elsewhere is None else ELSEWHERE_S
    passwords = Passwords(deps.database, verify, deps.clock.monotonic, deps.random_bytes, remembered_s)

    async def gate(headers: Headers, peer: str, version: int) -> Principal:
        header = headers.get(b"authorization", b"").decode("latin-1")
        return await passwords.admit(header, peer, version)

    def acting_for(deps: D, who: Principal | None) -> D:
        return deps if who is None else replace(deps, principal=who)

    return Edge(workers, gate, acting_for, speaks, log, changed)


def _ask(elsewhere: Callable[[D, str, str], bool], name: str, password: str, deps: D) -> bool:
    return elsewhere(deps, name, password)
