"""`oneprovision serve`: HTTP in this thread, the work in others, until somebody says stop."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from onecore.deps import Deps
from onecore.http import serving
from onecore.http.journal import ServerLog
from onecore.http.keeper import Keeper, refuse_a_second
from onecore.http.server import Door, listener
from onecore.http.workers import Workers
from onecore.log import Redactor
from oneprovision.api import app
from oneprovision.api.driving import Driving

PRODUCT = "oneprovision"


@dataclass(frozen=True)
class Where:
    """The address to listen on, and how many provisions to work on at a time."""

    host: str
    port: int
    concurrency: int


def serve(
    open_deps: Callable[[], Deps], where: Where, redactor: Redactor, say: Callable[[str], None]
) -> None:
    """Until SIGTERM or SIGINT. `open_deps` opens the state for the thread that calls it. Raises WrongState
    where another server has this state, InvalidInput for an address that cannot be had."""
    asyncio.run(_serve(open_deps, where, redactor, say))


async def _serve(
    open_deps: Callable[[], Deps], where: Where, redactor: Redactor, say: Callable[[str], None]
) -> None:
    refuse_a_second(open_deps, PRODUCT)
    front = listener(where.host, where.port)
    first = open_deps()
    log = ServerLog(first.settings.log_directory, PRODUCT, redactor, first.clock.now)
    first.database.close()
    driving = Driving(open_deps, log, where.concurrency)

    def for_requests() -> Deps:
        return replace(
            open_deps(),
            waits=False,
            notify=log.noticed,
            told=log.told,
            interrupted=driving.reason_to_stop,
        )

    workers = Workers(for_requests)
    door = Door(app.application(workers, log, driving.wake), front, app.SPEAKS)
    keeper = Keeper(open_deps, PRODUCT, door.url, log)
    await serving.serve([door], workers, keeper, driving, log, say)
