"""After a crash: wait for the drivers that outlived us, call what they did unknown, and tidy up."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from onecore import process
from onecore.clock import Clock
from onecore.drivers.answers import deploy_id_problem
from onecore.machines import record
from onecore.machines.model import Kind, Resource
from onecore.machines.tools import SUFFIXES, Tools
from onecore.store import resources as store
from onecore.store.engine import Transaction
from onecore.store.resources import Operation

GRACE_S = 5.0


def outlive(operation: Operation, file: Path, clock: Clock, tick: Callable[[], None]) -> None:
    """Return when no driver of this operation is at work any more; past its deadline, or when it prints
    more than a driver may, it is killed.

    A late effect of a driver that nobody waits for would make every later look at the provider a lie.
    """
    pause = 0.01
    while process.is_held(file):
        if clock.now() > operation.deadline + GRACE_S or file.stat().st_size > process.MIB:
            process.kill_holders(file)
        tick()
        clock.sleep(pause)
        pause = min(pause * 2, 0.5)


def salvage(file: Path, kind: Kind) -> str:
    """The id that a creating driver printed, if it did. Without its exit status this is a hint."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        text = file.read_bytes()[: 64 * 1024].decode().strip()
        if kind is Kind.ADDRESS:
            text = str(json.loads(text)["id"])
        if not deploy_id_problem(text):
            return text
    return ""


def sweep(tools: Tools) -> None:
    """Remove run files of operations that ended: who recorded the end died before he removed them."""
    # Files first: one whose operation is begun after the question below is not among them.
    files = [f for f in tools.run_directory.glob("*.*") if f.stem.isdigit() and f.suffix[1:] in SUFFIXES]
    if not files:
        return
    with tools.database.read() as tx:
        still_open = store.open_ids(tx)
    for file in files:
        if int(file.stem) not in still_open:
            file.unlink(missing_ok=True)


def resolve(
    tx: Transaction, operation: Operation, resource: Resource | None, salvaged: str, now: float
) -> Resource | None:
    """Record that the end of `operation` is unknown; returns the changed resource."""
    store.end_operations(tx, [(operation.id, now, "unknown", salvaged)])
    if resource is None:
        return None
    changed = record.orphaned(resource, salvaged, now)
    store.update(tx, [changed])
    return changed
