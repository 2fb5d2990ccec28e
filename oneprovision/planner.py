"""What will be added, kept and removed, and why: pure, so that it can be shown before anything is done."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from onecore.errors import InvalidInput
from onecore.machines.model import Resource, Wanted
from oneprovision.model.provision import ObjectKind, OnFailure, StoredObject
from oneprovision.model.spec import HostSpec, ProvisionSpec

SAID = 5


class Action(StrEnum):
    ADD = "add"
    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True)
class Change:
    """One line of a plan. `id` is None for what has no number yet."""

    action: Action
    kind: str
    name: str
    reason: str
    id: int | None = None

    def __str__(self) -> str:
        number = "" if self.id is None else f" {self.id}"
        return f"{self.action} {self.kind}{number} {self.name}: {self.reason}"


@dataclass(frozen=True)
class Victim:
    """A host as the choice of what to remove sees it. `work`: what runs on it, None if it cannot be known."""

    host: StoredObject
    resource: Resource | None
    work: tuple[str, ...] | None


def plan_objects(spec: ProvisionSpec, existing: Sequence[StoredObject]) -> list[Change]:
    """The objects of a new provision against what is recorded of it already."""
    there = {(o.kind, o.name): o for o in existing}
    wanted = [(ObjectKind.CLUSTER, spec.cluster.name)]
    wanted += [(ObjectKind.DATASTORE, d.name) for d in spec.datastores]
    wanted += [(ObjectKind.NETWORK, n.name) for n in spec.networks]
    wanted += [(ObjectKind.HOST, h.name) for h in spec.hosts]
    changes = []
    for kind, name in wanted:
        found = there.get((kind, name))
        action, reason = (Action.KEEP, "recorded already") if found else (Action.ADD, "in the template")
        changes.append(Change(action, kind.value, name, reason, found.id if found else None))
    return changes


def plan_hosts(existing: Sequence[StoredObject], added: Sequence[HostSpec]) -> list[Change]:
    """More hosts for a provision that has some."""
    taken = {o.name: o.id for o in existing}
    for spec in added:
        if spec.name in taken:
            raise InvalidInput(
                f"host name '{spec.name}' is taken by host {taken[spec.name]}",
                hint="use ${index} in hosts[].provision.hostname, so that every host has a name of its own",
            )
    kept = [Change(Action.KEEP, "host", o.name, "not named", o.id) for o in existing]
    return kept + [Change(Action.ADD, "host", spec.name, "asked for") for spec in added]


def next_indexes(existing: Sequence[StoredObject], amount: int) -> range:
    """Numbers for more hosts: above every one that the provision has."""
    used = [int(str(o.body["index"])) for o in existing]
    first = max(used, default=-1) + 1
    return range(first, first + amount)


def free_indexes(existing: Sequence[StoredObject], amount: int) -> list[int]:
    """Numbers for more hosts of a driver that is told how many there are: the lowest that nobody has, so that
    what it is told stays small."""
    used = {int(str(o.body["index"])) for o in existing}
    free = (number for number in range(len(used) + amount) if number not in used)
    return list(islice(free, amount))


def victims_by_id(hosts: Sequence[StoredObject], ids: Collection[int], provision: str) -> list[Victim]:
    """The named hosts; an id of another provision is refused before anything is touched."""
    own = {o.id: o for o in hosts}
    strangers = sorted(set(ids) - own.keys())
    if strangers:
        listed = ", ".join(map(str, strangers))
        raise InvalidInput(
            f"{provision} has no host {listed}; nothing was changed",
            hint=f"its hosts are: {', '.join(map(str, sorted(own))) or 'none'}",
        )
    return [Victim(own[i], None, None) for i in sorted(ids)]


def choose_victims(candidates: Sequence[Victim], amount: int) -> list[tuple[Victim, str]]:
    """Empty hosts first, newest first; with the reason for each."""
    if amount > len(candidates):
        raise InvalidInput(
            f"cannot remove {amount} hosts of {len(candidates)}",
            hint="to remove all of it: oneprovision deprovision",
        )
    ordered = sorted(candidates, key=lambda v: (_work_rank(v), -v.host.id))
    return [(victim, _victim_reason(victim)) for victim in ordered[:amount]]


def removal(victims: Sequence[tuple[Victim, str]], hosts: Sequence[StoredObject]) -> list[Change]:
    """The plan of a removal: the victims, and what stays."""
    gone = {victim.host.id for victim, _ in victims}
    changes = [Change(Action.REMOVE, "host", v.host.name, why, v.host.id) for v, why in victims]
    return changes + [
        Change(Action.KEEP, "host", o.name, "not chosen", o.id) for o in hosts if o.id not in gone
    ]


def unmanaged(victims: Sequence[Victim]) -> Mapping[str, list[str]]:
    """What runs on the hosts and is not ours to end, by host id."""
    return {str(v.host.id): list(v.work) for v in victims if v.work}


def running_work(resource: Resource | None) -> tuple[str, ...]:
    """The ids of the virtual machines that the driver reports on a host (its metric VMS)."""
    text = resource.metrics.get("VMS", "") if resource else ""
    return tuple(part for part in text.replace(" ", "").split(",") if part)


def after_failures(preferences: Sequence[OnFailure], working: int) -> OnFailure:
    """What to do when some machines failed for good and `working` did not."""
    for preference in preferences:
        if preference is not OnFailure.SKIP or working:
            return preference
    return OnFailure.QUIT


def cut(lines: Sequence[str], most: int = 40) -> list[str]:
    """As many lines as people read."""
    return [*lines[:most], *([f"... and {len(lines) - most} more"] if len(lines) > most else [])]


def summary(problems: Iterable[tuple[Resource, str]]) -> str:
    """What went wrong with which resources, in one line; the same trouble of many is said once."""
    groups: dict[str, list[Resource]] = {}
    for resource, text in problems:
        bare = text.replace(resource.name, "…").replace(f" of {resource.label}", "")
        groups.setdefault(bare, []).append(resource)
    parts = [f"{_listed([r.label for r in group])}: {text}" for text, group in groups.items()]
    return "; ".join(parts[:SAID]) + (f"; and {len(parts) - SAID} more" if len(parts) > SAID else "")


def leftovers(resources: Sequence[Resource], problems: Mapping[int, str]) -> list[str]:
    """What a removal could not remove and why, for people."""
    return [
        f"{r.kind.value} {r.name} of {r.driver} ({r.deploy_id or 'no deploy id'}): "
        f"{problems.get(r.id) or r.error or r.state}"
        for r in resources
        if r.wanted is Wanted.ABSENT
    ]


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels[:SAID]) + (f" and {len(labels) - SAID} more" if len(labels) > SAID else "")


def _work_rank(victim: Victim) -> int:
    return 1 if victim.work is None else 2 if victim.work else 0


def _victim_reason(victim: Victim) -> str:
    if victim.work is None:
        return "newest of those whose work is not known"
    return f"newest of those with work ({len(victim.work)} VMs)" if victim.work else "empty, and the newest"
