"""After a crash: wait for the drivers that outlived us, call what they did unknown, and tidy up."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from onecore import alive, process
from onecore.drivers.answers import deploy_id_problem
from onecore.drivers.secrecy import betrays
from onecore.errors import DriverFailed, OneError
from onecore.machines import record
from onecore.machines.calls import VERBS, printed_id
from onecore.machines.charge import Held
from onecore.machines.desk import Desk
from onecore.machines.model import Kind, Resource
from onecore.machines.tools import SUFFIXES, Tools
from onecore.store import resources as store
from onecore.store.resources import Operation

GRACE_S = 5.0
FIRST_PAUSE_S = 0.01
LONGEST_PAUSE_S = 0.5


class Recovery:
    """Sees open operations to their end, without holding up anybody but their records.

    A late effect of a driver that nobody waits for would make every later look at the provider a lie.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def begin(self, owner: str, operations: Iterable[Operation]) -> None:
        held = self._desk.owners[owner]
        for operation in operations:
            held.awaited[operation.id] = operation.resource_id
            self._desk.timers.at(0.0, partial(self._wait, held, operation, FIRST_PAUSE_S))

    def _wait(self, held: Held, operation: Operation, pause_s: float) -> None:
        """Look again later while a driver of this operation is at work; past its deadline, or when it prints
        more than a driver may, it is killed."""
        if operation.id not in held.awaited:
            return
        tools = self._desk.tools
        file, now = tools.run_file(operation.id)("out"), tools.clock.now()
        if not alive.is_held(file):
            del held.awaited[operation.id]
            self._resolve(held, operation, file)
            return
        if pause_s == FIRST_PAUSE_S and operation.resource_id in held.records:
            text = f"waiting for a {operation.verb} that outlived the process which started it"
            tools.report(held.records[operation.resource_id], text, "W")
            tools.told()
        if now > operation.deadline + GRACE_S or file.stat().st_size > process.MIB:
            alive.kill_holders(file)
        again = partial(self._wait, held, operation, min(pause_s * 2, LONGEST_PAUSE_S))
        self._desk.timers.at(now + pause_s, again)

    def _resolve(self, held: Held, operation: Operation, file: Path) -> None:
        """Record that its end is unknown."""
        desk, resource = self._desk, held.records.get(operation.resource_id)
        salvaged = self._salvaged(file, operation, resource) if resource else ""
        desk.ledger.end(held.charge.owner, operation.id, "unknown", salvaged)
        if resource is None:
            return
        changed = record.orphaned(resource, salvaged, desk.tools.clock.now())
        desk.change(changed, f"{operation.verb} was cut short by a crash; its end is unknown", "W")
        desk.attend_to(resource.id)

    def _salvaged(self, file: Path, operation: Operation, resource: Resource) -> str:
        if operation.verb != VERBS[resource.kind].create:
            return ""
        try:
            binding = self._desk.tools.bind(resource)
        except OneError:  # a driver that cannot be found now is no reason to lose the only trace of a machine
            return salvage(file, resource.kind)
        salvaged = salvage(file, resource.kind, binding.printed_id)
        return "" if betrays(salvaged, binding.secrets.values()) else salvaged


def salvage(file: Path, kind: Kind, read: Callable[[Kind, str], str] = printed_id) -> str:
    """The id that a creating driver printed, if it did. Without its exit status this is a hint."""
    with suppress(OSError, ValueError, LookupError, TypeError, DriverFailed):
        text = read(kind, file.read_bytes()[: 64 * 1024].decode().strip())
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
