"""What the machine loop acts with: handed in, never looked up."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

from onecore import standard_files
from onecore.clock import Clock
from onecore.drivers.manifest import Limits
from onecore.machines.calls import Binding
from onecore.machines.decide import Facts
from onecore.machines.model import Kind, Resource
from onecore.process import Runner
from onecore.store.engine import Database, Transaction

Group = tuple[str, int | None, Kind]

SUFFIXES = ("xml", "out")


class Bound(NamedTuple):
    """What is known of a resource once its driver is found."""

    facts: Facts
    limits: Limits


@dataclass(frozen=True)
class Tools:
    """`bind` finds a resource's driver and account; `jitter` gives 0 to 1; `boundary` hears of every point at
    which a crash could fall; `report` of every change (record, text, level), for people to see, and `told`
    when there is no more for now; `stop_requested` (another process did) and `interrupted` (the user did)
    give a reason to stop. `runner` outlives a fleet that failed, so that its calls are seen to their end."""

    database: Database
    clock: Clock
    jitter: Callable[[], float]
    bind: Callable[[Resource], Binding]
    run_directory: Path
    report: Callable[[Resource, str, str], None] = lambda resource, text, level: None
    told: Callable[[], None] = lambda: None
    boundary: Callable[[str], None] = lambda name: None
    stop_requested: Callable[[Transaction], str] = lambda tx: ""
    interrupted: Callable[[], str] = lambda: ""
    runner: Runner[object] = field(default_factory=Runner)

    def run_file(self, operation_id: int) -> Callable[[str], Path]:
        """Where the files of one operation are: its deployment file and its driver's output."""
        return partial(_run_file, self.run_directory, operation_id)

    def inherit_run_files(self, finished: int, operation_id: int) -> None:
        """Give the files of a recorded operation to one that is about to start, its output emptied.

        Removing and making them anew gets slower with every one: a file system passes over the places of
        files that were just removed.
        """
        old, new = self.run_file(finished), self.run_file(operation_id)
        # Where the disk refuses, the next operation makes files of its own.
        with suppress(OSError):
            old("xml").rename(new("xml"))
        with suppress(OSError):
            # Emptied first: an old answer under a new number would be a lie after a crash.
            if standard_files.emptied(old("out")):
                old("out").rename(new("out"))
            else:
                old("out").unlink()

    def forget_run_files(self, operation_id: int) -> None:
        for suffix in SUFFIXES:
            self.run_file(operation_id)(suffix).unlink(missing_ok=True)


@lru_cache(maxsize=256)  # each is asked for several times while its operation runs
def _run_file(folder: Path, operation_id: int, suffix: str) -> Path:
    return Path(f"{folder}/{operation_id}.{suffix}")


def group_of(resource: Resource) -> Group:
    """Resources that one list of one provider answers for."""
    return resource.driver, resource.provider_id, resource.kind
