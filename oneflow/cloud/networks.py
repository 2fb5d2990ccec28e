"""The records of the networks that are made for a service, and what is known of them all together."""

from collections.abc import Callable, Collection, Iterable, Mapping

from onecore.machines.model import Kind, Resource, State, Wanted
from onecore.store import resources
from onecore.store.engine import Transaction
from oneflow import store
from oneflow.cloud.machines import is_given_up, is_vanished
from oneflow.model import networks
from oneflow.model.document import Body, Stored
from oneflow.model.networks import NetStatus
from oneflow.nebula.records import NETWORK, is_network


def order(tx: Transaction, random_bytes: Callable[[int], bytes], service: Stored) -> list[Resource]:
    """Record those that are to be made; the machine loop makes them."""
    made = []
    wanted = [network for network in networks.of(service.body) if network.is_made]
    for at, network in enumerate(wanted):
        record = Resource(
            id=tx.next_id("resource"),
            kind=Kind.MACHINE,
            name=f"{network.name}-{service.id}-{random_bytes(6).hex()}",
            owner=service.key,
            driver=NETWORK,
            provider_id=None,
            number=-1 - at,  # no number of a VM
            label=network.name,
            deployment={
                "way": network.way,
                "number": network.number,
                "extra": network.extra,
                "owner": store.owners(tx).users.get(service.uid, ""),
            },
        )
        resources.insert(tx, record)
        made.append(record)
    return made


def of(records: Iterable[Resource]) -> list[Resource]:
    return [record for record in records if is_network(record)]


def status(body: Body, records: Iterable[Resource], held: Collection[int]) -> NetStatus:
    """`held`: records that nothing more is tried for."""
    mine = of(records)
    if not mine:
        to_make = any(network.is_made for network in networks.of(body))
        return NetStatus.MISSING if to_make else NetStatus.NONE
    stopped = any(record.id in held or is_given_up(record) for record in mine)
    if any(record.wanted is Wanted.ABSENT for record in mine):
        return NetStatus.STUCK if stopped else NetStatus.LEAVING
    if stopped or any(is_vanished(record) or record.state is State.BROKEN for record in mine):
        return NetStatus.FAILED
    return NetStatus.READY if all(record.state is State.READY for record in mine) else NetStatus.MAKING


def ids(records: Iterable[Resource]) -> Mapping[str, int]:
    """The numbers of those that are there, by the names that the service has for them."""
    return {record.label: int(record.deploy_id) for record in of(records) if record.deploy_id}
