"""Puts the parts together: from settings to what the use cases act with."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from onecore.clock import SystemClock
from onecore.config import Settings
from onecore.deps import Deps
from onecore.home import open_home, who
from onecore.notice import Notice
from onecore.store.engine import CORE, Schema, open_database
from onecore.store.lease import this_process

if TYPE_CHECKING:
    from onecore.drivers.catalog import Catalog

D = TypeVar("D", bound=Deps)


def open_deps(
    settings: Settings,
    schemas: Sequence[Schema],
    notify: Callable[[Notice], None] = lambda notice: None,
    interrupted: Callable[[], str] = lambda: "",
    boundary: Callable[[str], None] = lambda name: None,
    conceal: Callable[[Iterable[str]], None] = lambda secrets: None,
) -> Deps:
    """Open the state of this user, made at first use, and find out who asks. `schemas`: the product's own."""
    database = open_home(settings, schemas, os.urandom, boundary)
    with database.read() as tx:
        # The credentials of an OpenNebula are none of ours: who they are is found out there.
        principal = who(tx, None if settings.opennebula else settings.auth_file)
    return Deps(
        settings=settings,
        database=database,
        find_drivers=partial(open_catalog, settings),
        clock=SystemClock(),
        principal=principal,
        process=this_process(),
        random_bytes=os.urandom,
        jitter=_jitter,
        boundary=boundary,
        notify=notify,
        interrupted=interrupted,
        conceal=conceal,
    )


def with_own_connection(deps: D, schemas: Sequence[Schema]) -> D:
    """The same tools for another thread: a connection to the state belongs to the thread that made it."""
    database = open_database(deps.settings.database, (CORE, *schemas), deps.boundary)
    return replace(deps, database=database)


def open_catalog(settings: Settings) -> "Catalog":
    """The drivers; looking at them needs neither a state file nor a user."""
    from onecore.drivers.catalog import (
        Catalog,
        search_path,
    )  # lazy: a command that only reads starts no driver

    return Catalog(search_path(settings.remotes))


def _jitter() -> float:
    """0 to 1, from the same source as the names: the module `random` costs four milliseconds at start."""
    return int.from_bytes(os.urandom(4)) / 2**32
