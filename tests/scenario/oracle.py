"""The independent judge: reads the files of the dummy cloud and the state file, asks nobody.

Nothing of the product is imported here; numbers and names are those that are documented.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

BEFORE_PLAN = {0, 1, 2}  # PENDING, INIT, PLANNING: the machines may not be recorded yet
RUNNING = 6
DONE = 10
ENDING = {8, 9, 17, 18}  # DEPROVISIONING_ONE, DEPROVISIONING and their failures


@dataclass(frozen=True)
class Row:
    """A machine or public address as recorded."""

    kind: str
    name: str
    number: int
    network: str
    wanted: bool
    state: str


@dataclass(frozen=True)
class Store:
    """What the state file says. `state` is None while no provision is recorded."""

    state: int | None = None
    rows: tuple[Row, ...] = ()
    hosts: frozenset[int] = frozenset()
    objects: int = 0
    open_operations: int = 0
    holders: tuple[str, ...] = ()

    def wanted(self, kind: str) -> frozenset[str]:
        return frozenset(r.name for r in self.rows if r.kind == kind and r.wanted)

    def recorded(self, kind: str) -> frozenset[str]:
        return frozenset(r.name for r in self.rows if r.kind == kind)


@dataclass(frozen=True)
class Cloud:
    """What exists: the records of machines by name, the tags of public addresses by address."""

    machines: Mapping[str, str]
    addresses: Mapping[str, str]
    made_twice: tuple[str, ...] = ()


@dataclass(frozen=True)
class Intent:
    """What has to exist in the end. Without names (nothing was recorded yet) the numbers have to be right."""

    state: int | None
    machines: int = 0
    addresses: int = 0
    machine_names: frozenset[str] | None = None
    address_names: frozenset[str] | None = None


@dataclass(frozen=True)
class Violation:
    """`kind` is one of leaked, doubled, stuck, wrong."""

    kind: str
    text: str


NOTHING = Intent(None)


def read_store(home: Path) -> Store:
    file = home / "one.db"
    if not file.exists():
        return Store()
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'provision'").fetchone():
            return Store()
        state = db.execute("SELECT state FROM provision").fetchone()
        rows = db.execute(
            "SELECT kind, name, number, coalesce(json_extract(deployment, '$.network'), ''), wanted, state"
            " FROM resource"
        ).fetchall()
        hosts = db.execute("SELECT id FROM object WHERE kind = 'host'").fetchall()
        objects = db.execute("SELECT count(*) FROM object").fetchone()[0]
        open_operations = db.execute("SELECT count(*) FROM operation WHERE ended_at IS NULL").fetchone()[0]
        holders = db.execute("SELECT owner FROM lease WHERE owner IS NOT NULL").fetchall()
    return Store(
        state[0] if state else None,
        tuple(Row(k, n, int(i), str(w), p == "present", s) for k, n, i, w, p, s in rows),
        frozenset(row[0] for row in hosts),
        objects,
        open_operations,
        tuple(row[0] for row in holders),
    )


def read_cloud(home: Path) -> Cloud:
    cloud = home / "dummy"
    machines = {f.name: f.read_text() for f in _files(cloud / "machines")}
    addresses = {f.name: f.read_text() for f in _files(cloud / "addresses")}
    twice = cloud / "made-twice"
    return Cloud(
        {name: text for name, text in machines.items() if _is_whole(text)},
        {ip: _last(text, "TAG") for ip, text in addresses.items() if _is_whole(text)},
        tuple(twice.read_text().split()) if twice.exists() else (),
    )


def intent(store: Store, planned: tuple[int, int]) -> Intent:
    """What was asked for, as far as it was recorded. `planned`: machines and addresses of the template."""
    if store.state is None:
        return NOTHING
    if store.state in BEFORE_PLAN and not store.rows:
        return Intent(RUNNING, *planned)
    machines, addresses = store.wanted("machine"), store.wanted("address")
    ends = store.state == DONE or (store.state in ENDING and not machines | addresses)
    return Intent(DONE if ends else RUNNING, len(machines), len(addresses), machines, addresses)


def judge(home: Path, wanted: Intent, before: Cloud) -> list[Violation]:
    """Compare what exists with what is recorded and with what was wanted. `before`: the machines of before
    the command, which have to be as they were unless they were to go."""
    store, cloud = read_store(home), read_cloud(home)
    return [
        *_leaked(store, cloud),
        *_doubled(store, cloud),
        *_stuck(home, store, wanted),
        *_not_as_wanted(store, cloud, wanted),
        *_touched(before, cloud, wanted),
    ]


def _leaked(store: Store, cloud: Cloud) -> list[Violation]:
    machines = cloud.machines.keys() - store.recorded("machine")
    addresses = set(cloud.addresses.values()) - store.recorded("address")
    return _all("leaked", [f"machine {n}" for n in machines] + [f"address of {n}" for n in addresses])


def _doubled(store: Store, cloud: Cloud) -> list[Violation]:
    numbers = Counter((r.kind, r.network, r.number) for r in store.rows)
    tags = Counter(cloud.addresses.values())
    return _all(
        "doubled",
        [f"{n} records for {key}" for key, n in numbers.items() if n > 1]
        + [f"{n} addresses with the tag {tag}" for tag, n in tags.items() if n > 1]
        + [f"{name} was deployed while it existed" for name in cloud.made_twice],
    )


def _stuck(home: Path, store: Store, wanted: Intent) -> list[Violation]:
    found = []
    if store.state != wanted.state:
        found.append(f"state {store.state} instead of {wanted.state}")
    if store.open_operations:
        found.append(f"{store.open_operations} open operations")
    found += [f"lease held by {holder}" for holder in store.holders if _lives(holder)]
    found += [f"run file {file.name}" for file in _files(home / "run")]
    found += [f"{r.kind} {r.name} is {r.state}" for r in store.rows if r.state != "ready" or not r.wanted]
    machines = {r.number for r in store.rows if r.kind == "machine"}
    if store.hosts != machines:
        found.append(f"host objects {sorted(store.hosts)}, machines of {sorted(machines)}")
    if wanted.state == DONE and store.objects:
        found.append(f"{store.objects} objects left")
    return _all("stuck", found)


def _not_as_wanted(store: Store, cloud: Cloud, wanted: Intent) -> list[Violation]:
    tags = frozenset(cloud.addresses.values())
    pairs = [
        ("machines", frozenset(cloud.machines), wanted.machine_names, wanted.machines),
        ("addresses", tags, wanted.address_names, wanted.addresses),
    ]
    found = []
    for what, existing, names, number in pairs:
        if len(existing) != number:
            found.append(f"{len(existing)} {what} exist, {number} are wanted")
        if names is not None and existing != names:
            found.append(f"{what}: missing {sorted(names - existing)}, unwanted {sorted(existing - names)}")
    for kind, names in (("machine", frozenset(cloud.machines)), ("address", tags)):
        if store.wanted(kind) != names:
            found.append(f"{kind}: recorded as wanted {sorted(store.wanted(kind))}, existing {sorted(names)}")
    return _all("wrong", found)


def _touched(before: Cloud, after: Cloud, wanted: Intent) -> list[Violation]:
    """Machines that were to stay are the very same ones."""
    kept = before.machines.keys() & (wanted.machine_names or frozenset())
    return _all(
        "wrong", [f"old {n} was touched" for n in kept if after.machines.get(n) != before.machines[n]]
    )


def _all(kind: str, texts: Iterable[str]) -> list[Violation]:
    return [Violation(kind, text) for text in texts]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _is_whole(text: str) -> bool:
    return "COMPLETE=1" in text.splitlines()


def _last(text: str, key: str) -> str:
    values = [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]
    return values[-1] if values else ""


def _lives(holder: str) -> bool:
    """The holder is `host boot namespace pid start`; here only its process matters."""
    return Path("/proc", holder.split(" ")[3]).exists()
