"""Resource records and the operation journal."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from onecore.machines.model import Kind, Resource, State, Wanted
from onecore.store.engine import Row, Transaction, Value


@dataclass(frozen=True)
class Operation:
    """A journal row that has a beginning and no end yet. Times in seconds since the epoch."""

    id: int
    resource_id: int
    verb: str
    started_at: float
    deadline: float


# An operation with the time of its end, its outcome and the driver's answer.
End = tuple[int, float, str, str]


def insert(tx: Transaction, resource: Resource) -> None:
    values = _values(resource)
    names = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    tx.run(f"INSERT INTO resource ({names}) VALUES ({places})", values)  # noqa: S608 our own column names


def of_owner(tx: Transaction, owner: str) -> list[Resource]:
    """The resources of an owner, oldest first."""
    return [_resource(row) for row in tx.all("SELECT * FROM resource WHERE owner = ? ORDER BY id", (owner,))]


def everything(tx: Transaction) -> list[Resource]:
    return [_resource(row) for row in tx.all("SELECT * FROM resource ORDER BY id")]


def update(tx: Transaction, resources: Iterable[Resource]) -> None:
    """Write the changeable part of the records."""
    tx.run_many(
        "UPDATE resource SET wanted = :wanted, state = :state, deploy_id = :deploy_id, owner = :owner,"
        " addresses = :addresses, metrics = :metrics, failures = :failures, since = :since,"
        " next_at = :next_at, error = :error WHERE id = :id",
        [_changeable(resource) for resource in resources],
    )


def remove(tx: Transaction, resource_id: int) -> None:
    """Forget a resource and its journal: only after the provider confirmed that it is gone."""
    tx.run("DELETE FROM operation WHERE resource_id = ?", (resource_id,))
    tx.run("DELETE FROM resource WHERE id = ?", (resource_id,))


def begin_operation(
    tx: Transaction, resource: Resource, verb: str, token: int, started_at: float, deadline: float
) -> int:
    """Record the intent to start a driver; returns the operation's id."""
    row = tx.one(
        "INSERT INTO operation (resource_id, owner, verb, attempt, token, started_at, deadline)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (resource.id, resource.owner, verb, resource.failures + 1, token, started_at, deadline),
    )
    if row is None:
        raise AssertionError("an insert with RETURNING answers one row")
    return int(row[0])


def end_operations(tx: Transaction, ends: Iterable[End]) -> None:
    """Record what came of them. Ending one twice changes nothing."""
    tx.run_many(
        "UPDATE operation SET ended_at = ?, outcome = ?, answer = ? WHERE id = ? AND ended_at IS NULL",
        [(at, outcome, answer[:4000], operation_id) for operation_id, at, outcome, answer in ends],
    )


def open_operations(tx: Transaction, owner: str) -> list[Operation]:
    """Operations that were started and have no result: after a crash their end is unknown."""
    rows = tx.all(
        "SELECT id, resource_id, verb, started_at, deadline FROM operation"
        " WHERE owner = ? AND ended_at IS NULL ORDER BY id",
        (owner,),
    )
    return [Operation(*row) for row in rows]


def open_ids(tx: Transaction) -> set[int]:
    """The operations without a result, of every owner."""
    return {row[0] for row in tx.all("SELECT id FROM operation WHERE ended_at IS NULL")}


def _values(r: Resource) -> dict[str, Value]:
    return {
        **_changeable(r),
        "kind": r.kind.value,
        "name": r.name,
        "driver": r.driver,
        "provider_id": r.provider_id,
        "number": r.number,
        "label": r.label,
        "deployment": json.dumps(dict(r.deployment)),
        "lag_s": r.lag_s,
    }


def _changeable(r: Resource) -> dict[str, Value]:
    """Without the deployment, which is as long as all the rest: a record is written three times a deploy."""
    return {
        "id": r.id,
        "owner": r.owner,
        "wanted": r.wanted.value,
        "state": r.state.value,
        "deploy_id": r.deploy_id,
        "addresses": json.dumps(r.addresses) if r.addresses else "[]",
        "metrics": json.dumps(dict(r.metrics)) if r.metrics else "{}",
        "failures": r.failures,
        "since": r.since,
        "next_at": r.next_at,
        "error": r.error,
    }


def _resource(row: Row) -> Resource:
    fields = dict(row)
    return Resource(
        **{
            **fields,
            "kind": Kind(row["kind"]),
            "wanted": Wanted(row["wanted"]),
            "state": State(row["state"]),
            "deployment": json.loads(row["deployment"]),
            "addresses": tuple(json.loads(row["addresses"])),
            "metrics": json.loads(row["metrics"]),
        }
    )
