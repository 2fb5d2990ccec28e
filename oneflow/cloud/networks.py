"""The records of the networks that are made for a service, and what is known of them all together."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final

from onecore.machines.model import Kind, Resource, State, Wanted
from onecore.store import resources
from onecore.store.engine import Transaction
from oneflow import store
from oneflow.cloud.machines import is_given_up, is_vanished
from oneflow.model import networks
from oneflow.model.contents import parsed, substituted
from oneflow.model.document import Body, Stored
from oneflow.model.networks import NetStatus
from oneflow.model.routers import ADDRESSES, VROUTER, is_router
from oneflow.model.states import RoleState
from oneflow.nebula.records import NETWORK, ROUTER, floating, is_network

FIRST_ROUTER: Final = -1001
"""The numbers of routers, which no VM and no network has, go down from here."""


def missing(
    tx: Transaction, random_bytes: Callable[[int], bytes], service: Stored, known: Iterable[Resource]
) -> list[Resource]:
    """Record what is to be made next: the networks, and when they are there the routers."""
    there = of(known)
    ordered = [] if there else order(tx, random_bytes, service)
    return ordered or order_routers(tx, random_bytes, service, there)


def order(tx: Transaction, random_bytes: Callable[[int], bytes], service: Stored) -> list[Resource]:
    """Record those that are to be made; the machine loop makes them."""
    made = []
    wanted = [network for network in networks.of(service.body) if network.is_made]
    for at, network in enumerate(wanted):
        deployment = {
            "way": network.way,
            "number": network.number,
            "extra": network.extra,
            "owner": store.owners(tx).users.get(service.uid, ""),
        }
        record = replace(blank(tx, random_bytes, service, network.name, at), deployment=deployment)
        resources.insert(tx, record)
        made.append(record)
    return made


def blank(
    tx: Transaction, random_bytes: Callable[[int], bytes], service: Stored, name: str, at: int
) -> Resource:
    """The record of the network `name`, which is the service's number `at` of those that are made for it."""
    return Resource(
        id=tx.next_id("resource"),
        kind=Kind.MACHINE,
        name=f"{name}-{service.id}-{random_bytes(6).hex()}",
        owner=service.key,
        driver=NETWORK,
        provider_id=None,
        number=-1 - at,  # no number of a VM
        label=name,
    )


def order_routers(
    tx: Transaction, random_bytes: Callable[[int], bytes], service: Stored, known: Iterable[Resource]
) -> list[Resource]:
    """Record the routers that are not ordered yet; their NICs may be in networks that are made before."""
    routers = [record for record in of(known) if record.driver == ROUTER]
    there = {record.label for record in routers}
    last = min((record.number for record in routers), default=FIRST_ROUTER + 1)
    new = [role for role in service.body["roles"] if is_router(role) and role["name"] not in there]
    made = [blank_router(tx, random_bytes, service, role, last - 1 - at) for at, role in enumerate(new)]
    for record in made:
        resources.insert(tx, record)
    return made


def blank_router(
    tx: Transaction, random_bytes: Callable[[int], bytes], service: Stored, role: Body, number: int
) -> Resource:
    """The record of the router of this role, which is not made yet. `number`: one that no VM has."""
    contents = substituted(parsed(role.get("vm_template_contents")), networks.ids(service.body))
    return Resource(
        id=tx.next_id("resource"),
        kind=Kind.MACHINE,
        name=f"{role['name']}(service_{service.id})-{random_bytes(6).hex()}",
        owner=service.key,
        driver=ROUTER,
        provider_id=None,
        number=number,
        label=role["name"],
        deployment={"contents": contents, "owner": store.owners(tx).users.get(service.uid, "")},
    )


def has_no_role(record: Resource, body: Body) -> bool:
    """Whether it is the router of a role that was removed, whose VMs are gone."""
    done = str(RoleState.DONE.value)
    roles = {role["name"] for role in body["roles"] if not (role.get("leaving") and role["state"] == done)}
    return record.driver == ROUTER and record.label not in roles


def with_routers(body: Body, records: Iterable[Resource]) -> Body:
    """With the number of its router in each role that has one (reference 2.7), None until it is made, and
    its floating addresses."""
    routers = {record.label: record for record in records if record.driver == ROUTER}
    roles = []
    for role in body["roles"]:
        plain = {key: value for key, value in role.items() if key not in (VROUTER, ADDRESSES)}
        roles.append(plain | _router(routers.get(role["name"])))
    return {**body, "roles": roles}


def _router(record: Resource | None) -> Body:
    if record is None:
        return {}
    addresses = floating(record)
    number = int(record.deploy_id) if record.deploy_id else None
    return {VROUTER: number, **({ADDRESSES: addresses} if addresses else {})}


def of(records: Iterable[Resource]) -> list[Resource]:
    return [record for record in records if is_network(record)]


def status(body: Body, records: Iterable[Resource], held: Collection[int]) -> NetStatus:
    """`held`: records that nothing more is tried for."""
    mine = of(records)
    routers = sum(map(is_router, body["roles"]))
    wanted = sum(network.is_made for network in networks.of(body)) + routers
    if not mine:
        return NetStatus.MISSING if wanted else NetStatus.NONE
    stopped = any(record.id in held or is_given_up(record) for record in mine)
    if any(record.wanted is Wanted.ABSENT for record in mine):
        return NetStatus.STUCK if stopped else NetStatus.LEAVING
    if stopped or any(is_vanished(record) or record.state is State.BROKEN for record in mine):
        return NetStatus.FAILED
    if not all(record.state is State.READY for record in mine):
        return NetStatus.MAKING
    # Routers are made last: their networks are there by then.
    return NetStatus.READY if len(mine) >= wanted else NetStatus.PARTLY


def ids(records: Iterable[Resource]) -> Mapping[str, int]:
    """The numbers of those that are there, by the names that the service has for them."""
    return {r.label: int(r.deploy_id) for r in records if r.driver == NETWORK and r.deploy_id}
