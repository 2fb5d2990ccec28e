"""What the calls on virtual networks do."""

from collections.abc import Callable

from tests.nebula import documents
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
    parent = _found(cloud, who, number, USE)
    asked = _read(text)
    if not str(asked.get("SIZE", "")).isdecimal():
        raise Refused(ACTION, "Reservation SIZE must be a positive integer")
    size, name = int(asked["SIZE"]), str(asked.get("NAME", f"{parent.name}-reservation"))
    _refuse_taken(cloud, who, name)
    taken = sum(net.size for net in cloud.networks.values() if net.parent == number)
    if taken + size > parent.size:
        raise Refused(ACTION, f"Not enough free addresses in network [{number}]")
    return cloud.add_network(name, who.id, parent=number, size=size).id


def delete(cloud: Cloud, who: User, number: int, force: bool = False) -> Answer:
    network = _found(cloud, who, number, MANAGE)
    using = [vm.id for vm in cloud.living() if str(number) in _networks_of(vm.template)]
    if using:
        raise Refused(ACTION, f"Cannot delete virtual network [{number}]: it is used by VMs {using}")
    del cloud.networks[network.id]
    return number


def info(cloud: Cloud, who: User, number: int, decrypt: bool = False) -> Answer:
    return documents.text_of(documents.network(cloud, _found(cloud, who, number, USE)))


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


def _networks_of(template: Template) -> list[str]:
    nics = template.get("NIC", [])
    return [str(nic.get("NETWORK_ID")) for nic in (nics if isinstance(nics, list) else [nics])]


def _read(text: str) -> Template:
    try:
        return parsed(text)
    except BadTemplate as exc:
        raise Refused(ACTION, str(exc)) from exc
