"""Every call that is made of an OpenNebula, with its arguments: what is not here cannot be called.

docs/reference/opennebula.md is made of this table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

Argument = tuple[str, type, str]
OLDEST: Final = (5, 12, 0)


@dataclass(frozen=True)
class Call:
    """`arguments` after the session: name, type, and what we give. `changes`: it is not to be repeated
    blindly. `why`: what it is used for."""

    arguments: tuple[Argument, ...]
    why: str
    changes: bool = False


def _vm(*further: Argument, why: str) -> Call:
    return Call((("id", int, "the VM"), *further), why, changes=True)


_UPDATE: Final = (
    ("id", int, "the object"),
    ("template", str, "our mark"),
    ("append", int, "1: merge"),
)
_SNAPSHOT: Final = ("snapshot", int, "number of the snapshot")
_DISK: Final = ("disk", int, "number of the disk")
_NAME: Final = ("name", str, "name of the snapshot; may be empty")

CALLS: Final[Mapping[str, Call]] = MappingProxyType(
    {
        "system.version": Call((), "once for each process: servers older than 5.12 are refused"),
        "user.info": Call((("id", int, "-1: who asks"),), "who asks; is a password of the REST API right?"),
        "user.login": Call(
            (
                ("name", str, "the owner of a service"),
                ("token", str, "one that all processes of an installation share for ten minutes"),
                ("period", int, "1200 seconds"),
                ("group", int, "his primary group"),
            ),
            "VMs of a service that is not ours are made on behalf of its owner, with what he may do",
            changes=True,
        ),
        "userpool.info": Call((), "names of users, for `chown`; the primary group of an owner"),
        "grouppool.info": Call((), "names of groups, for `chown` and `chgrp`"),
        "templatepool.info": Call(
            (
                ("filter", int, "-2: all that who asks may use"),
                ("start", int, "-1: from the first"),
                ("end", int, "-1: to the last"),
            ),
            "whether the VM templates of a service template exist",
        ),
        "template.info": Call(
            (("id", int, "the VM template"),),
            "vectors of a role's template contents are merged into those of its VM template",
        ),
        "template.instantiate": Call(
            (
                ("id", int, "the VM template"),
                ("name", str, "name of the VM, after `vm_name_template`"),
                ("hold", bool, "false: a role that is held has no VMs yet"),
                ("template", str, "the role's contents, inputs, and our marks"),
                ("persistent", bool, "false"),
            ),
            "make a VM",
            changes=True,
        ),
        "vmpool.infoextended": Call(
            (
                ("filter", int, "-2: all that who asks may use"),
                ("start", int, "-1: from the first"),
                ("end", int, "-1: to the last"),
                ("state", int, "-1: any but DONE"),
            ),
            "once for each round: the state of all VMs of all services",
        ),
        "vmpool.monitoring": Call(
            (
                ("filter", int, "-2: all that who asks may use"),
                ("seconds", int, "0: the last record of each"),
            ),
            "once for each round, from 6.0 on: what was measured of all VMs, which the pool had before",
        ),
        "vm.info": Call((("id", int, "the VM"),), "a VM that the pool no longer has: is it DONE?"),
        "vm.action": Call(
            (("action", str, "`terminate`, `terminate-hard`, `poweroff`, …"), ("id", int, "the VM")),
            "remove a VM, and the actions on the VMs of a role",
            changes=True,
        ),
        "vm.recover": _vm(
            ("operation", int, "2: retry, 3: delete, 4: delete and recreate"),
            why="remove a VM that cannot be terminated in its state, or whose host is removed by force;"
            " `delete-recreate`",
        ),
        "vm.chown": _vm(
            ("uid", int, "the user; -1: as it is"),
            ("gid", int, "the group; -1: as it is"),
            why="a VM belongs to the owner of its service",
        ),
        "documentpool.info": Call(
            (
                ("filter", int, "-2: all that who asks may use"),
                ("start", int, "-1: from the first"),
                ("end", int, "-1: to the last"),
                ("type", int, "100: services; 101: their templates; 103: providers; 104: provisions"),
            ),
            "`oneflow import`, `oneprovision import`: what OneFlow's and OneForm's own servers kept",
        ),
        "document.info": Call(
            (("id", int, "the document"), ("decrypt", bool, "true")),
            "`oneprovision import`: what is in a provision is encrypted",
        ),
        "vntemplate.instantiate": Call(
            (
                ("id", int, "the template of networks"),
                ("name", str, "name of the network, with a random end"),
                ("template", str, "`extra` of the service's network"),
            ),
            "make a network for a service",
            changes=True,
        ),
        "vn.reserve": Call(
            (
                ("id", int, "the network to reserve in"),
                ("template", str, "`extra`, which has SIZE, and NAME"),
            ),
            "reserve a network for a service",
            changes=True,
        ),
        "vn.delete": Call((("id", int, "the network"),), "remove a network that was made", changes=True),
        "vn.info": Call(
            (("id", int, "the network"),),
            "a network that the pool no longer has: is it gone? which addresses has ours, and who uses it?",
        ),
        "vnpool.info": Call(
            (
                ("filter", int, "-2: all that who asks may use"),
                ("start", int, "-1: from the first"),
                ("end", int, "-1: to the last"),
            ),
            "once for each round, where networks are made or removed: the state of all of them",
        ),
        "vm.update": _vm(
            ("template", str, '`READY="NO"`'),
            ("append", int, "1: merge"),
            why="a VM that was off has to say again that it is ready",
        ),
        "vm.snapshotcreate": _vm(_NAME, why="action `snapshot-create`"),
        "vm.snapshotrevert": _vm(_SNAPSHOT, why="action `snapshot-revert`"),
        "vm.snapshotdelete": _vm(_SNAPSHOT, why="action `snapshot-delete`"),
        "vm.disksnapshotcreate": _vm(_DISK, _NAME, why="action `disk-snapshot-create`"),
        "vm.disksnapshotrevert": _vm(_DISK, _SNAPSHOT, why="action `disk-snapshot-revert`"),
        "vm.disksnapshotdelete": _vm(_DISK, _SNAPSHOT, why="action `disk-snapshot-delete`"),
        "vrouterpool.info": Call(
            (
                ("filter", int, "-2: all that who asks may use"),
                ("start", int, "-1: from the first"),
                ("end", int, "-1: to the last"),
            ),
            "once for each round, where virtual routers are made or removed",
        ),
        "vrouter.info": Call(
            (("id", int, "the router"),), "a router that the pool no longer has: is it gone?"
        ),
        "vrouter.allocate": Call(
            (("template", str, "the role's contents, and NAME with a random end"),),
            "make the virtual router of a role",
            changes=True,
        ),
        "vrouter.instantiate": Call(
            (
                ("id", int, "the router"),
                ("number", int, "1"),
                ("template", int, "the VM template"),
                ("name", str, "name of the VM"),
                ("hold", bool, "false"),
                ("extra", str, "the role's contents without NIC, and our marks"),
            ),
            "make a VM of a virtual router",
            changes=True,
        ),
        "vrouter.chown": Call(
            (("id", int, "the router"), ("uid", int, "the user"), ("gid", int, "the group")),
            "a router belongs to the owner of its service, with its VMs",
            changes=True,
        ),
        "vrouter.delete": Call(
            (("id", int, "the router"),),
            "remove a router with its VMs, which cannot be terminated",
            changes=True,
        ),
        "clusterpool.info": Call((), "`oneprovision`: is our cluster there already?"),
        "cluster.allocate": Call(
            (("name", str, "a random one, until it has our mark"),), "make a cluster", changes=True
        ),
        "cluster.update": Call(_UPDATE, "mark a cluster as ours", changes=True),
        "cluster.rename": Call(
            (("id", int, "the cluster"), ("name", str, "its name in the template")),
            "name a cluster that bears our mark",
            changes=True,
        ),
        "cluster.delete": Call((("id", int, "the cluster"),), "remove a cluster of ours", changes=True),
        "datastorepool.info": Call((), "is our datastore there already? has it images?"),
        "datastore.allocate": Call(
            (("template", str, "its attributes, NAME and our mark"), ("cluster", int, "our cluster")),
            "make a datastore",
            changes=True,
        ),
        "datastore.delete": Call((("id", int, "the datastore"),), "remove a datastore of ours", changes=True),
        "image.delete": Call(
            (("id", int, "an image on a datastore of ours"),),
            "`deprovision --force`, before the datastore is removed",
            changes=True,
        ),
        "vn.allocate": Call(
            (("template", str, "its attributes, NAME, AR and our mark"), ("cluster", int, "our cluster")),
            "make a virtual network",
            changes=True,
        ),
        "vn.add_ar": Call(
            (("id", int, "our network"), ("template", str, "AR of one leased address, with our mark")),
            "a public address that a driver leased can be given to VMs",
            changes=True,
        ),
        "vn.rm_ar": Call(
            (("id", int, "our network"), ("ar", int, "the range that bears our mark")),
            "a public address that is to be given back to its provider is no longer given to VMs",
            changes=True,
        ),
        "hostpool.info": Call((), "is our host there already? has it VMs?"),
        "host.allocate": Call(
            (
                ("hostname", str, "address of the machine"),
                ("im_mad", str, "as the template says; kvm"),
                ("vm_mad", str, "as the template says; kvm"),
                ("cluster", int, "our cluster"),
            ),
            "register a host",
            changes=True,
        ),
        "host.update": Call(_UPDATE, "mark a host as ours", changes=True),
        "host.status": Call(
            (("id", int, "the host"), ("status", int, "2: offline, until it is configured; 0: enabled")),
            "keep VMs from a host that is not ready",
            changes=True,
        ),
        "host.delete": Call((("id", int, "the host"),), "remove a host of ours", changes=True),
    }
)


def checked(method: str, arguments: Sequence[object]) -> Call:
    """The call of that name; a wrong argument is a bug of ours."""
    call = CALLS[method]
    types = [kind for _, kind, _ in call.arguments]
    if [type(given) for given in arguments] != types:
        raise TypeError(f"one.{method} takes {types}, not {list(arguments)}")
    return call
