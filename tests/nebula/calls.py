"""What the calls do: each takes the cloud, who asks, and its arguments, which fit its signature already."""

from collections.abc import Callable
from typing import Any

from tests.nebula import documents, states
from tests.nebula.cloud import (
    ACTION,
    ADMINISTER,
    API,
    AUTHORIZATION,
    INTERNAL,
    MANAGE,
    NO_EXISTS,
    USE,
    Cloud,
    Owned,
    Refused,
    User,
    Vm,
)
from tests.nebula.template import BadTemplate, Template, parsed

Answer = str | int
Call = Callable[..., Answer]
SELF = -1
# What may be done to the VMs of a virtual router, which comes and goes with them.
MAX_TOKENS = 10
OF_ROUTERS = frozenset({"hold", "release", "resume", "reboot", "reboot-hard"})


def version(cloud: Cloud, who: User) -> Answer:
    return ".".join(map(str, cloud.version))


def user_info(cloud: Cloud, who: User, number: int, decrypt: bool = False) -> Answer:
    found = who if number == SELF else _found(cloud.users, number, "user", "USER")
    if found.id != who.id and who.gid != 0:
        raise Refused(
            AUTHORIZATION, f"[one.user.info] User [{who.id}] : Not authorized to perform USE USER [{number}]."
        )
    return documents.text_of(documents.user(cloud, found))


def user_login(cloud: Cloud, who: User, name: str, token: str, valid_s: int, group: int = -1) -> Answer:
    """A token of that user, made where none is given; one that is known stays as it is."""
    found = next((user for user in cloud.users.values() if user.name == name), None)
    if found is None:
        raise Refused(NO_EXISTS, f"Error getting user [{name}].")
    if who.gid != 0 and who.id != found.id:
        raise Refused(AUTHORIZATION, f"User [{who.id}] : Not authorized to perform MANAGE USER [{found.id}].")
    found.tokens = {each: until for each, until in found.tokens.items() if cloud.now() < until}
    if group == -1 and found.gid != who.gid:
        raise Refused(API, "Cannot create a full token with a specific group token")
    if len(found.tokens) >= MAX_TOKENS:
        raise Refused(API, "Max number of tokens limit reached.")
    made = token or f"token-{len(found.tokens)}-of-{name}"
    found.tokens.setdefault(made, cloud.now() + valid_s)
    if group != -1:
        found.scopes[made] = group
    return made


def userpool_info(cloud: Cloud, who: User) -> Answer:
    members = [documents.user(cloud, user, in_pool=True) for user in cloud.users.values()]
    return documents.text_of(documents.pool("USER_POOL", members))


def grouppool_info(cloud: Cloud, who: User) -> Answer:
    members = [documents.group(cloud, number) for number in cloud.groups]
    return documents.text_of(documents.pool("GROUP_POOL", members))


def documentpool_info(cloud: Cloud, who: User, flag: int, start: int, end: int, type_: int) -> Answer:
    seen = [d for d in cloud.documents.values() if d.type == type_ and cloud.may(who, d, USE)]
    return documents.text_of(documents.pool("DOCUMENT_POOL", [documents.document(cloud, d) for d in seen]))


def document_info(cloud: Cloud, who: User, number: int, decrypt: bool = False) -> Answer:
    """Only administrators see what is encrypted."""
    found = _found(cloud.documents, number, "document", "DOCUMENT")
    cloud.demand(who, found, USE, "DOCUMENT")
    return documents.text_of(documents.document(cloud, found, decrypt and who.gid == 0))


def template_info(cloud: Cloud, who: User, number: int, *further: bool) -> Answer:
    found = _found(cloud.templates, number, "template", "TEMPLATE")
    cloud.demand(who, found, USE, "TEMPLATE")
    return documents.text_of(documents.template(cloud, found))


def templatepool_info(cloud: Cloud, who: User, flag: int, start: int, end: int) -> Answer:
    seen = [t for t in cloud.templates.values() if cloud.may(who, t, USE) and _in(t, start, end)]
    return documents.text_of(documents.pool("VMTEMPLATE_POOL", [documents.template(cloud, t) for t in seen]))


def template_instantiate(
    cloud: Cloud, who: User, number: int, name: str, hold: bool = False, extra: str = "", clone: bool = False
) -> Answer:
    found = _found(cloud.templates, number, "template", "TEMPLATE")
    cloud.demand(who, found, USE, "TEMPLATE")
    overlay = _read(extra)
    for taken in ("NAME", "TEMPLATE_ID"):
        overlay.pop(taken, None)
    if found.template.get("VROUTER") == "YES":
        raise Refused(ACTION, "Virtual router templates cannot be instantiated")
    if found.template.get("SIM_REFUSES"):
        raise Refused(ACTION, str(found.template["SIM_REFUSES"]))
    return cloud.instantiate(who, found, name, hold, overlay).id


def vm_info(cloud: Cloud, who: User, number: int, decrypt: bool = False) -> Answer:
    return documents.text_of(documents.vm(cloud, _vm(cloud, who, number, USE)))


def vmpool_infoextended(
    cloud: Cloud, who: User, flag: int, start: int, end: int, state: int, words: str = ""
) -> Answer:
    """`flag`: -3 the asker's, -1 his and his group's, -2 all that he may use, else those of that user.
    `state`: -2 any, -1 any but DONE."""
    seen = [vm for vm in _seen(cloud, who, flag) if _in(vm, start, end) and _stated(vm, state)]
    return documents.text_of(documents.pool("VM_POOL", [documents.pooled_vm(cloud, vm) for vm in seen]))


def vmpool_monitoring(cloud: Cloud, who: User, flag: int, seconds: int) -> Answer:
    """`seconds`: 0: the last record of each. One that never ran has none."""
    if seconds != 0:
        raise Refused(ACTION, "this server keeps the last record only")
    records = [documents.measurement(vm) for vm in _seen(cloud, who, flag) if documents.measured(vm)]
    return documents.text_of(documents.pool("MONITORING_DATA", records))


def _seen(cloud: Cloud, who: User, flag: int) -> list[Vm]:
    return [vm for vm in cloud.vms.values() if cloud.may(who, vm, USE) and _flagged(vm, who, flag)]


def vm_action(cloud: Cloud, who: User, action: str, number: int) -> Answer:
    vm = _vm(cloud, who, number, MANAGE)
    ways = states.ACTIONS.get(action)
    if ways is None:
        raise Refused(ACTION, f'Action "{action}" is not supported')
    if vm.router is not None and action not in OF_ROUTERS:
        raise Refused(ACTION, f'{action}: Action "{action}" is not supported for virtual router VMs')
    way = ways.get(vm.state)
    if way is None:
        raise Refused(
            ACTION, f'Error performing action "{action}": This action is not available for state {vm.state}'
        )
    vm.reboots += action.startswith("reboot")
    cloud.send(vm, way)
    return vm.id


def vm_recover(cloud: Cloud, who: User, number: int, operation: int) -> Answer:
    vm = _vm(cloud, who, number, ADMINISTER)
    if operation not in _RECOVER:
        raise Refused(ACTION, "Wrong recovery operation code")
    _RECOVER[operation](cloud, vm)
    return vm.id


def _retry(cloud: Cloud, vm: Vm) -> None:
    if vm.state[0] != states.ACTIVE:
        raise Refused(ACTION, f"Could not perform a retry on VM {vm.id}, wrong state {vm.state}.")
    if vm.state in states.RETRY:
        cloud.send(vm, states.RETRY[vm.state])


def _delete(cloud: Cloud, vm: Vm) -> None:
    if vm.state != states.ENDED:
        cloud.send(vm, states.DELETE if vm.state[0] == states.ACTIVE else (states.ENDED,))


def _recreate(cloud: Cloud, vm: Vm) -> None:
    if vm.state in states.NOT_RECREATED:
        raise Refused(ACTION, states.NOT_RECREATED[vm.state])
    if vm.state[0] == states.ACTIVE:
        cloud.send(vm, states.RECREATE)
    elif vm.state in states.RECREATE_IDLE:
        cloud.send(vm, states.RECREATE_IDLE[vm.state])


_RECOVER = {
    states.RECOVER_RETRY: _retry,
    states.RECOVER_DELETE: _delete,
    states.RECOVER_RECREATE: _recreate,
}


def vm_chown(cloud: Cloud, who: User, number: int, uid: int, gid: int) -> Answer:
    vm = _vm(cloud, who, number, MANAGE)
    if uid != -1:
        if who.gid != 0:
            raise Refused(AUTHORIZATION, f"Not authorized to perform MANAGE USER [{uid}].")
        vm.uid = _found(cloud.users, uid, "user", "USER").id
    if gid != -1:
        if gid not in cloud.groups:
            raise Refused(NO_EXISTS, f"Error getting group [{gid}].")
        vm.gid = gid
    return vm.id


def vm_update(cloud: Cloud, who: User, number: int, text: str, append: int) -> Answer:
    vm = _vm(cloud, who, number, MANAGE)
    new = _read(text)
    vm.user_template = {**vm.user_template, **new} if append == 1 else new
    return vm.id


def vm_snapshotcreate(cloud: Cloud, who: User, number: int, name: str) -> Answer:
    vm = _running(cloud, who, number)
    vm.snapshots.append(name)
    cloud.send(vm, states.SNAPSHOT)
    return len(vm.snapshots) - 1


def vm_snapshotrevert(cloud: Cloud, who: User, number: int, snapshot: int) -> Answer:
    vm = _running(cloud, who, number)
    _checked(vm.snapshots, snapshot)
    cloud.send(vm, states.SNAPSHOT)
    return vm.id


def vm_snapshotdelete(cloud: Cloud, who: User, number: int, snapshot: int) -> Answer:
    vm = _running(cloud, who, number)
    _checked(vm.snapshots, snapshot)
    vm.snapshots[snapshot] = ""
    cloud.send(vm, states.SNAPSHOT)
    return vm.id


def vm_disksnapshotcreate(cloud: Cloud, who: User, number: int, disk: int, name: str) -> Answer:
    vm, way = _disk_snapshot(cloud, who, number, "create")
    vm.disk_snapshots.append((disk, name))
    cloud.send(vm, way)
    return len(vm.disk_snapshots) - 1


def vm_disksnapshotrevert(cloud: Cloud, who: User, number: int, disk: int, snapshot: int) -> Answer:
    vm, way = _disk_snapshot(cloud, who, number, "revert")
    _checked(vm.disk_snapshots, snapshot)
    cloud.send(vm, way)
    return vm.id


def vm_disksnapshotdelete(cloud: Cloud, who: User, number: int, disk: int, snapshot: int) -> Answer:
    vm, way = _disk_snapshot(cloud, who, number, "delete")
    _checked(vm.disk_snapshots, snapshot)
    vm.disk_snapshots[snapshot] = (disk, "")
    cloud.send(vm, way)
    return vm.id


CALLS: dict[str, Call] = {
    "one.system.version": version,
    "one.user.info": user_info,
    "one.user.login": user_login,
    "one.userpool.info": userpool_info,
    "one.grouppool.info": grouppool_info,
    "one.documentpool.info": documentpool_info,
    "one.document.info": document_info,
    "one.template.info": template_info,
    "one.template.instantiate": template_instantiate,
    "one.templatepool.info": templatepool_info,
    "one.vm.info": vm_info,
    "one.vm.action": vm_action,
    "one.vm.recover": vm_recover,
    "one.vm.chown": vm_chown,
    "one.vm.update": vm_update,
    "one.vm.snapshotcreate": vm_snapshotcreate,
    "one.vm.snapshotrevert": vm_snapshotrevert,
    "one.vm.snapshotdelete": vm_snapshotdelete,
    "one.vm.disksnapshotcreate": vm_disksnapshotcreate,
    "one.vm.disksnapshotrevert": vm_disksnapshotrevert,
    "one.vm.disksnapshotdelete": vm_disksnapshotdelete,
    "one.vmpool.infoextended": vmpool_infoextended,
    "one.vmpool.monitoring": vmpool_monitoring,
}


def _found(things: dict[int, Any], number: int, noun: str, kind: str) -> Any:
    if number not in things:
        raise Refused(NO_EXISTS, f"Error getting {noun} [{number}].")
    return things[number]


def _vm(cloud: Cloud, who: User, number: int, right: int) -> Vm:
    found: Vm = _found(cloud.vms, number, "virtual machine", "VM")
    cloud.demand(who, found, right, "VM")
    return found


def _running(cloud: Cloud, who: User, number: int) -> Vm:
    vm = _vm(cloud, who, number, MANAGE)
    if vm.state != (states.ACTIVE, states.RUNNING):
        raise Refused(ACTION, f"This action is not available for state {vm.state}")
    return vm


def _disk_snapshot(cloud: Cloud, who: User, number: int, what: str) -> tuple[Vm, tuple[states.State, ...]]:
    vm = _vm(cloud, who, number, MANAGE)
    way = states.DISK_SNAPSHOTS[what].get(vm.state)
    if way is None:
        raise Refused(ACTION, f"Could not {what} disk snapshot for VM {number}, wrong state {vm.state}.")
    return vm, way


def _checked(snapshots: list[Any], number: int) -> None:
    if not 0 <= number < len(snapshots):
        raise Refused(ACTION, f"Snapshot {number} does not exist")


def _in(one: Owned, start: int, end: int) -> bool:
    return (start < 0 or one.id >= start) and (end < 0 or one.id <= end)


def _flagged(one: Owned, who: User, flag: int) -> bool:
    if flag == -2:
        return True
    if flag == -1:
        return who.id == one.uid or who.gid == one.gid
    return one.uid == (who.id if flag == -3 else flag)


def _stated(vm: Vm, state: int) -> bool:
    if state == -2:
        return True
    return vm.state != states.ENDED if state == -1 else vm.state[0] == state


def _read(text: str) -> Template:
    try:
        return parsed(text)
    except BadTemplate as exc:
        raise Refused(INTERNAL, str(exc)) from exc
