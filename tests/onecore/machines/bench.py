"""A worker on a state file and a remotes folder of its own, with real drivers, and what it left behind."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from onecore.clock import SystemClock
from onecore.drivers.catalog import Catalog, builtin_remotes
from onecore.drivers.manifest import ACTIONS
from onecore.machines import record
from onecore.machines.calls import Binding
from onecore.machines.model import Kind, Resource, RetryPolicy
from onecore.machines.tools import Tools
from onecore.machines.worker import Worker
from onecore.store import events, lease, resources
from onecore.store.engine import CORE, Database, Transaction, open_database
from onecore.store.lease import Lease
from tests.onecore.store.builders import a_resource

OWNER = "provision/0"
POLICY = RetryPolicy(retries=2, sleep_s=0.02)
FORCE = RetryPolicy(retries=2, sleep_s=0.02, force=True)
NOTHING = "exit 0"
LIST = """
printf '['; comma=
for file in "$ONE_HOME"/made/*; do
    [ -e "$file" ] || continue
    printf '%s{"name":"%s","deploy_id":"id-%s","state":"running"}' "$comma" "${file##*/}" "${file##*/}"
    comma=,
done
printf ']'
"""


@dataclass
class Bench:
    """One owner with a lease. `reports` is everything that people were told."""

    home: Path
    database: Database
    catalog: Catalog
    held: Lease
    secrets: dict[str, str] = field(default_factory=dict)
    reports: list[str] = field(default_factory=list)

    @classmethod
    def at(cls, home: Path, boundary: Callable[[str], None] = lambda name: None) -> "Bench":
        """Opens (at first makes) the state in `home`; the drivers are those in its remotes, then our own."""
        (home / "run").mkdir(parents=True, exist_ok=True)
        database = open_database(home / "one.db", (CORE,), boundary)
        catalog = Catalog([("test", home / "remotes"), ("built in", builtin_remotes())])
        clock = SystemClock()
        with database.begin() as tx:
            held = lease.claim(tx, OWNER, "test", clock.now(), lease.this_process())
        return cls(home, database, catalog, held)

    def tools(self, **changed) -> Tools:
        given = {
            "database": self.database,
            "clock": SystemClock(),
            "jitter": lambda: 0.0,
            "bind": self.bind,
            "run_directory": self.home / "run",
            "report": lambda resource, text, level: self.reports.append(f"{resource.label}: {text}"),
        }
        return Tools(**{**given, **changed})

    def bind(self, resource: Resource) -> Binding:
        return Binding(self.catalog.get(resource.driver), self.secrets, self.home, "/usr/bin:/bin")

    def worker(self, policy: RetryPolicy = POLICY, threads: int = 16, **changed) -> Worker:
        return Worker(self.tools(**changed), self.held, OWNER, policy, threads)

    def want(self, count: int, driver: str = "dummy", kind: Kind = Kind.MACHINE, **changed) -> list[Resource]:
        """Records of machines that are to be, with provision parameters from `parameters`."""
        parameters = {key: str(value) for key, value in changed.pop("parameters", {}).items()}
        with self.database.begin() as tx:
            first = tx.next_id("resource")
            for _ in range(count - 1):
                tx.next_id("resource")
            wanted = [
                a_resource(
                    number,
                    kind=kind,
                    driver=driver,
                    deployment=a_deployment(number, driver, parameters),
                    **changed,
                )
                for number in range(first, first + count)
            ]
            for each in wanted:
                resources.insert(tx, each)
        return wanted

    def unwant_all(self) -> None:
        with self.database.begin() as tx:
            resources.update(tx, [record.unwanted(r) for r in resources.everything(tx)])

    @property
    def records(self) -> list[Resource]:
        return self.ask(resources.everything)

    @property
    def states(self) -> list[str]:
        return [r.state.value for r in self.records]

    def journal(self) -> list[tuple[str, str]]:
        """(verb, outcome) of every operation, oldest first."""
        rows = self.ask(lambda tx: tx.all("SELECT verb, outcome FROM operation ORDER BY id"))
        return [tuple(row) for row in rows]

    def history(self) -> list[str]:
        return [event.text for event in self.ask(lambda tx: events.of(tx, OWNER))]

    def ask(self, question: Callable[[Transaction], "list"]) -> "list":
        with self.database.read() as tx:
            return question(tx)

    def left_over(self) -> list[str]:
        return sorted(path.name for path in (self.home / "run").iterdir())


def a_deployment(number: int, driver: str, parameters: dict[str, str]) -> dict[str, object]:
    name = f"provision-{number:048x}"
    return {"name": name, "im_mad": "kvm", "vm_mad": "kvm", "pm_mad": driver, "provision": parameters}


def changed_dummy(home: Path, old: str, new: str) -> None:
    """The dummy driver with another line in its driver.yaml."""
    folder = home / "remotes" / "pm" / "dummy"
    shutil.copytree(builtin_remotes() / "pm" / "dummy", folder)
    manifest = folder / "driver.yaml"
    text = manifest.read_text()
    assert old in text
    manifest.write_text(text.replace(old, new))
    _trusted(folder)


def a_driver(home: Path, name: str, manifest: str = "", **scripts: str) -> Path:
    """A small driver in sh; an action that is not given does nothing. No `manifest`, no driver.yaml."""
    folder = home / "remotes" / "pm" / name
    folder.mkdir(parents=True)
    for action in {*ACTIONS, *scripts}:
        (folder / action).write_text(f"#!/bin/sh\n{scripts.get(action, NOTHING)}\n")
        (folder / action).chmod(0o755)
    if manifest:
        (folder / "driver.yaml").write_text(f"name: {name}\nssh: false\n{manifest}\n")
    _trusted(folder)
    return folder


def _trusted(folder: Path) -> None:
    for path in (folder, folder.parent, folder.parent.parent, *folder.iterdir()):
        path.chmod(path.stat().st_mode & ~0o022)
