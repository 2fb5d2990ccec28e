"""More and fewer hosts and public addresses of a provision that runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onecore.access import Right
from onecore.deps import Deps
from onecore.errors import InvalidInput, NotFound, WrongState
from onecore.machines import record
from onecore.machines.model import Kind, Resource
from onecore.store import resources
from onecore.store.engine import Transaction
from oneprovision import enrolment, planner, readiness, store
from oneprovision.controller import Controller
from oneprovision.model.provision import UNCHANGED, ObjectKind, Provision, StoredObject
from oneprovision.model.states import Event, Operation
from oneprovision.planner import Victim
from oneprovision.usecases.oneform import check_total, ips_of
from oneprovision.usecases.rights import authorized
from oneprovision.usecases.work import at_work

MOST_AT_ONCE = 10_000


@dataclass(frozen=True)
class RemoveHosts:
    """Either the hosts by id, or how many."""

    ids: tuple[int, ...] = ()
    amount: int = 0
    force: bool = False


def add_host(
    deps: Deps,
    provision_id: int,
    amount: int,
    effort: Mapping[str, object] = UNCHANGED,
    ips: tuple[str, ...] = (),
) -> Provision:
    """Add hosts on the pattern of the template's last, or adopt those of the addresses. The old ones are not
    touched, whatever happens."""
    amount = len(ips) or amount
    _check_amount(amount, "hosts")
    with at_work(deps, provision_id, Operation.SCALE, effort) as controller:
        provision = controller.provision
        given = enrolment.defaults(deps, provision.provider_id)
        with deps.database.read() as tx:
            existing = store.objects_of(tx, provision.id)
        parameter = enrolment.adopts(deps, provision, given, existing) if ips else ""
        ips = ips_of(provision, ips, bool(parameter))
        if ips:
            specs = enrolment.adopted_hosts(provision, given, existing, ips, parameter)
        else:
            specs = enrolment.more_hosts(provision, given, existing, amount)
        check_total(deps, provision, len(_hosts(existing)) + len(specs))
        plan = planner.plan_hosts(_hosts(existing), specs)
        enrolment.check_hosts(deps, specs)
        readiness.check_keys(deps, specs)
        with deps.database.begin() as tx:
            enrolment.enrol_hosts(tx, deps, provision, specs)
            controller.log_plan(tx, plan)
            controller.move_in(tx, Event.SCALE, f"{amount} more hosts")
        controller.tell_plan(plan)
        return controller.concluded()


def remove_hosts(
    deps: Deps, provision_id: int, request: RemoveHosts, effort: Mapping[str, object] = UNCHANGED
) -> Provision:
    """Remove the named hosts, or as many as asked: empty ones first, newest first. Work that runs on a host
    and is not ours protects it unless forced."""
    if request.ids and request.amount:
        raise InvalidInput("both an amount and host ids are given", hint="choose one: --amount or --host-ids")
    if not request.ids:
        _check_amount(request.amount, "hosts")
    with at_work(deps, provision_id, Operation.SHRINK, effort) as controller:
        chosen, hosts = _choose(deps, controller, request)
        plan = planner.removal(chosen, hosts)
        refuse_work([victim for victim, _ in chosen], request.force)
        gone = {victim.host.id for victim, _ in chosen}
        with deps.database.begin() as tx:
            machines = [r for r in _machines(tx, controller.provision) if r.number in gone]
            resources.update(tx, [record.unwanted(r) for r in machines])
            controller.log_plan(tx, plan)
            controller.move_in(tx, Event.SHRINK, f"{len(gone)} hosts to remove")
        controller.tell_plan(plan)
        return controller.concluded()


def hosts_named(deps: Deps, provision_id: int, words: Sequence[str]) -> tuple[int, ...]:
    """The ids of hosts that are named by id, name or address. Raises InvalidInput for one that is none."""
    with deps.database.read() as tx:
        provision = authorized(tx, deps, provision_id, Right.USE)
        hosts = _hosts(store.objects_of(tx, provision_id))
        machines = {r.number: r for r in _machines(tx, provision)}
    chosen = []
    for word in words:
        by_id = [o.id for o in hosts if str(o.id) == word]
        found = by_id or [
            o.id for o in hosts if o.name == word or (o.id in machines and word in machines[o.id].addresses)
        ]
        if len(found) != 1:
            known = ", ".join(f"{o.id} ({o.name})" for o in hosts) or "none"
            which = "several hosts" if found else "no host"
            raise InvalidInput(
                f"provision {provision_id} has {which} {word[:80]!r}", hint=f"its hosts: {known[:2000]}"
            )
        chosen += found
    return tuple(dict.fromkeys(chosen))


def names_of(deps: Deps, provision_id: int, kind: ObjectKind) -> list[tuple[int, str]]:
    """(id, name) of the objects of one kind of a provision."""
    with deps.database.read() as tx:
        return [(o.id, o.name) for o in store.objects_of(tx, provision_id) if o.kind is kind]


def add_ip(
    deps: Deps,
    provision_id: int,
    amount: int,
    effort: Mapping[str, object] = UNCHANGED,
    network_id: int | None = None,
) -> Provision:
    """Lease public addresses, each an address range of the named, else of the first public network."""
    _check_amount(amount, "addresses")
    with at_work(deps, provision_id, Operation.CHANGE_ADDRESSES, effort) as controller:
        provision = controller.provision
        with deps.database.read() as tx:
            network = enrolment.public_network(_networks(tx, provision), provision, network_id)
        driver = str(network.body["ipam_mad"])
        enrolment.check_address_driver(deps, driver)
        with deps.database.begin() as tx:
            enrolment.enrol_addresses(tx, deps, provision, network, driver, amount)
            controller.move_in(tx, Event.SCALE, f"{amount} more public addresses on network {network.id}")
        return controller.concluded()


def remove_ip(
    deps: Deps,
    provision_id: int,
    ar_id: int,
    network_id: int | None = None,
    effort: Mapping[str, object] = UNCHANGED,
) -> Provision:
    """Give a leased public address back. Each network counts its address ranges from 0."""
    with at_work(deps, provision_id, Operation.CHANGE_ADDRESSES, effort) as controller:
        provision = controller.provision
        with deps.database.read() as tx:
            every = resources.of_owner(tx, provision.key)
        leased = [r for r in every if r.kind is Kind.ADDRESS and network_id in (None, _network_of(r))]
        victim = _only_range(leased, ar_id, provision)
        with deps.database.begin() as tx:
            resources.update(tx, [record.unwanted(victim)])
            controller.move_in(tx, Event.SCALE, f"address range {ar_id} is no longer wanted")
        return controller.concluded()


def refuse_work(victims: Sequence[Victim], force: bool) -> None:
    """Raise WrongState while virtual machines that are not ours run on a host, or while nobody can tell."""
    running = planner.unmanaged(victims)
    if running and not force:
        raise WrongState(
            "virtual machines run on: "
            + "; ".join(f"host {host} (VMs {', '.join(ids)})" for host, ids in running.items()),
            hint="move or end them, or repeat with --force",
            context={"hosts": {host: {"vm": ids} for host, ids in running.items()}},
        )
    unknown = [str(v.host.id) for v in victims if v.work is None]
    if unknown and not force:
        raise WrongState(
            f"nobody can tell what runs on host {', '.join(unknown)}: its driver does not answer",
            hint="repeat later, or with --force",
        )


def look_at_work(controller: Controller, hosts: Sequence[StoredObject]) -> list[Victim]:
    """Ask the drivers what runs on the hosts."""
    ids = {o.id for o in hosts}
    controller.worker.recover()
    result = controller.worker.refresh(lambda r: r.kind is Kind.MACHINE and r.number in ids)
    seen = {r.number: r for r in result.resources.values()}
    blind = {result.resources[i].number for i in result.problems if i in result.resources}
    return [
        Victim(o, seen.get(o.id), None if o.id in blind else planner.running_work(seen.get(o.id)))
        for o in hosts
    ]


def _choose(
    deps: Deps, controller: Controller, request: RemoveHosts
) -> tuple[list[tuple[Victim, str]], list[StoredObject]]:
    provision = controller.provision
    with deps.database.read() as tx:
        hosts = _hosts(store.objects_of(tx, provision.id))
    named = planner.victims_by_id(hosts, request.ids, f"provision {provision.id}")
    count = len(named) or request.amount
    if count >= len(hosts):
        raise InvalidInput(
            f"that would remove {count} of the {len(hosts)} hosts of provision {provision.id}",
            hint=f"to remove all of it: oneprovision deprovision {provision.id}",
        )
    victims = look_at_work(controller, [v.host for v in named] or hosts)
    if named:
        return [(victim, "named") for victim in victims], hosts
    return planner.choose_victims(victims, request.amount), hosts


def _only_range(leased: Sequence[Resource], ar_id: int, provision: Provision) -> Resource:
    found = [r for r in leased if r.number == ar_id]
    if not found:
        listed = ", ".join(f"{r.number} of network {_network_of(r)}" for r in leased) or "none"
        raise NotFound(
            f"provision {provision.id} has no leased address range {ar_id}",
            hint=f"leased address ranges: {listed}",
        )
    if len(found) > 1:
        networks = " and ".join(str(_network_of(r)) for r in found)
        raise InvalidInput(
            f"networks {networks} of provision {provision.id} each have an address range {ar_id}",
            hint="say which: --network ID",
        )
    return found[0]


def _network_of(address: Resource) -> int:
    return int(str(address.deployment["network"]))


def _check_amount(amount: int, what: str) -> None:
    if not 1 <= amount <= MOST_AT_ONCE:
        raise InvalidInput(f"cannot change {amount} {what}", hint=f"--amount takes 1 to {MOST_AT_ONCE}")


def _hosts(existing: Sequence[StoredObject]) -> list[StoredObject]:
    return [o for o in existing if o.kind is ObjectKind.HOST]


def _networks(tx: Transaction, provision: Provision) -> list[StoredObject]:
    return [o for o in store.objects_of(tx, provision.id) if o.kind is ObjectKind.NETWORK]


def _machines(tx: Transaction, provision: Provision) -> list[Resource]:
    return [r for r in resources.of_owner(tx, provision.key) if r.kind is Kind.MACHINE]
