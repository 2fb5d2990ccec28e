"""Clusters, datastores, networks and hosts in an OpenNebula: made, marked, enabled and removed there.

Each may be asked for twice: what was made is found again by its mark, which is derived from the key of this
installation. What bears the name without the mark belongs to somebody else and is left alone.
"""

import hmac
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from onecore.clock import Clock
from onecore.deps import Deps
from onecore.errors import DriverFailed, NotFound, WrongState
from onecore.machines.model import Resource
from onecore.opennebula.text import rendered
from onecore.vault import installation_key
from oneprovision.model.provision import ObjectKind, StoredObject

if TYPE_CHECKING:
    from lxml.etree import _Element

    from onecore.opennebula.client import Client

KEPT: Final = "opennebula"
"""Where the body of an object keeps which OpenNebula it is in, and its number there; before that is known,
since when it is asked for."""
TAG: Final = "ONEFORM"
ORDER: Final = (ObjectKind.CLUSTER, ObjectKind.DATASTORE, ObjectKind.NETWORK, ObjectKind.HOST)
ENABLED, OFFLINE = 0, 2
MERGE = 1
DELETE = 3
EVICT_S, EVICT_PAUSE_S = 60.0, 0.5
LATE_S = 10.0
"""How long a request whose sender died may still be carried out."""

_POOLS: Final = {
    ObjectKind.CLUSTER: ("clusterpool.info", "CLUSTER", ()),
    ObjectKind.DATASTORE: ("datastorepool.info", "DATASTORE", ()),
    ObjectKind.NETWORK: ("vnpool.info", "VNET", (-2, -1, -1)),
    ObjectKind.HOST: ("hostpool.info", "HOST", ()),
}
_DELETE: Final = {
    ObjectKind.CLUSTER: "cluster.delete",
    ObjectKind.DATASTORE: "datastore.delete",
    ObjectKind.NETWORK: "vn.delete",
    ObjectKind.HOST: "host.delete",
}
_USED_BY: Final = {ObjectKind.HOST: ("VMS/ID", "VMs"), ObjectKind.DATASTORE: ("IMAGES/ID", "images")}
# What has an address of a network, by the element that says so.
_LEASED_BY: Final = {"VM": "VM", "VNET": "network", "VROUTER": "virtual router"}
# States of a network in which nothing can be done with it: its driver is at work (since 6.0).
_LOCKED: Final = {"0": "INIT", "2": "LOCK_CREATE", "3": "LOCK_DELETE"}
# What a template of ours says to us and not to OpenNebula.
_OURS: Final = frozenset({"NAME", "CLUSTER_IDS", "NETROLE", "PROVISION", "CONNECTION"})


class Unsettled(DriverFailed):
    """OpenNebula is still at work on it: to be asked again."""


def in_order(objects: Sequence[StoredObject]) -> list[StoredObject]:
    return sorted(objects, key=lambda each: (ORDER.index(each.kind), each.id))


def number_of(each: StoredObject) -> int | None:
    """Its number in its OpenNebula; None where it is in none, or not known to be."""
    kept = each.body.get(KEPT)
    return int(kept["id"]) if isinstance(kept, Mapping) and "id" in kept else None


def asked_for(url: str, now: float) -> dict[str, object]:
    """What the body of an object keeps before it is asked for there."""
    return {KEPT: {"url": url, "since": now}}


def is_asked_for(each: StoredObject) -> bool:
    """Whether it may be there without a number that we know: who asked for it died, or was not answered."""
    return KEPT in each.body and number_of(each) is None


def taken_over(number: int, url: str) -> dict[str, object]:
    """What the body of an object keeps that OneForm's own server made."""
    return {KEPT: {"id": number, "url": url, "inherited": True, "enabled": True}}


def inherited(each: StoredObject) -> bool:
    kept = each.body.get(KEPT)
    return isinstance(kept, Mapping) and kept.get("inherited") is True


@dataclass(frozen=True)
class Registrar:
    """The OpenNebula of ONE_XMLRPC. `key` is that of this installation."""

    client: "Client"
    key: bytes

    @classmethod
    def of(cls, deps: Deps) -> "Registrar | None":
        """None where the settings name no OpenNebula. Raises InvalidInput without what asks it."""
        settings = deps.settings
        if not settings.registry or settings.registry_auth is None:
            return None
        from onecore.opennebula.client import Client, Endpoint, require_pyone  # lazy: few work with one

        require_pyone()
        client = Client(Endpoint(settings.registry, settings.registry_auth), deps.conceal)
        return cls(client, installation_key(settings.home / "key"))

    @property
    def url(self) -> str:
        return self.client.endpoint.url

    def register(self, each: StoredObject, cluster: int, machine: Resource | None) -> dict[str, object]:
        """Have it there, marked; returns what its body keeps of it. A host is offline until it is enabled."""
        number = self._lookup(each, cluster, machine)
        if number is None:
            number = self._made(each, cluster, machine)
        if each.kind is ObjectKind.HOST:
            self.client.call("host.status", number, OFFLINE)
        self._claim(each, number)
        if each.kind is ObjectKind.CLUSTER:
            self.client.call("cluster.rename", number, each.name)
        return {KEPT: {"id": number, "url": self.url}}

    def found(
        self, each: StoredObject, cluster: int | None, machine: Resource | None, now: float
    ) -> int | None:
        """The number of one that was asked for, marked by now; None where it never came to that. Raises
        Unsettled while the request may still be carried out."""
        self.require_here(each)
        number = self._lookup(each, cluster, machine)
        kept: Any = each.body[KEPT]
        if number is None and now < kept["since"] + LATE_S:
            raise Unsettled(f"{each.kind} {each.name}: a request to make it may still be carried out")
        if number is not None:
            self._claim(each, number)
        return number

    def enable(self, each: StoredObject) -> None:
        """VMs may be put on this host."""
        number = number_of(each)
        if number is not None:
            self.client.call("host.status", number, ENABLED)

    def refuse_used(self, objects: Sequence[StoredObject]) -> None:
        """Raises WrongState naming what is in use: VMs on hosts, images on datastores, whose addresses are
        those of networks."""
        used = [
            f"{each.kind} {each.id} {each.name} has {_USED_BY[each.kind][1]} {', '.join(map(str, ids))}"
            for each, ids in self._used(objects)
        ]
        used += [f"{each.kind} {each.id} {each.name} is used by {by}" for each, by in self._leased(objects)]
        if used:
            raise WrongState(
                f"in use in OpenNebula: {'; '.join(used)}", hint="move or remove them there, and repeat"
            )

    def evict(self, objects: Sequence[StoredObject], clock: Clock) -> None:
        """Have the VMs on these hosts deleted, then the images on these datastores, which takes a while."""
        for kind in _USED_BY:
            mine = [each for each in objects if each.kind is kind]
            until = clock.monotonic() + EVICT_S
            for _, ids in self._used(mine):
                for number in ids:
                    self._delete_use(kind, number)
            while self._used(mine) and clock.monotonic() < until:
                clock.sleep(EVICT_PAUSE_S)

    def _delete_use(self, kind: ObjectKind, number: int) -> None:
        with suppress(NotFound):
            if kind is ObjectKind.HOST:
                self.client.call("vm.recover", number, DELETE)
            else:
                self.client.call("image.delete", number)

    def _used(self, objects: Sequence[StoredObject]) -> list[tuple[StoredObject, list[int]]]:
        """What is on those that are ours beyond doubt: by force it is deleted."""
        used = []
        for kind, (path, _) in _USED_BY.items():
            mine = {number_of(each): each for each in objects if each.kind is kind}
            for each in mine.values():
                self.require_here(each)
            for there in self._pool(kind) if mine else ():
                owner = mine.get(_id(there))
                ids = [int(found.text or "") for found in there.findall(path)]
                if owner is not None and ids and self.is_ours(owner, there):
                    used.append((owner, ids))
        return used

    def _leased(self, objects: Sequence[StoredObject]) -> list[tuple[StoredObject, str]]:
        """The networks that are ours and have addresses in use, with who uses them."""
        mine = {number_of(each): each for each in objects if each.kind is ObjectKind.NETWORK}
        found = []
        for there in self._pool(ObjectKind.NETWORK) if mine else ():
            owner = mine.get(_id(there))
            if owner is not None and there.findtext("USED_LEASES") != "0" and self.is_ours(owner, there):
                found.append((owner, self._users_of(_id(there))))
        return found

    def _users_of(self, number: int) -> str:
        whole = self.client.document("vn.info", number)
        told = {
            f"{noun} {lease.text}"
            for tag, noun in _LEASED_BY.items()
            for lease in whole.findall(f"AR_POOL/AR/LEASES/LEASE/{tag}")
        }
        return ", ".join(sorted(told)) or "a held address"

    def tagged(self, kind: ObjectKind) -> dict[int, str]:
        """Of which provision each that is there says to be; empty where it says none."""
        return {_id(there): _tag(there, "PROVISION_ID") for there in self._own(kind)}

    def remove(self, each: StoredObject) -> None:
        """What is gone there already is removed. One that does not bear our mark is not ours to remove.
        Raises Unsettled while a network is still being made or removed."""
        number = number_of(each)
        if number is None:
            return
        self.require_here(each)
        there = self._by_number(each.kind, number)
        if there is None:
            return
        if not self.is_ours(each, there):
            raise DriverFailed(f"{each.kind} {number} of OpenNebula is no longer marked as ours: it stays")
        require_settled(each.kind, there)
        with suppress(NotFound):
            self.client.call(_DELETE[each.kind], number)
        if each.kind is ObjectKind.NETWORK and (left := self._by_number(each.kind, number)) is not None:
            require_settled(each.kind, left)
            raise Unsettled(f"network {number} of OpenNebula is not gone")

    def require_here(self, each: StoredObject) -> None:
        """Raises DriverFailed for what is in another OpenNebula than this one."""
        kept: Any = each.body[KEPT]
        if kept["url"] != self.url:
            raise DriverFailed(
                f"{each.kind} {each.id} is in the OpenNebula at {kept['url']}, not in {self.url}",
                hint=f"repeat with ONE_XMLRPC={kept['url']}",
            )

    def is_ours(self, each: StoredObject, there: "_Element") -> bool:
        """What was taken over bears the tag of OneForm's server, and no mark."""
        if inherited(each):
            return not _mark(there) and _tag(there, "PROVISION_ID") == str(each.provision_id)
        return _mark(there) == self._mark(each)

    # -- each of its kind ----------------------------------------------------------------------------------

    def _lookup(self, each: StoredObject, cluster: int | None, machine: Resource | None) -> int | None:
        """By its mark; where that is still to come, a cluster by the random name that it is made under (one
        of our name may be anybody's), and a host by its name in a cluster that is ours."""
        number = self._found(each)
        if number is None and each.kind is ObjectKind.CLUSTER:
            number = self._named(each.kind, self._first_name(each))
        if number is None and each.kind is ObjectKind.HOST and cluster is not None:
            number = self._named(each.kind, _address_of(each, machine), cluster)
        return number

    def _made(self, each: StoredObject, cluster: int, machine: Resource | None) -> int:
        match each.kind:
            case ObjectKind.CLUSTER:
                number = self.client.call("cluster.allocate", self._first_name(each))
            case ObjectKind.DATASTORE:
                number = self.client.call("datastore.allocate", self._text(each), cluster)
            case ObjectKind.NETWORK:
                number = self.client.call("vn.allocate", self._text(each), cluster)
            case ObjectKind.HOST:
                drivers: Any = (machine.deployment if machine else {}) or {}
                im_mad, vm_mad = (str(drivers.get(which) or "kvm") for which in ("im_mad", "vm_mad"))
                name = _address_of(each, machine)
                number = self.client.call("host.allocate", name, im_mad, vm_mad, cluster)
        return int(number)

    def _claim(self, each: StoredObject, number: int) -> None:
        """Mark those that are not made with their mark."""
        if each.kind in (ObjectKind.CLUSTER, ObjectKind.HOST):
            self.client.call(f"{each.kind}.update", number, rendered(self._tags(each)), MERGE)

    # -- their parts ---------------------------------------------------------------------------------------

    def _text(self, each: StoredObject) -> str:
        given: Any = each.body.get("attributes") or {}
        attributes = {str(key).upper(): value for key, value in given.items()}
        plain = {key: value for key, value in attributes.items() if key not in _OURS}
        ranges: Any = each.body.get("ar") or []
        own = [_upper(each_range) for each_range in ranges if not each_range.get("ipam_mad")]
        return rendered({**plain, **({"AR": own} if own else {}), "NAME": each.name, **self._tags(each)})

    def _tags(self, each: StoredObject) -> dict[str, object]:
        return {
            TAG: {
                "PROVISION_ID": str(each.provision_id),
                "RESOURCE_ID": str(each.id),
                "MARK": self._mark(each),
            }
        }

    def _first_name(self, cluster: StoredObject) -> str:
        """Until it bears our mark."""
        return f"oneform-{self._mark(cluster)}"

    def _mark(self, each: StoredObject) -> str:
        text = f"opennebula {each.provision_id} {each.kind} {each.id}"
        return hmac.digest(self.key, text.encode(), "sha256").hex()[:32]

    def _pool(self, kind: ObjectKind) -> "list[_Element]":
        method, tag, arguments = _POOLS[kind]
        found: list[_Element] = self.client.document(method, *arguments).findall(tag)
        return found

    def _own(self, kind: ObjectKind) -> "list[_Element]":
        """Without reservations, which are copies of the network they are reserved in, its mark included."""
        return [there for there in self._pool(kind) if not there.findtext("PARENT_NETWORK_ID")]

    def _found(self, each: StoredObject) -> int | None:
        mark = self._mark(each)
        return next((_id(there) for there in self._own(each.kind) if _mark(there) == mark), None)

    def _named(self, kind: ObjectKind, name: str, cluster: int | None = None) -> int | None:
        for there in self._pool(kind):
            in_place = cluster is None or there.findtext("CLUSTER_ID") == str(cluster)
            if there.findtext("NAME") == name and in_place and not _mark(there):
                return _id(there)
        return None

    def _by_number(self, kind: ObjectKind, number: int) -> "_Element | None":
        return next((there for there in self._pool(kind) if _id(there) == number), None)


def require_settled(kind: ObjectKind, there: "_Element") -> None:
    """Raises Unsettled for a network whose driver is at work; before 6.0 there is no such time."""
    state = _LOCKED.get(there.findtext("STATE", "")) if kind is ObjectKind.NETWORK else None
    if state is not None:
        raise Unsettled(f"network {_id(there)} of OpenNebula is in {state}")


def _address_of(each: StoredObject, machine: Resource | None) -> str:
    return machine.addresses[0] if machine and machine.addresses else each.name


def _id(there: "_Element") -> int:
    return int(there.findtext("ID", ""))


def _mark(there: "_Element") -> str:
    return _tag(there, "MARK")


def _tag(there: "_Element", name: str) -> str:
    return str(there.findtext(f"TEMPLATE/{TAG}/{name}", ""))


def _upper(each_range: Mapping[str, object]) -> dict[str, object]:
    return {key.upper(): value for key, value in each_range.items() if key != "ar_id"}
