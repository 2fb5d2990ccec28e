"""The threads beside the event loop, each with a connection of its own to the state."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from onecore.deps import Deps

D = TypeVar("D", bound=Deps)
T = TypeVar("T")


class Workers(Generic[D]):
    """`here` is for the event loop's own thread, which makes this. Writes are done one after the other, so
    that they never wait for each other inside SQLite; passwords have a thread of their own, so that slow
    hashes delay nobody."""

    def __init__(self, open_deps: Callable[[], D]) -> None:
        self._open = open_deps
        self._own = threading.local()
        self.here = open_deps()
        self._readers = ThreadPoolExecutor(2, "read")
        self._writer = ThreadPoolExecutor(1, "write")
        self._slow = ThreadPoolExecutor(4, "slow")
        self._hasher = ThreadPoolExecutor(1, "password")

    async def read(self, work: Callable[[D], T]) -> T:
        return await self._run(self._readers, work)

    async def write(self, work: Callable[[D], T]) -> T:
        """Goes on when the one who asked has gone: what was begun is finished."""
        return await asyncio.shield(self._run(self._writer, work))

    async def slow(self, work: Callable[[D], T]) -> T:
        """A write that may take its time first; it is finished as well."""
        return await asyncio.shield(self._run(self._slow, work))

    def hash(self, work: Callable[[str, str], bool], stored: str, password: str) -> "asyncio.Future[bool]":
        return asyncio.get_running_loop().run_in_executor(self._hasher, work, stored, password)

    def close(self) -> None:
        """Wait for what was begun."""
        for pool in (self._hasher, self._readers, self._slow, self._writer):
            pool.shutdown(wait=True)
        self.here.database.close()

    def _run(self, pool: ThreadPoolExecutor, work: Callable[[D], T]) -> "asyncio.Future[T]":
        return asyncio.get_running_loop().run_in_executor(pool, lambda: work(self._deps()))

    def _deps(self) -> D:
        found: D | None = getattr(self._own, "deps", None)
        if found is None:
            found = self._own.deps = self._open()
        return found
