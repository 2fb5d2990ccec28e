"""Services, templates, VMs and jobs on disk."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from onecore.errors import NotFound
from onecore.history import Event
from onecore.store import accounts, events, lease, rows
from onecore.store.engine import Row, Schema, Transaction, Value
from oneflow.model.document import Kind, Names, Stored
from oneflow.model.states import ServiceState
from oneflow.model.vm import Vm

if TYPE_CHECKING:
    from oneflow.model.job import Job

SCHEMA = Schema("flow", Path(__file__).parent / "sql", 1)

SEQUENCES = {Kind.SERVICE: "service", Kind.TEMPLATE: "service_template", Kind.VM_TEMPLATE: "vm_template"}
_VERSION = "version"
_LISTS = {Kind.SERVICE: "list", Kind.TEMPLATE: "template list", Kind.VM_TEMPLATE: "vm-template list"}


# -- documents ---------------------------------------------------------------------------------------------


def insert(tx: Transaction, document: Stored) -> Stored:
    """Give it the next number of its kind, and keep it."""
    numbered = replace(document, id=tx.next_id(SEQUENCES[document.kind]), version=tx.next_id(_VERSION))
    _insert(tx, numbered)
    return numbered


def insert_as(tx: Transaction, document: Stored) -> None:
    """Keep it under the number that it has elsewhere already, which nobody is given any more."""
    tx.keep_id(SEQUENCES[document.kind], document.id)
    _insert(tx, replace(document, version=tx.next_id(_VERSION)))


def _insert(tx: Transaction, document: Stored) -> None:
    tx.run(
        "INSERT INTO document VALUES (:type, :id, :name, :uid, :gid, :permissions, :body, :state, :version,"
        " :created_at)",
        _values(document),
    )


def get(tx: Transaction, kind: Kind, number: int) -> Stored:
    row = tx.one("SELECT * FROM document WHERE type = ? AND id = ?", (kind.value, number))
    if row is None:
        raise NotFound(f"there is no {kind.noun} {number}", hint=f"see: oneflow {_LISTS[kind]}")
    return _stored(row)


def every(tx: Transaction, kind: Kind) -> list[Stored]:
    return [_stored(r) for r in tx.all("SELECT * FROM document WHERE type = ? ORDER BY id", (kind.value,))]


def some(tx: Transaction, kind: Kind, numbers: Sequence[int]) -> list[Stored]:
    """Those of these numbers, which rise; the bodies of no others are read."""
    if not numbers:
        return []
    wanted = set(numbers)
    found = tx.all(
        "SELECT * FROM document WHERE type = ? AND id BETWEEN ? AND ? ORDER BY id",
        (kind.value, numbers[0], numbers[-1]),
    )
    return [_stored(row) for row in found if row["id"] in wanted]


def rights(tx: Transaction, kind: Kind) -> list[tuple[int, int, int, int]]:
    """Number, owner, group and permissions of each, by number."""
    found = tx.all("SELECT id, uid, gid, permissions FROM document WHERE type = ? ORDER BY id", (kind.value,))
    return [(row["id"], row["uid"], row["gid"], row["permissions"]) for row in found]


def names(tx: Transaction, kind: Kind) -> list[tuple[int, str]]:
    found = tx.all("SELECT id, name FROM document WHERE type = ? ORDER BY id", (kind.value,))
    return [(row["id"], row["name"]) for row in found]


def ids(tx: Transaction, kind: Kind) -> frozenset[int]:
    return frozenset(number for number, _ in names(tx, kind))


def changed_services(tx: Transaction, after: int) -> list[tuple[int, int, bool]]:
    """(id, version, whether it is DONE) of the services that changed after that version."""
    found = tx.all(
        "SELECT id, version, state FROM document WHERE state IS NOT NULL AND version > ? ORDER BY version",
        (after,),
    )
    return [(row["id"], row["version"], row["state"] == ServiceState.DONE) for row in found]


def save(tx: Transaction, document: Stored) -> Stored:
    """Write everything but the number; the version grows."""
    newer = replace(document, version=tx.next_id(_VERSION))
    tx.run(
        "UPDATE document SET name = :name, uid = :uid, gid = :gid, permissions = :permissions, body = :body,"
        " state = :state, version = :version WHERE type = :type AND id = :id",
        _values(newer),
    )
    return newer


def touch(tx: Transaction, service_id: int) -> None:
    """Have whoever drives the service look at it, though its document is as it was."""
    tx.run(
        "UPDATE document SET version = ? WHERE type = ? AND id = ?",
        (tx.next_id(_VERSION), Kind.SERVICE.value, service_id),
    )


def remove(tx: Transaction, document: Stored) -> None:
    """Forget it with its log; of a service also its VMs and jobs."""
    tx.run("DELETE FROM document WHERE type = ? AND id = ?", (document.kind.value, document.id))
    events.forget(tx, document.key)
    if document.kind is Kind.SERVICE:
        tx.run("DELETE FROM vm WHERE service_id = ?", (document.id,))
        tx.run("DELETE FROM job WHERE service_id = ?", (document.id,))
        lease.forget(tx, document.key)


def owners(tx: Transaction) -> Names:
    return Names({user.id: user.name for user in accounts.users(tx)}, dict(accounts.groups(tx)))


def service_log(tx: Transaction, key: str, most: int) -> list[Event]:
    """The newest lines about a service itself, without those about its machines; oldest first."""
    found = tx.all(
        "SELECT * FROM event WHERE subject = ? AND action NOT LIKE 'Resource%' ORDER BY id DESC LIMIT ?",
        (key, most),
    )
    return [Event(**dict(row)) for row in reversed(found)]


# -- virtual machines --------------------------------------------------------------------------------------


def insert_vm(tx: Transaction, vm: Vm) -> None:
    tx.run(
        "INSERT INTO vm VALUES (:id, :service_id, :role, :number, :name, :vm_template, :machine, :template,"
        " :user_template, :token, :ready_at, :created_at)",
        rows.columns(vm),
    )


def save_vm(tx: Transaction, vm: Vm) -> None:
    """Write what changes in the life of a VM."""
    tx.run(
        "UPDATE vm SET machine = :machine, user_template = :user_template, token = :token,"
        " ready_at = :ready_at WHERE id = :id",
        rows.columns(vm),
    )


def vm(tx: Transaction, vm_id: int) -> Vm:
    row = tx.one("SELECT * FROM vm WHERE id = ?", (vm_id,))
    if row is None:
        raise NotFound(f"there is no VM {vm_id}", hint="see: oneflow show SERVICE")
    return _vm(row)


def vms_of(tx: Transaction, service_id: int) -> list[Vm]:
    return [_vm(row) for row in tx.all("SELECT * FROM vm WHERE service_id = ? ORDER BY id", (service_id,))]


def remove_vms(tx: Transaction, vm_ids: Iterable[int]) -> None:
    tx.run_many("DELETE FROM vm WHERE id = :id", [{"id": number} for number in vm_ids])


# -- jobs --------------------------------------------------------------------------------------------------


def insert_job(tx: Transaction, job: "Job") -> "Job":
    numbered = replace(job, id=tx.next_id("job"))
    tx.run(
        "INSERT INTO job VALUES (:id, :service_id, :role, :action, :args, :period, :number, :left_vms,"
        " :acting_vms, :next_at, :created_at)",
        _job_values(numbered),
    )
    return numbered


def save_job(tx: Transaction, job: "Job") -> None:
    tx.run(
        "UPDATE job SET left_vms = :left_vms, acting_vms = :acting_vms, next_at = :next_at WHERE id = :id",
        _job_values(job),
    )


def jobs_of(tx: Transaction, service_id: int) -> "list[Job]":
    return [_job(row) for row in tx.all("SELECT * FROM job WHERE service_id = ? ORDER BY id", (service_id,))]


def remove_jobs(tx: Transaction, job_ids: Collection[int]) -> None:
    tx.run_many("DELETE FROM job WHERE id = :id", [{"id": number} for number in job_ids])


# -- rows --------------------------------------------------------------------------------------------------


def _values(document: Stored) -> dict[str, Value]:
    return rows.columns(document, kind="type")


def _stored(row: Row) -> Stored:
    known = rows.read(row, "body")
    return Stored(Kind(known.pop("type")), **known)


def _vm(row: Row) -> Vm:
    return Vm(**rows.read(row, "template", "user_template"))


def _job_values(job: "Job") -> dict[str, Value]:
    return rows.columns(job, period_s="period")


def _job(row: Row) -> "Job":
    from oneflow.model.job import Job  # lazy: brings what drives machines, which a list has no use for

    known = rows.read(row, "left_vms", "acting_vms")
    known |= {key: tuple(known[key]) for key in ("left_vms", "acting_vms")}
    return Job(period_s=known.pop("period"), **known)
