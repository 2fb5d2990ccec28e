"""Virtual machines of services: what is kept of them, and the VM document of OpenNebula that is served."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NAME_TEMPLATE = "$ROLE_NAME_$VM_NUMBER_(service_$SERVICE_ID)"

# What a machine may not change of itself (reference: OneGate).
RESERVED = ("SERVICE_ID", "ROLE_NAME", "SCHED_REQUIREMENTS")


@dataclass(frozen=True)
class Vm:
    """`machine` is the id of the machine's record, None before there is one. `template` is the merged VM
    template, `user_template` what the VM reports of itself. `ready_at`: when it said READY=YES (0: not)."""

    id: int
    service_id: int
    role: str
    number: int
    name: str
    vm_template: int
    machine: int | None = None
    template: Mapping[str, Any] = field(default_factory=dict)
    user_template: Mapping[str, Any] = field(default_factory=dict)
    token: str = field(default="", repr=False)
    ready_at: float = 0.0
    created_at: float = 0.0


@dataclass(frozen=True)
class Sighting:
    """What the cloud knows of the machine behind a VM. `state`, `lcm_state`: numbers of OpenNebula."""

    state: int
    lcm_state: int
    deploy_id: str = ""
    driver: str = ""
    addresses: tuple[str, ...] = ()
    metrics: Mapping[str, str] = field(default_factory=dict)
    seen_at: float = 0.0
    error: str = ""

    @property
    def running(self) -> bool:
        return (self.state, self.lcm_state) == (3, 3)


DONE = Sighting(6, 0)

_USAGE = {"CPU": "CPU", "MEMORY": "MEMORY", "NETRX": "NET_RX", "NETTX": "NET_TX"}
# As `onevm list` shortens STATE, and LCM_STATE where that is ACTIVE.
_STATES = {0: "init", 1: "pend", 2: "hold", 4: "stop", 5: "susp", 6: "done", 7: "fail", 8: "poff", 9: "unde"}
_STATES |= {10: "clon", 11: "fail"}
_LCM = {
    number: word
    for word, numbers in {
        "init": (0,),
        "prol": (1, 9, 31),
        "boot": (2, 19, 20, 21, 22, 32, 35),
        "runn": (3,),
        "migr": (4, 8, 43, 45, 60),
        "save": (5, 6, 7),
        "epil": (10, 11, 30),
        "shut": (12, 13, 18, 29),
        "fail": (14, 36, 37, 38, 39, 40, 41, 42, 44, 46, 47, 48, 49, 50, 61),
        "clea": (15, 23),
        "unkn": (16,),
        "hotp": (17, 25, 26, 27, 28, 33, 34, 65, 66, 67, 68),
        "snap": (24, 51, 52, 53, 54, 55, 56, 57, 58, 59),
        "drsz": (62, 63, 64),
    }.items()
    for number in numbers
}


def vm_name(template: str, service: tuple[int, str], role: str, number: int) -> str:
    """The name of a VM. `service`: id and name. Plain substitution, one after the other, as upstream."""
    service_id, service_name = service
    values = (
        ("$SERVICE_ID", str(service_id)),
        ("$SERVICE_NAME", service_name),
        ("$ROLE_NAME", role),
        ("$VM_NUMBER", str(number)),
    )
    for key, value in values:
        template = template.replace(key, value)
    return template


def short_state(sighting: Sighting) -> str:
    """One word for a column, as `onevm list` has it."""
    if sighting.state == 3:
        return _LCM.get(sighting.lcm_state, "unkn")
    return _STATES.get(sighting.state, "unkn")


def vm_info(vm: Vm, seen: Sighting, owner: tuple[int, str, int, str]) -> dict[str, Any]:
    """`{"VM": {…}}` with the fields of spec/003, all scalars as strings. `owner`: uid, user, gid, group."""
    uid, user, gid, group = owner
    stime = str(int(vm.created_at))
    usage = {name: str(seen.metrics.get(key, "0")).partition(".")[0] for key, name in _USAGE.items()}
    history = _history(seen, str(vm.id), stime)
    return {
        "VM": {
            "ID": str(vm.id),
            "NAME": vm.name,
            "UID": str(uid),
            "GID": str(gid),
            "UNAME": user,
            "GNAME": group,
            "PERMISSIONS": _OWNED,
            "STATE": str(seen.state),
            "LCM_STATE": str(seen.lcm_state),
            "RESCHED": "0",
            "STIME": stime,
            "ETIME": "0",
            "LAST_POLL": str(int(seen.seen_at)),
            "DEPLOY_ID": seen.deploy_id,
            **usage,
            "TEMPLATE": {
                **vm.template,
                **_nics(seen.addresses),
                "TEMPLATE_ID": str(vm.vm_template),
                "VMID": str(vm.id),
            },
            "USER_TEMPLATE": dict(vm.user_template) | ({"ERROR": seen.error} if seen.error else {}),
            "MONITORING": dict(seen.metrics)
            | ({"GUEST_IP_ADDRESSES": ",".join(seen.addresses)} if seen.addresses else {}),
            "HISTORY_RECORDS": {"HISTORY": history} if history else {},
        }
    }


def _nics(addresses: tuple[str, ...]) -> dict[str, Any]:
    nics = [{"NIC_ID": str(at), "IP": address} for at, address in enumerate(addresses)]
    if not nics:
        return {}
    return {"NIC": nics[0] if len(nics) == 1 else nics}


def _history(seen: Sighting, oid: str, stime: str) -> dict[str, str]:
    if not seen.driver:
        return {}
    zeros = ("RETIME", "ETIME", "ESTIME", "EETIME", "RSTIME", "ACTION", "REASON", "DS_ID", "SEQ")
    return {
        "OID": oid,
        "HID": "0",
        "HOSTNAME": seen.driver,
        "VMMMAD": seen.driver,
        "VNMMAD": seen.driver,
        "TMMAD": seen.driver,
        "DS_LOCATION": "",  # machines of pm drivers have no datastore
        "STIME": stime,
        "PSTIME": stime,
        "PETIME": stime,
        **dict.fromkeys(zeros, "0"),
    }


_OWNED = {
    f"{share}_{right}": "1" if share == "OWNER" and right != "A" else "0"
    for share in ("OWNER", "GROUP", "OTHER")
    for right in "UMA"
}
