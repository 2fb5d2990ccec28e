"""A server from its start to its end in order: HTTP in this thread, the work in others."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from onecore.http.journal import ServerLog
from onecore.http.keeper import Keeper
from onecore.http.server import Door, run, stopping_on_signals
from onecore.http.workers import Workers


class Driving(Protocol):
    """What carries out in threads of its own what was asked for."""

    def start(self) -> None: ...

    def check(self) -> None:
        """Raises when it ended by itself."""

    def stop(self) -> None:
        """Wait until what was begun is recorded."""


async def serve(
    doors: Sequence[Door],
    workers: Workers[Any],
    keeper: Keeper,
    driving: Driving,
    log: ServerLog,
    say: Callable[[str], None],
) -> None:
    """Until SIGTERM or SIGINT. Raises what ends it otherwise: another server took over, or nobody drives."""
    stop = asyncio.Event()

    def tick() -> None:
        keeper.tick()
        driving.check()

    try:
        with stopping_on_signals(stop):
            driving.start()
            for door in doors:
                say(f"{door.speaks.realm} listens on {door.url}")
            await run(doors, stop, tick)
            say("stopping: the driver calls that run are recorded first; again to stop at once")
    finally:
        await asyncio.to_thread(driving.stop)
        workers.close()
        keeper.leave()
        log.flush()
