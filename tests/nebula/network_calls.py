"""What the calls on virtual networks do."""

from collections.abc import Callable

from tests.nebula import documents, states
from tests.nebula.cloud import ACTION, MANAGE, NO_EXISTS, USE, Cloud, Network, Owned, Refused, User
from tests.nebula.template import BadTemplate, Template, parsed

Answer = str | int


def instantiate(cloud: Cloud, who: User, number: int, name: str, extra: str) -> Answer:
    if number not in cloud.network_templates:
        raise Refused(NO_EXISTS, f"Error getting virtual network template [{number}].")
    template = cloud.network_templates[number]
    cloud.demand(who, template, USE, "VNTEMPLATE")
    _refuse_taken(cloud, who, name)
    made = cloud.add_network(name, who.id)
    made.template = {**template.template, **_read(extra)}
    made.is_broken = made.template.get("SIM_FAILS") == "CREATE"
    return made.id


def reserve(cloud: Cloud, who: User, number: int, text: str) -> Answer:
    """The reservation has everything that the template of its parent has."""
    asked = _read(text)
    if not str(asked.get("SIZE", "")).isdecimal() or int(asked["SIZE"]) <= 0:
        raise Refused(ACTION, "Reservation SIZE must be a greater than 0")
    if not asked.get("NAME"):
        raise Refused(ACTION, "NAME for reservation has to be set")
    if "AR_ID" not in asked and asked.keys() & {"IP", "IP6", "MAC"}:
        raise Refused(ACTION, "AR_ID must be specified for IP/MAC based reservations")
    parent = _found(cloud, who, number, USE)
    if parent.parent is not None:
        raise Refused(ACTION, "Cannot reserve addresses from a reserved VNET")
    size, name = int(asked["SIZE"]), str(asked["NAME"])
    _refuse_taken(cloud, who, name)
    taken = sum(net.size for net in cloud.networks.values() if net.parent == number)
    if taken + size > parent.size:
        raise Refused(ACTION, f"Not enough free addresses in network [{number}]")
    made = cloud.add_network(name, who.id, parent=number, size=size)
    made.template, made.cluster = dict(parent.template), parent.cluster
    return made.id


def delete(cloud: Cloud, who: User, number: int, force: bool = False) -> Answer:
    """Since 6.0 it takes a while."""
    network = _found(cloud, who, number, MANAGE)
    if any(cloud.users_of(number).values()) or network.leased:
        raise Refused(
            ACTION, "Cannot delete virtual network. Can not remove a virtual network with leases in use"
        )
    require_unlocked(
        cloud, network, "Cannot delete virtual network. Can not remove a Virtual Network, wrong state"
    )
    network.gone_at = cloud.now() + (cloud.pace if cloud.version >= (6, 0, 0) else 0.0)
    cloud.advance()
    return number


def require_unlocked(cloud: Cloud, network: Network, otherwise: str) -> None:
    """Before 6.0 no network is ever locked."""
    state = cloud.network_state(network)
    if cloud.version >= (6, 0, 0) and state in (states.LOCK_CREATE, states.LOCK_DELETE):
        raise Refused(ACTION, f"{otherwise} {states.NETWORKS[state]}")


def info(cloud: Cloud, who: User, number: int, decrypt: bool = False) -> Answer:
    return documents.text_of(documents.network(cloud, _found(cloud, who, number, USE), whole=True))


def pool_info(cloud: Cloud, who: User, flag: int, start: int, end: int) -> Answer:
    seen = [net for net in cloud.networks.values() if cloud.may(who, net, USE)]
    return documents.text_of(documents.pool("VNET_POOL", [documents.network(cloud, net) for net in seen]))


CALLS: dict[str, Callable[..., Answer]] = {
    "one.vntemplate.instantiate": instantiate,
    "one.vn.reserve": reserve,
    "one.vn.delete": delete,
    "one.vn.info": info,
    "one.vnpool.info": pool_info,
}


def _found(cloud: Cloud, who: User, number: int, right: int) -> Network:
    if number not in cloud.networks:
        raise Refused(NO_EXISTS, f"Error getting virtual network [{number}].")
    cloud.demand(who, cloud.networks[number], right, "NET")
    return cloud.networks[number]


def _refuse_taken(cloud: Cloud, who: User, name: str) -> None:
    same: list[Owned] = [net for net in cloud.networks.values() if (net.name, net.uid) == (name, who.id)]
    if same:
        raise Refused(ACTION, f"NAME is already taken by NET {same[0].id}.")


def _read(text: str) -> Template:
    try:
        return parsed(text)
    except BadTemplate as exc:
        raise Refused(ACTION, str(exc)) from exc
