"""The edge for people: each request on behalf of the user whom HTTP Basic names."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from onecore.access import Principal, verify_password
from onecore.deps import Deps
from onecore.http.edge import Edge
from onecore.http.journal import Log
from onecore.http.manner import Manner
from onecore.http.passwords import Passwords
from onecore.http.request import Headers
from onecore.http.workers import Workers

D = TypeVar("D", bound=Deps)


def basic_edge(
    workers: Workers[D], speaks: Manner, log: Log, changed: Callable[[], None]
) -> Edge[D, Principal, D]:
    """`changed` is told after each write."""
    deps = workers.here

    def verify(stored: str, password: str) -> "asyncio.Future[bool]":
        return workers.hash(verify_password, stored, password)

    passwords = Passwords(deps.database, verify, deps.clock.monotonic, deps.random_bytes)

    async def gate(headers: Headers, peer: str, version: int) -> Principal:
        header = headers.get(b"authorization", b"").decode("latin-1")
        return await passwords.admit(header, peer, version)

    def acting_for(deps: D, who: Principal | None) -> D:
        return deps if who is None else replace(deps, principal=who)

    return Edge(workers, gate, acting_for, speaks, log, changed)
