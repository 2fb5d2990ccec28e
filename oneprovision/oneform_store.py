"""What is stored of the OneForm engine: OpenTofu states, encrypted, and the known drivers."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from onecore.store.engine import Schema, Transaction

SCHEMA = Schema("oneform", Path(__file__).parent / "sql", 1)


class DriverState(StrEnum):
    """As OneForm names them."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
    ERROR = "ERROR"


@dataclass(frozen=True)
class KnownDriver:
    """A driver as it was when it was last synchronised."""

    name: str
    state: DriverState
    checksum: str
    error: str = ""
    synced_at: float = 0.0


def sealed_state(tx: Transaction, provision_id: int) -> str:
    """Empty where none was stored."""
    row = tx.one("SELECT sealed FROM tofu_state WHERE provision_id = ?", (provision_id,))
    return "" if row is None else str(row["sealed"])


def save_state(tx: Transaction, provision_id: int, sealed: str, now: float) -> None:
    tx.run(
        "INSERT INTO tofu_state VALUES (?, ?, ?) ON CONFLICT (provision_id)"
        " DO UPDATE SET sealed = excluded.sealed, saved_at = excluded.saved_at",
        (provision_id, sealed, now),
    )


def forget_state(tx: Transaction, provision_id: int) -> None:
    tx.run("DELETE FROM tofu_state WHERE provision_id = ?", (provision_id,))


def drivers(tx: Transaction) -> Mapping[str, KnownDriver]:
    rows = tx.all("SELECT * FROM oneform_driver ORDER BY name")
    return {
        row["name"]: KnownDriver(
            row["name"], DriverState(row["state"]), row["checksum"], row["error"], row["synced_at"]
        )
        for row in rows
    }


def save_driver(tx: Transaction, driver: KnownDriver) -> None:
    tx.run(
        "INSERT INTO oneform_driver VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
        " state = excluded.state, checksum = excluded.checksum, error = excluded.error,"
        " synced_at = excluded.synced_at",
        (driver.name, driver.state.value, driver.checksum, driver.error, driver.synced_at),
    )


def forget_driver(tx: Transaction, name: str) -> None:
    tx.run("DELETE FROM oneform_driver WHERE name = ?", (name,))
