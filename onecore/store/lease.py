"""Leases: one worker at a time on one thing, and no late write by one that lost it.

The token of a lease grows with each claim; every write of a worker names its token and is refused when a
newer one exists (a fencing token).
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from onecore.errors import WrongState
from onecore.store.engine import Transaction

TTL_S = 60.0
_HELD = "(key, token) IN (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))"


@dataclass(frozen=True)
class Owner:
    """A process; `started` (clock ticks after boot) tells it from a later one of the same number.

    `space` is its process id namespace: the same number means another process in another container.
    """

    host: str
    boot: str
    space: str
    pid: int
    started: str

    def __str__(self) -> str:
        return f"{self.host} {self.boot} {self.space} {self.pid} {self.started}"

    @classmethod
    def parse(cls, text: str) -> "Owner":
        host, boot, space, pid, started = text.split(" ")
        return cls(host, boot, space, int(pid), started)


@dataclass(frozen=True)
class Lease:
    key: str
    token: int


def this_process() -> Owner:
    pid, space = os.getpid(), Path("/proc/self/ns/pid").readlink().name
    return Owner(os.uname().nodename, _boot_id(), space, pid, _start_time(pid) or "0")


def is_dead(owner: Owner, here: Owner) -> bool:
    """Whether that process is known to be over; of another machine or container one cannot tell."""
    if owner.host != here.host:
        return False
    if owner.boot != here.boot:
        return True
    return owner.space == here.space and _start_time(owner.pid) != owner.started


def claim(tx: Transaction, key: str, purpose: str, now: float, me: Owner) -> Lease:
    """Take the lease `key`; raises WrongState naming the holder when somebody living has it."""
    row = tx.one("SELECT * FROM lease WHERE key = ?", (key,))
    if row is not None and row["owner"] is not None and row["expires_at"] > now:
        holder = Owner.parse(row["owner"])
        if not is_dead(holder, me):
            raise WrongState(
                f"{key.replace('/', ' ')} is being worked on by process {holder.pid} on {holder.host} "
                f"({row['purpose']})",
                hint=_how_to_follow(key),
                retryable=True,
            )
    token = 1 if row is None else int(row["token"]) + 1
    tx.run(
        "INSERT INTO lease (key, token, owner, purpose, expires_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key)"
        " DO UPDATE SET token = excluded.token, owner = excluded.owner, purpose = excluded.purpose,"
        " expires_at = excluded.expires_at",
        (key, token, str(me), purpose, now + TTL_S),
    )
    return Lease(key, token)


def check(tx: Transaction, lease: Lease) -> None:
    """Refuse the write of a worker that lost its lease."""
    row = tx.one("SELECT token FROM lease WHERE key = ?", (lease.key,))
    if row is None or row["token"] != lease.token:
        raise taken_over(lease)


def renew(tx: Transaction, lease: Lease, now: float) -> None:
    check(tx, lease)
    tx.run("UPDATE lease SET expires_at = ? WHERE key = ?", (now + TTL_S, lease.key))


def taken_over(lease: Lease) -> WrongState:
    return WrongState(
        f"another process took over {lease.key.replace('/', ' ')}; this one stops",
        hint="nothing is lost: the other process carries on",
    )


def ours(tx: Transaction, leases: Iterable[Lease]) -> set[str]:
    """The keys of those that nobody took over."""
    rows = tx.all(f"SELECT key FROM lease WHERE {_HELD}", (_pairs(leases),))  # noqa: S608 our own text
    return {row[0] for row in rows}


def renew_all(tx: Transaction, leases: Iterable[Lease], now: float) -> set[str]:
    """Renew them in one statement; returns the keys of those that nobody took over."""
    sql = f"UPDATE lease SET expires_at = ? WHERE {_HELD} RETURNING key"  # noqa: S608 our own text
    return {row[0] for row in tx.all(sql, (now + TTL_S, _pairs(leases)))}


def release(tx: Transaction, lease: Lease) -> None:
    """Give it back; the token stays, so that it keeps growing."""
    tx.run("UPDATE lease SET owner = NULL WHERE key = ? AND token = ?", (lease.key, lease.token))


def forget(tx: Transaction, key: str) -> None:
    """Nothing is left that it could be about."""
    tx.run("DELETE FROM lease WHERE key = ?", (key,))


def holder(tx: Transaction, key: str, now: float) -> tuple[Owner, str] | None:
    """Who has the lease, and what for."""
    row = tx.one("SELECT owner, purpose, expires_at FROM lease WHERE key = ?", (key,))
    if row is None or row["owner"] is None or row["expires_at"] <= now:
        return None
    return Owner.parse(row["owner"]), row["purpose"]


def _pairs(leases: Iterable[Lease]) -> str:
    return json.dumps([(lease.key, lease.token) for lease in leases])


def _how_to_follow(key: str) -> str:
    _, parted, number = key.partition("/")
    return f"follow it with: oneprovision logs {number} --follow" if parted else "repeat in a moment"


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _start_time(pid: int) -> str | None:
    """The process's start in clock ticks after boot, None where it is over (a zombie is)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in ("Z", "X") else fields[19]
