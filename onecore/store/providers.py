"""Provider documents: a driver with the account it works on. Connection values are stored encrypted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from onecore.errors import NotFound
from onecore.ids import GroupId, ProviderId, UserId
from onecore.store.engine import Row, Transaction


@dataclass(frozen=True)
class Provider:
    """`sealed` is the encrypted connection; `parameters` lie below the template's own."""

    id: ProviderId
    name: str
    driver: str
    uid: UserId
    gid: GroupId
    permissions: int
    description: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    sealed: str = field(default="", repr=False)
    created_at: float = 0.0


def insert(tx: Transaction, provider: Provider) -> None:
    tx.run(
        "INSERT INTO provider (id, name, driver, uid, gid, permissions, body, connection, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            provider.id,
            provider.name,
            provider.driver,
            provider.uid,
            provider.gid,
            provider.permissions,
            _body(provider),
            provider.sealed,
            provider.created_at,
        ),
    )


def update(tx: Transaction, provider: Provider) -> None:
    tx.run(
        "UPDATE provider SET name = ?, uid = ?, gid = ?, permissions = ?, body = ?, connection = ?"
        " WHERE id = ?",
        (
            provider.name,
            provider.uid,
            provider.gid,
            provider.permissions,
            _body(provider),
            provider.sealed,
            provider.id,
        ),
    )


def every(tx: Transaction) -> list[Provider]:
    return [_provider(row) for row in tx.all("SELECT * FROM provider ORDER BY id")]


def get(tx: Transaction, provider_id: int) -> Provider:
    row = tx.one("SELECT * FROM provider WHERE id = ?", (provider_id,))
    if row is None:
        raise NotFound(f"there is no provider {provider_id}", hint="see: oneprovision provider list")
    return _provider(row)


def remove(tx: Transaction, provider_id: int) -> None:
    tx.run("DELETE FROM provider WHERE id = ?", (provider_id,))


def users_of(tx: Transaction, provider_id: int) -> list[str]:
    """The owners (`provision/3`) that have resources of this provider."""
    rows = tx.all("SELECT DISTINCT owner FROM resource WHERE provider_id = ? ORDER BY owner", (provider_id,))
    return [row["owner"] for row in rows]


def _body(provider: Provider) -> str:
    return json.dumps({"description": provider.description, "parameters": provider.parameters})


def _provider(row: Row) -> Provider:
    body = json.loads(row["body"])
    return Provider(
        ProviderId(row["id"]),
        row["name"],
        row["driver"],
        UserId(row["uid"]),
        GroupId(row["gid"]),
        row["permissions"],
        body["description"],
        body["parameters"],
        row["connection"],
        row["created_at"],
    )
