"""Puts the parts together: from settings to what the use cases act with."""

import os
from collections.abc import Callable

from onecore.clock import SystemClock
from onecore.config import Settings
from onecore.drivers.catalog import Catalog, search_path
from onecore.home import open_home, who
from onecore.store.lease import this_process
from oneprovision.deps import Deps, Notice
from oneprovision.store import SCHEMA


def open_deps(
    settings: Settings,
    notify: Callable[[Notice], None] = lambda notice: None,
    interrupted: Callable[[], str] = lambda: "",
    boundary: Callable[[str], None] = lambda name: None,
) -> Deps:
    """Open the state of this user (made at first use) and find out who is asking."""
    database = open_home(settings, (SCHEMA,), os.urandom, boundary)
    with database.read() as tx:
        principal = who(tx, settings.auth_file)
    return Deps(
        settings=settings,
        database=database,
        catalog=Catalog(search_path(settings.remotes)),
        clock=SystemClock(),
        principal=principal,
        process=this_process(),
        random_bytes=os.urandom,
        jitter=_jitter,
        boundary=boundary,
        notify=notify,
        interrupted=interrupted,
    )


def _jitter() -> float:
    """0 to 1, from the same source as the names: the module `random` costs four milliseconds at start."""
    return int.from_bytes(os.urandom(4)) / 2**32
