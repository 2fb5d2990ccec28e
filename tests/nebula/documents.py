"""The XML documents of the API, in the order of its schemas."""

from collections.abc import Iterable, Mapping
from xml.etree import ElementTree as Tree

from tests.nebula.cloud import Cloud, Document, InCluster, Network, Owned, User, Vm
from tests.nebula.states import ACTIVE
from tests.nebula.template import element

_BITS = tuple(f"{share}_{right}" for share in ("OWNER", "GROUP", "OTHER") for right in "UMA")
_QUOTAS = ("DATASTORE_QUOTA", "NETWORK_QUOTA", "VM_QUOTA", "IMAGE_QUOTA")


def text_of(made: Tree.Element) -> str:
    return Tree.tostring(made, encoding="unicode")


def pool(name: str, members: Iterable[Tree.Element]) -> Tree.Element:
    made = Tree.Element(name)
    made.extend(members)
    return made


def vm(cloud: Cloud, vm: Vm) -> Tree.Element:
    """As `one.vm.info` answers it."""
    return _vm(cloud, vm, measured(vm))


def pooled_vm(cloud: Cloud, vm: Vm) -> Tree.Element:
    """As `one.vmpool.infoextended` does: from 6.0 on what was measured is kept elsewhere."""
    return _vm(cloud, vm, measured(vm) if cloud.version < (6, 0, 0) else {})


def measurement(vm: Vm) -> Tree.Element:
    """The last record of `one.vmpool.monitoring`."""
    return _made("MONITORING", {"TIMESTAMP": int(vm.made_at), "ID": vm.id, **measured(vm)})


def _vm(cloud: Cloud, vm: Vm, monitoring: Mapping[str, object]) -> Tree.Element:
    return _made(
        "VM",
        {
            **_head(cloud, vm),
            "PERMISSIONS": _permissions(vm),
            "LAST_POLL": int(vm.made_at),
            "STATE": vm.state[0],
            "LCM_STATE": vm.state[1],
            "PREV_STATE": vm.state[0],
            "PREV_LCM_STATE": vm.state[1],
            **_times(vm),
            "MONITORING": monitoring,
            **({"SCHED_ACTIONS": ""} if cloud.version >= (7, 0, 0) else {}),
            "TEMPLATE": vm.template,
            "USER_TEMPLATE": vm.user_template,
            "HISTORY_RECORDS": _history(vm),
            **({"BACKUPS": {"BACKUP_CONFIG": "", "BACKUP_IDS": ""}} if cloud.version >= (6, 6, 0) else {}),
        },
    )


def cluster(cloud: Cloud, one: Owned) -> Tree.Element:
    """Of a pool: without the plan of its optimization."""

    def of(things: Mapping[int, InCluster] | Mapping[int, Network]) -> dict[str, object]:
        return {"ID": [each.id for each in things.values() if each.cluster == one.id]}

    members = {"HOSTS": of(cloud.hosts), "DATASTORES": of(cloud.datastores), "VNETS": of(cloud.networks)}
    return _made("CLUSTER", {"ID": one.id, "NAME": one.name, **members, "TEMPLATE": one.template})


def datastore(cloud: Cloud, one: InCluster) -> Tree.Element:
    return _made(
        "DATASTORE",
        {
            **_head(cloud, one),
            "PERMISSIONS": _permissions(one),
            "DS_MAD": one.template.get("DS_MAD", "-"),
            "TM_MAD": one.template.get("TM_MAD", "-"),
            "BASE_PATH": f"/var/lib/one//datastores/{one.id}",
            "TYPE": 1 if one.template.get("TYPE") == "SYSTEM_DS" else 0,
            "DISK_TYPE": 0,
            "STATE": 0,
            "CLUSTERS": {"ID": one.cluster},
            "TOTAL_MB": 1000,
            "FREE_MB": 900,
            "USED_MB": 100,
            "IMAGES": {"ID": one.holds},
            "TEMPLATE": one.template,
        },
    )


def host(cloud: Cloud, one: InCluster) -> Tree.Element:
    zeros = ("MEM_USAGE", "CPU_USAGE", "TOTAL_MEM", "TOTAL_CPU", "MAX_MEM", "MAX_CPU", "RUNNING_VMS")
    disks = dict.fromkeys(("DISK_USAGE", "FREE_DISK", "MAX_DISK", "USED_DISK"), 0)
    share: dict[str, object] = {**dict.fromkeys(zeros, 0), "VMS_THREAD": 1, "DATASTORES": disks}
    state = {0: 2, 1: 4, 2: 8}[one.status]
    return _made(
        "HOST",
        {
            "ID": one.id,
            "NAME": one.name,
            "STATE": state,
            "PREV_STATE": state,
            "IM_MAD": one.template["IM_MAD"],
            "VM_MAD": one.template["VM_MAD"],
            "CLUSTER_ID": one.cluster,
            "CLUSTER": cloud.clusters[one.cluster].name,
            "HOST_SHARE": {**share, "PCI_DEVICES": "", "NUMA_NODES": ""},
            "VMS": {"ID": one.holds},
            "TEMPLATE": one.template,
            "MONITORING": "",
        },
    )


def router(cloud: Cloud, one: Owned) -> Tree.Element:
    vms = [vm.id for vm in cloud.vms.values() if vm.router == one.id]
    fields = {**_head(cloud, one), "PERMISSIONS": _permissions(one), "VMS": {"ID": vms}}
    return _made("VROUTER", {**fields, "TEMPLATE": one.template})


def document(cloud: Cloud, one: Document, decrypted: bool = False) -> Tree.Element:
    """`DOCUMENT_ENCRYPTED_ATTR` of oned.conf has PROVISION_BODY."""
    fields = {**_head(cloud, one), "TYPE": one.type, "PERMISSIONS": _permissions(one)}
    hidden = {} if decrypted else {key: "c2VhbGVk" for key in one.template if key == "PROVISION_BODY"}
    return _made("DOCUMENT", {**fields, "TEMPLATE": {**one.template, **hidden}})


def template(cloud: Cloud, one: Owned) -> Tree.Element:
    fields = {**_head(cloud, one), "PERMISSIONS": _permissions(one), "REGTIME": int(one.made_at)}
    return _made("VMTEMPLATE", {**fields, "TEMPLATE": one.template})


def user(cloud: Cloud, one: User, in_pool: bool = False) -> Tree.Element:
    quotas: dict[str, object] = dict.fromkeys(_QUOTAS, "")
    return _made(
        "USER",
        {
            "ID": one.id,
            "GID": one.gid,
            "GROUPS": {"ID": one.gid},
            "GNAME": cloud.groups[one.gid],
            "NAME": one.name,
            "PASSWORD": "0" * 64,
            "AUTH_DRIVER": "core",
            "ENABLED": int(one.enabled),
            "TEMPLATE": {"TOKEN_PASSWORD": "0" * 64},
            **({} if in_pool else {**quotas, "DEFAULT_USER_QUOTAS": quotas}),
        },
    )


def network(cloud: Cloud, one: Network, whole: bool = False) -> Tree.Element:
    """Before 6.0 a network has no state. Who has its addresses is told of one, not in a pool."""
    state = cloud.network_state(one)
    users = cloud.users_of(one.id)
    ids = ("VROUTERS", "UPDATED_VMS", "OUTDATED_VMS", "UPDATING_VMS", "ERROR_VMS")
    states = {"STATE": state, "PREV_STATE": state} if cloud.version >= (6, 0, 0) else {}
    return _made(
        "VNET",
        {
            **_head(cloud, one),
            "PERMISSIONS": _permissions(one),
            "CLUSTERS": {"ID": one.cluster},
            "BRIDGE": f"onebr{one.id}",
            "BRIDGE_TYPE": "linux",
            **states,
            "PARENT_NETWORK_ID": "" if one.parent is None else one.parent,
            "VN_MAD": "bridge",
            "PHYDEV": "",
            "VLAN_ID": "",
            "OUTER_VLAN_ID": "",
            "VLAN_ID_AUTOMATIC": 0,
            "OUTER_VLAN_ID_AUTOMATIC": 0,
            "USED_LEASES": sum(map(len, users.values())) + len(one.leased),
            **dict.fromkeys(ids, ""),
            "TEMPLATE": one.template,
            "AR_POOL": {"AR": [{**_range(one), **(_leases(users) if whole else {})}, *_added(one)]},
        },
    )


def _range(one: Network) -> dict[str, object]:
    return {"AR_ID": 0, "IP": "10.0.0.1", "MAC": "02:00:0a:00:00:01", "SIZE": one.size, "TYPE": "IP4"}


def _leases(users: dict[str, list[int]]) -> dict[str, object]:
    given = [(what, number) for what, numbers in users.items() for number in numbers]
    rows = [
        {"IP": f"10.0.0.{at}", "MAC": f"02:00:0a:00:00:{at:02x}", what: n}
        for at, (what, n) in enumerate(given, 1)
    ]
    return {"USED_LEASES": len(rows), "LEASES": {"LEASE": rows} if rows else ""}


def _added(one: Network) -> list[dict[str, object]]:
    """With every attribute that they were given, as OpenNebula keeps them."""
    mac = "02:00:0a:00:00:01"
    every = [{"AR_ID": number, **given, "MAC": mac} for number, given in one.ranges.items()]
    return [dict(sorted(each.items())) for each in every]


def group(cloud: Cloud, number: int) -> Tree.Element:
    members = [user.id for user in cloud.users.values() if user.gid == number]
    fields = {"ID": number, "NAME": cloud.groups[number], "TEMPLATE": "", "USERS": {"ID": members}}
    return _made("GROUP", {**fields, "ADMINS": ""})


def _head(cloud: Cloud, one: Owned) -> dict[str, object]:
    return {
        "ID": one.id,
        "UID": one.uid,
        "GID": one.gid,
        "UNAME": cloud.users[one.uid].name,
        "GNAME": cloud.groups[one.gid],
        "NAME": one.name,
    }


def _permissions(one: Owned) -> dict[str, object]:
    return dict(zip(_BITS, one.bits, strict=True))


def _times(vm: Vm) -> dict[str, object]:
    return {
        "RESCHED": 0,
        "STIME": int(vm.made_at),
        "ETIME": int(vm.ended_at),
        "DEPLOY_ID": f"one-{vm.id}" if vm.state[0] == ACTIVE else "",
    }


def measured(vm: Vm) -> dict[str, object]:
    if vm.state != (ACTIVE, 3):
        return {}
    told = {"GUEST_IP_ADDRESSES": f"192.0.2.{vm.id + 1}"} if vm.user_template.get("SIM_AGENT") else {}
    return {"CPU": "1.5", "MEMORY": "524288", "NETRX": "100", "NETTX": "200", **told}


def _history(vm: Vm) -> dict[str, object]:
    if vm.state[0] != ACTIVE:
        return {}
    zeros = ("PSTIME", "PETIME", "RSTIME", "RETIME", "ESTIME", "EETIME", "ACTION", "UID", "GID")
    record: dict[str, object] = {
        "OID": vm.id,
        "SEQ": 0,
        "HOSTNAME": "node-1",
        "HID": 1,
        "CID": 0,
        "STIME": int(vm.made_at),
        "ETIME": 0,
        "VM_MAD": "kvm",
        "TM_MAD": "ssh",
        "DS_ID": 0,
        "PLAN_ID": -1,
        "ACTION_ID": -1,
        **dict.fromkeys(zeros, 0),
        "REQUEST_ID": -1,
    }
    return {"HISTORY": record}


def _made(name: str, fields: Mapping[str, object]) -> Tree.Element:
    return element(name, fields)[0]
