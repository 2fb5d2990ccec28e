"""What the calls on virtual routers do: their VMs come and go with them."""

from collections.abc import Callable

from tests.nebula import documents, states
from tests.nebula.cloud import ACTION, AUTHORIZATION, MANAGE, NO_EXISTS, USE, Cloud, Owned, Refused, User
from tests.nebula.template import BadTemplate, Template, parsed

Answer = str | int


def allocate(cloud: Cloud, who: User, text: str) -> Answer:
    template = _read(text)
    name = str(template.pop("NAME", ""))
    same = [each.id for each in cloud.routers.values() if (each.name, each.uid) == (name, who.id)]
    if same:
        raise Refused(ACTION, f"NAME is already taken by VROUTER {same[0]}.")
    number = max(cloud.routers, default=-1) + 1
    nic = template.get("NIC")
    if isinstance(nic, dict) and nic.get("FLOATING_IP") == "YES":
        template["NIC"] = {**nic, "VROUTER_IP": f"10.0.0.{100 + number}"}
    cloud.routers[number] = Owned(number, name, who.id, who.gid, template)
    return number


def instantiate(
    cloud: Cloud, who: User, number: int, vms: int, template: int, name: str, hold: bool, extra: str
) -> Answer:
    """Answers the router, not its VMs."""
    router = _found(cloud, who, number, MANAGE)
    if template not in cloud.templates:
        raise Refused(NO_EXISTS, f"Error getting template [{template}].")
    cloud.demand(who, cloud.templates[template], USE, "TEMPLATE")
    if cloud.templates[template].template.get("VROUTER") != "YES":
        raise Refused(ACTION, "Only virtual router templates are allowed")
    overlay = _read(extra)
    if "NIC" in overlay:
        raise Refused(ACTION, "NICs of a virtual router are its own")
    for at in range(vms):
        nics = {"NIC": router.template["NIC"]} if "NIC" in router.template else {}
        made = cloud.instantiate(
            who, cloud.templates[template], name.replace("%i", str(at)), hold, {**overlay, **nics}
        )
        made.router = number
    return number


def info(cloud: Cloud, who: User, number: int, decrypt: bool = False) -> Answer:
    return documents.text_of(documents.router(cloud, _found(cloud, who, number, USE)))


def pool_info(cloud: Cloud, who: User, flag: int, start: int, end: int) -> Answer:
    seen = [each for each in cloud.routers.values() if cloud.may(who, each, USE)]
    return documents.text_of(documents.pool("VROUTER_POOL", [documents.router(cloud, r) for r in seen]))


def chown(cloud: Cloud, who: User, number: int, uid: int, gid: int) -> Answer:
    router = _found(cloud, who, number, MANAGE)
    if who.gid != 0:
        raise Refused(AUTHORIZATION, f"Not authorized to perform MANAGE USER [{uid}].")
    for each in [router, *(vm for vm in cloud.vms.values() if vm.router == number)]:
        each.uid, each.gid = uid, gid
    return number


def delete(cloud: Cloud, who: User, number: int) -> Answer:
    _found(cloud, who, number, MANAGE)
    for vm in cloud.living():
        if vm.router == number:
            cloud.send(vm, states.TERMINATE.get(vm.state, states.DELETE))
    del cloud.routers[number]
    return number


CALLS: dict[str, Callable[..., Answer]] = {
    "one.vrouter.allocate": allocate,
    "one.vrouter.instantiate": instantiate,
    "one.vrouter.info": info,
    "one.vrouter.chown": chown,
    "one.vrouter.delete": delete,
    "one.vrouterpool.info": pool_info,
}


def _found(cloud: Cloud, who: User, number: int, right: int) -> Owned:
    if number not in cloud.routers:
        raise Refused(NO_EXISTS, f"Error getting virtual router [{number}].")
    cloud.demand(who, cloud.routers[number], right, "VROUTER")
    return cloud.routers[number]


def _read(text: str) -> Template:
    try:
        return parsed(text)
    except BadTemplate as exc:
        raise Refused(ACTION, str(exc)) from exc
