"""Provisions and their objects on disk; the only place that changes the state of a provision."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from onecore.errors import NotFound
from onecore.store import events, lease, rows
from onecore.store.engine import Row, Schema, Transaction
from onecore.store.lease import Lease
from oneprovision.model.provision import ObjectKind, OnFailure, Options, Provision, StoredObject, owner_key
from oneprovision.model.states import PROVISION, Event, State

SCHEMA = Schema("provision", Path(__file__).parent / "sql", 1)


def insert(tx: Transaction, provision: Provision) -> None:
    tx.run(
        "INSERT INTO provision VALUES (:id, :name, :uid, :gid, :permissions, :state, :provider_id, :template,"
        " :inputs, :options, :description, :tags, :error, :stop, :created_at)",
        rows.columns(provision),
    )


def get(tx: Transaction, provision_id: int) -> Provision:
    row = tx.one("SELECT * FROM provision WHERE id = ?", (provision_id,))
    if row is None:
        raise NotFound(f"there is no provision {provision_id}", hint="see: oneprovision list --all")
    return _provision(row)


def every(tx: Transaction) -> list[Provision]:
    return [_provision(row) for row in tx.all("SELECT * FROM provision ORDER BY id")]


def ids_in(tx: Transaction, states: Collection[State]) -> list[int]:
    """The provisions that are in one of the states, oldest first."""
    wanted = json.dumps([state.value for state in states])
    sql = "SELECT id FROM provision WHERE state IN (SELECT value FROM json_each(?)) ORDER BY id"
    return [int(row[0]) for row in tx.all(sql, (wanted,))]


def names(tx: Transaction) -> list[tuple[int, str]]:
    """(id, name) of every provision that a name finds: those that are not DONE, and those that are where no
    living one has taken their name."""
    found = tx.all(
        "SELECT id, name FROM provision AS p WHERE state != :done OR NOT EXISTS"
        " (SELECT 1 FROM provision WHERE name = p.name AND state != :done) ORDER BY id",
        {"done": State.DONE},
    )
    return [tuple(row) for row in found]


def edit(tx: Transaction, provision: Provision) -> None:
    """Write everything but the state."""
    tx.run(
        "UPDATE provision SET name = :name, uid = :uid, gid = :gid, permissions = :permissions,"
        " template = :template, inputs = :inputs, options = :options, description = :description,"
        " tags = :tags, error = :error, stop = :stop WHERE id = :id",
        rows.columns(provision),
    )


def move(tx: Transaction, held: Lease, provision: Provision, event: Event, why: str, now: float) -> Provision:
    """Change the state by the table, under the lease, with a line in the history."""
    lease.check(tx, held)
    state = PROVISION.next(provision.state, event)
    tx.run("UPDATE provision SET state = ? WHERE id = ?", (state, provision.id))
    level = "E" if event is Event.FAIL else "I"
    events.add(tx, provision.key, now, "State changed", f"New state: {state.name}: {why}", level)
    return replace(provision, state=state)


def remove(tx: Transaction, provision_id: int) -> None:
    """Forget the document, its objects and its log."""
    tx.run("DELETE FROM object WHERE provision_id = ?", (provision_id,))
    events.forget(tx, owner_key(provision_id))
    lease.forget(tx, owner_key(provision_id))
    tx.run("DELETE FROM provision WHERE id = ?", (provision_id,))


def forget_provider(tx: Transaction, provider_id: int) -> None:
    """Cut the tie of provisions that are DONE to a provider that goes."""
    tx.run(
        "UPDATE provision SET provider_id = NULL WHERE provider_id = ? AND state = ?",
        (provider_id, State.DONE),
    )


def add_objects(tx: Transaction, objects: Iterable[StoredObject]) -> None:
    tx.run_many(
        "INSERT INTO object VALUES (:kind, :id, :provision_id, :name, :registered, :body)",
        [rows.columns(each) for each in objects],
    )


def save_objects(tx: Transaction, objects: Iterable[StoredObject]) -> None:
    tx.run_many(
        "UPDATE object SET name = :name, registered = :registered, body = :body"
        " WHERE kind = :kind AND id = :id AND provision_id = :provision_id",
        [rows.columns(each) for each in objects],
    )


def remove_objects(tx: Transaction, objects: Iterable[StoredObject]) -> None:
    tx.run_many(
        "DELETE FROM object WHERE kind = :kind AND id = :id",
        [{"kind": each.kind.value, "id": each.id} for each in objects],
    )


def objects_of(tx: Transaction, provision_id: int) -> list[StoredObject]:
    found = tx.all("SELECT * FROM object WHERE provision_id = ? ORDER BY kind, id", (provision_id,))
    return [_object(row) for row in found]


def objects(tx: Transaction, kind: ObjectKind) -> list[StoredObject]:
    return [_object(row) for row in tx.all("SELECT * FROM object WHERE kind = ? ORDER BY id", (kind.value,))]


def object_counts(tx: Transaction) -> Mapping[int, Mapping[str, int]]:
    """How many objects in service of each kind every provision has."""
    counts: dict[int, dict[str, int]] = {}
    found = tx.all(
        "SELECT provision_id, kind, count(*) FROM object WHERE registered GROUP BY provision_id, kind"
    )
    for provision_id, kind, count in found:
        counts.setdefault(provision_id, {})[kind] = count
    return counts


def _provision(row: Row) -> Provision:
    known = rows.read(row, "template", "inputs", "options", "tags")
    options = known.pop("options")
    reactions = tuple(OnFailure(reaction) for reaction in options.pop("on_failure"))
    return Provision(
        state=State(known.pop("state")), options=Options(**options, on_failure=reactions), **known
    )


def _object(row: Row) -> StoredObject:
    known = rows.read(row, "body")
    return StoredObject(ObjectKind(known.pop("kind")), registered=bool(known.pop("registered")), **known)
