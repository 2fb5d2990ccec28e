"""Puts the objects of a provision in service and takes them out of it: on record, and in an OpenNebula where
the settings name one. What was done there is recorded object by object, so that each step may run twice."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TypeVar

from onecore.deps import Deps
from onecore.errors import DriverFailed, Interrupted
from onecore.machines.model import Kind, Resource, Wanted
from onecore.notice import Notice
from onecore.store import events, lease, resources
from onecore.store.lease import Lease
from oneprovision import store
from oneprovision.engines import ranges
from oneprovision.engines.registrar import (
    KEPT,
    Registrar,
    Unsettled,
    asked_for,
    in_order,
    is_asked_for,
    number_of,
)
from oneprovision.model.provision import ObjectKind, Provision, StoredObject

PAUSE_S = 1.0
# For a network whose driver is at work in OpenNebula.
SETTLE_S, SETTLE_PAUSE_S = 300.0, 0.2
T = TypeVar("T")


def register(deps: Deps, held: Lease, provision: Provision, but: Collection[int] = ()) -> None:
    """Everything that is not in service yet, but for the hosts with these ids."""
    with deps.database.read() as tx:
        every = store.objects_of(tx, provision.id)
    new = [o for o in in_order(every) if not o.registered and not (_is_host(o) and o.id in but)]
    registrar = Registrar.of(deps)
    if registrar is not None:
        new = _There(deps, held, provision, registrar).registered(new)
    with deps.database.begin() as tx:
        lease.check(tx, held)
        store.save_objects(tx, [replace(each, registered=True) for each in new])
        for each in new:
            text = f"{each.kind} {each.id} {each.name}"
            events.add(tx, provision.key, deps.clock.now(), "OpenNebula object created", text)


def enable(deps: Deps, held: Lease, provision: Provision, but: Collection[int] = ()) -> None:
    """VMs may be put on the hosts that are in service and ready."""
    registrar = Registrar.of(deps)
    if registrar is None:
        return
    with deps.database.read() as tx:
        hosts = [o for o in store.objects_of(tx, provision.id) if _is_host(o) and o.registered]
    for host in hosts:
        if host.id not in but and number_of(host) is not None and not _kept(host).get("enabled"):
            _patiently(deps, provision, partial(registrar.enable, host))
            _keep(deps, held, replace(host, body={**host.body, KEPT: {**_kept(host), "enabled": True}}))


def match_ranges(deps: Deps, held: Lease, provision: Provision) -> None:
    """The public addresses that are leased and wanted are address ranges of their networks there; those that
    are to be given back no longer are, so that no VM gets one."""
    with deps.database.read() as tx:
        networks = [o for o in store.objects(tx, ObjectKind.NETWORK) if o.provision_id == provision.id]
        registered = [network for network in networks if number_of(network) is not None]
        owned = resources.of_owner(tx, provision.key) if registered else []
    leased = [r for r in owned if r.kind is Kind.ADDRESS]
    there = [network for network in registered if any(_of(network, r) for r in leased)]
    if not there:
        return
    registrar = Registrar.of(deps)
    if registrar is None:
        _refuse_elsewhere(provision, there if any(r.wanted is Wanted.ABSENT for r in leased) else ())
        return
    here = _There(deps, held, provision, registrar)
    for network in there:
        done = here.matched(network, [a for a in leased if _of(network, a)])
        with deps.database.begin() as tx:
            lease.check(tx, held)
            for text in done:
                events.add(tx, provision.key, deps.clock.now(), "OpenNebula", text)


def unregister(deps: Deps, held: Lease, provision: Provision, doomed: Sequence[StoredObject]) -> None:
    """Take these out of service, in reverse. Raises WrongState where something is in use; with force the VMs
    on the hosts and the images on the datastores are deleted before."""
    registrar = Registrar.of(deps)
    known = [each for each in reversed(in_order(doomed)) if KEPT in each.body]
    if registrar is None:
        _refuse_elsewhere(provision, known)
    else:
        there = _There(deps, held, provision, registrar).numbered(known)
        if provision.options.force:
            _patiently(deps, provision, partial(registrar.evict, there, deps.clock))
        _patiently(deps, provision, partial(registrar.refuse_used, there))
        for each in there:
            _patiently(deps, provision, partial(registrar.remove, each))
            gone = {key: value for key, value in each.body.items() if key != KEPT}
            _keep(deps, held, replace(each, body=gone, registered=False))
    with deps.database.begin() as tx:
        lease.check(tx, held)
        ids = {(each.kind, each.id) for each in doomed}
        left = [o for o in store.objects_of(tx, provision.id) if (o.kind, o.id) in ids]
        store.save_objects(tx, [replace(each, registered=False) for each in left if each.registered])
        for each in (o for o in doomed if o.registered):
            text = f"{each.kind} {each.id}"
            events.add(tx, provision.key, deps.clock.now(), "OpenNebula object deleted", text)


def left_behind(each: StoredObject) -> str:
    """What is said of an object whose record goes while it is in an OpenNebula; empty where it is in none."""
    number, where = number_of(each), _kept(each).get("url")
    if is_asked_for(each):
        return f"{each.kind} {each.name} may be in the OpenNebula at {where}"
    return "" if number is None else f"{each.kind} {number} {each.name} stays in the OpenNebula at {where}"


def _refuse_elsewhere(provision: Provision, there: Sequence[StoredObject]) -> None:
    if there:
        url = _kept(there[0]).get("url")
        raise DriverFailed(
            f"{len(there)} objects of provision {provision.id} are in the OpenNebula at {url}",
            hint=f"repeat with ONE_XMLRPC={url}",
        )


def _patiently(deps: Deps, provision: Provision, ask: Callable[[], T]) -> T:
    """What `ask` returns; it waits for an OpenNebula that nobody can reach, or that does not know our token,
    and for SETTLE_S at most for one that is at work. Nothing was done then. Raises Interrupted once somebody
    wants to stop."""
    from onecore.opennebula.client import Unauthenticated, Unreachable  # lazy: few work with one

    is_told, begun = False, deps.clock.monotonic()
    while True:
        try:
            return ask()
        except (Unreachable, Unauthenticated, Unsettled) as exc:
            if isinstance(exc, Unsettled) and deps.clock.monotonic() - begun > SETTLE_S:
                raise
            with deps.database.read() as tx:
                reason = store.get(tx, provision.id).stop or deps.interrupted()
            if reason:
                raise Interrupted(reason) from exc
            if not is_told and not isinstance(exc, Unsettled):
                text = f"waiting for OpenNebula: {exc.message}"
                deps.notify(Notice(deps.clock.now(), f"provision {provision.id}", text, "W", lasting=True))
                is_told = True
            deps.clock.sleep(SETTLE_PAUSE_S if isinstance(exc, Unsettled) else PAUSE_S)


@dataclass(frozen=True)
class _There:
    """The objects of a provision in an OpenNebula."""

    deps: Deps
    held: Lease
    provision: Provision
    registrar: Registrar

    @cached_property
    def _machines(self) -> Mapping[int, Resource]:
        """Those of its hosts, by the ids of the hosts."""
        with self.deps.database.read() as tx:
            owned = resources.of_owner(tx, self.provision.key)
        return {r.number: r for r in owned if r.kind is Kind.MACHINE}

    def registered(self, new: Sequence[StoredObject]) -> list[StoredObject]:
        """Have them there, as they are recorded then. That each is asked for is recorded before."""
        cluster, made = self._cluster(), []
        for each in new:
            self._number(each, cluster)  # what comes late is waited for, lest it be made twice
            asked = replace(each, body={**each.body, **asked_for(self.registrar.url, self.deps.clock.now())})
            _keep(self.deps, self.held, asked)
            ask = partial(self.registrar.register, asked, cluster or 0, self._machine(each))
            done = replace(asked, body={**asked.body, **_patiently(self.deps, self.provision, ask)})
            _keep(self.deps, self.held, done)
            if each.kind is ObjectKind.CLUSTER:
                cluster = number_of(done)
            made.append(done)
        return made

    def numbered(self, known: Sequence[StoredObject]) -> list[StoredObject]:
        """Those of them that are there; what was asked for, and perhaps made, is looked for by its mark."""
        cluster = self._cluster() if any(map(is_asked_for, known)) else None
        numbers = [(each, self._number(each, cluster)) for each in known]
        return [
            replace(each, body={**each.body, KEPT: {"id": number, **_kept(each)}})
            for each, number in numbers
            if number is not None
        ]

    def matched(self, network: StoredObject, leased: Sequence[Resource]) -> list[str]:
        """Its address ranges are those of `leased`; returns what was done. That one is asked for is recorded
        before, until it is known to be there."""
        body = {key: value for key, value in network.body.items() if key != ranges.ASKED}
        now = self.deps.clock.now

        def asking() -> None:
            _keep(self.deps, self.held, replace(network, body={**body, ranges.ASKED: now()}))

        def match() -> list[str]:
            return ranges.matched(self.registrar, network, leased, now(), asking)

        done = _patiently(self.deps, self.provision, match)
        if done or body != network.body:
            _keep(self.deps, self.held, replace(network, body=body))
        return done

    def _cluster(self) -> int | None:
        with self.deps.database.read() as tx:
            every = store.objects_of(tx, self.provision.id)
        clusters = [each for each in every if each.kind is ObjectKind.CLUSTER]
        return next((number for each in clusters if (number := self._number(each, None)) is not None), None)

    def _number(self, each: StoredObject, cluster: int | None) -> int | None:
        if not is_asked_for(each):
            return number_of(each)
        return _patiently(self.deps, self.provision, lambda: self._found(each, cluster))

    def _found(self, each: StoredObject, cluster: int | None) -> int | None:
        return self.registrar.found(each, cluster, self._machine(each), self.deps.clock.now())

    def _machine(self, each: StoredObject) -> Resource | None:
        return self._machines.get(each.id) if _is_host(each) else None


def _keep(deps: Deps, held: Lease, changed: StoredObject) -> None:
    with deps.database.begin() as tx:
        lease.check(tx, held)
        store.save_objects(tx, [changed])


def _kept(each: StoredObject) -> dict[str, object]:
    kept = each.body.get(KEPT)
    return dict(kept) if isinstance(kept, dict) else {}


def _of(network: StoredObject, address: Resource) -> bool:
    return address.deployment.get("network") == network.id


def _is_host(each: StoredObject) -> bool:
    return each.kind is ObjectKind.HOST
