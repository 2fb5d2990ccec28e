"""What the use cases and the controller act with: one value, put together by bootstrap."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from onecore.access import Principal
from onecore.clock import Clock
from onecore.config import Settings
from onecore.notice import Notice
from onecore.store.engine import Database
from onecore.store.lease import Owner

if TYPE_CHECKING:
    from onecore.drivers.catalog import Catalog


@dataclass(frozen=True)
class Deps:
    """`random_bytes(n)`, `jitter` (0 to 1) and `clock` are the only sources of chance and time. `boundary`
    hears of every point at which a crash could fall, `notify` of everything that people may want to see
    (`told` ends a row of notices that say `more`),
    `conceal` of every secret before its use; `interrupted` gives the reason when the user wants to stop.
    `waits`: whether who asks waits until it is done; else it is recorded, and a server does it."""

    settings: Settings
    database: Database
    find_drivers: Callable[[], "Catalog"]
    clock: Clock
    principal: Principal
    process: Owner
    random_bytes: Callable[[int], bytes]
    jitter: Callable[[], float]
    boundary: Callable[[str], None] = lambda name: None
    notify: Callable[[Notice], None] = lambda notice: None
    told: Callable[[], None] = lambda: None
    interrupted: Callable[[], str] = lambda: ""
    conceal: Callable[[Iterable[str]], None] = lambda secrets: None
    waits: bool = True

    @cached_property
    def catalog(self) -> "Catalog":
        """The drivers, looked up when the first one is needed."""
        return self.find_drivers()
