"""What an OpenNebula holds: users, groups, VM templates and VMs, which live by a clock.

It outlives its server, as a database does: a server that is started again finds it as it was.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from threading import RLock
from typing import Any

from tests.nebula import states
from tests.nebula.states import State
from tests.nebula.template import Template, merged

ADMIN = "oneadmin"
OWNER_ONLY = (1, 1, 0, 0, 0, 0, 0, 0, 0)
USE, MANAGE, ADMINISTER = 0, 1, 2


class Refused(Exception):
    """`code` is that of the API: what kind of error it is."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


AUTHENTICATION, AUTHORIZATION, NO_EXISTS, ACTION, API, INTERNAL = 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000


@dataclass
class User:
    """`tokens` and when each expires; `scopes`: the group that one is limited to."""

    id: int
    name: str
    password: str
    gid: int
    enabled: bool = True
    tokens: dict[str, float] = field(default_factory=dict)
    scopes: dict[str, int] = field(default_factory=dict)


@dataclass
class Owned:
    """Something with a number, a name, an owner and permission bits (use, manage, admin; for owner, group and
    others)."""

    id: int
    name: str
    uid: int
    gid: int
    template: Template = field(default_factory=dict)
    bits: tuple[int, ...] = OWNER_ONLY
    made_at: float = 0.0


@dataclass
class Vm(Owned):
    """`path`: the states that it is on its way through, the next of them at `next_at`."""

    state: State = (states.PENDING, 0)
    path: tuple[State, ...] = ()
    next_at: float = 0.0
    user_template: Template = field(default_factory=dict)
    ended_at: float = 0.0
    snapshots: list[str] = field(default_factory=list)
    disk_snapshots: list[tuple[int, str]] = field(default_factory=list)
    reboots: int = 0
    router: int | None = None


@dataclass
class Document(Owned):
    """What other programs keep in OpenNebula: services of OneFlow are of type 100, their templates of 101;
    providers of OneForm of 103, its provisions of 104."""

    type: int = 100


@dataclass
class InCluster(Owned):
    """A datastore or a host. `holds`: the images or VMs on it; `status` of a host: 0 enabled, 2 offline."""

    cluster: int = 0
    holds: list[int] = field(default_factory=list)
    status: int = 0


@dataclass
class Network(Owned):
    """A virtual network. `parent`: the one that it is reserved in; it is READY once `ready_at` is over, and
    gone once `gone_at` is. `ranges`: those that were added to the first one; `leased`: the ranges that VMs
    have addresses of."""

    parent: int | None = None
    cluster: int = 0
    size: int = 256
    ready_at: float = 0.0
    gone_at: float | None = None
    is_broken: bool = False
    ranges: dict[int, Template] = field(default_factory=dict)
    leased: set[int] = field(default_factory=set)


@dataclass
class Cloud:
    """`pace`: seconds that a VM stays in each state on its way. `now` is in seconds. `give_back`: the IPAM
    driver, which is told of each range with an IPAM_MAD that is removed."""

    now: Callable[[], float]
    pace: float = 0.02
    version: tuple[int, int, int] = (7, 2, 0)
    give_back: Callable[[Template], object] = lambda address_range: None
    users: dict[int, User] = field(default_factory=dict)
    groups: dict[int, str] = field(default_factory=dict)
    templates: dict[int, Owned] = field(default_factory=dict)
    vms: dict[int, Vm] = field(default_factory=dict)
    networks: dict[int, Network] = field(default_factory=dict)
    routers: dict[int, Owned] = field(default_factory=dict)
    clusters: dict[int, Owned] = field(default_factory=dict)
    datastores: dict[int, InCluster] = field(default_factory=dict)
    hosts: dict[int, InCluster] = field(default_factory=dict)
    documents: dict[int, Document] = field(default_factory=dict)
    network_templates: dict[int, Owned] = field(default_factory=dict)
    lock: Any = field(default_factory=RLock)
    _vm_ids: "count[int]" = field(default_factory=count)
    _network_ids: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        self.groups |= {0: ADMIN, 1: "users"}
        self.users[0] = User(0, ADMIN, "secret", 0)
        self.clusters[0] = Owned(0, "default", 0, 0)

    # -- what tests set up ---------------------------------------------------------------------------------

    def add_user(self, name: str, password: str, gid: int = 1) -> User:
        number = max(self.users) + 1
        self.users[number] = User(number, name, password, gid)
        return self.users[number]

    def add_template(self, name: str, uid: int = 0, **attributes: object) -> Owned:
        number = len(self.templates)
        made = Owned(number, name, uid, self.users[uid].gid, dict(attributes), made_at=self.now())
        self.templates[number] = made
        return made

    def add_document(self, type_: int, name: str, body: object, uid: int = 0, tag: str = "BODY") -> Document:
        number = len(self.documents)
        template = {tag: json.dumps(body)}
        made = Document(number, name, uid, self.users[uid].gid, template, type=type_)
        self.documents[number] = made
        return made

    def add_network(self, name: str, uid: int = 0, parent: int | None = None, size: int = 256) -> Network:
        number = next(self._network_ids)
        made = Network(number, name, uid, self.users[uid].gid, parent=parent, size=size)
        made.ready_at = self.now() + self.pace
        self.networks[number] = made
        return made

    def add_network_template(self, name: str, uid: int = 0, **attributes: object) -> Owned:
        number = len(self.network_templates)
        made = Owned(number, name, uid, self.users[uid].gid, dict(attributes), made_at=self.now())
        self.network_templates[number] = made
        return made

    def report(self, vm_id: int, **values: str) -> None:
        """The VM says something of itself, through OneGate."""
        with self.lock:
            self.vms[vm_id].user_template.update(values)

    def put(self, vm_id: int, state: State) -> None:
        """Something happens to it outside of what anybody asked for."""
        with self.lock:
            vm = self.vms[vm_id]
            vm.state, vm.path = state, ()

    def network_state(self, one: Network) -> int:
        """A number of states.NETWORKS."""
        if one.gone_at is not None:
            return states.LOCK_DELETE
        if self.now() < one.ready_at:
            return states.LOCK_CREATE
        return states.NET_ERROR if one.is_broken else states.NET_READY

    def users_of(self, number: int) -> dict[str, list[int]]:
        """What has addresses of a network, by the element that tells it."""
        return {
            "VM": [vm.id for vm in self.living() if str(number) in _networks_of(vm.template)],
            "VNET": [net.id for net in self.networks.values() if net.parent == number],
        }

    def living(self) -> list[Vm]:
        with self.lock:
            self.advance()
            return [vm for vm in self.vms.values() if vm.state != states.ENDED]

    # -- who may what --------------------------------------------------------------------------------------

    def authenticated(self, session: str) -> User:
        name, _, secret = session.partition(":")
        for user in self.users.values():
            if user.name == name and user.enabled:
                if secret == user.password:
                    return user
                if self.now() < user.tokens.get(secret, 0.0):
                    return replace(user, gid=user.scopes.get(secret, user.gid))
        raise Refused(AUTHENTICATION, "User couldn't be authenticated, aborting call.")

    def may(self, user: User, thing: Owned, right: int) -> bool:
        if user.gid == 0:
            return True
        shares = [(user.id == thing.uid, 0), (user.gid == thing.gid, 3), (True, 6)]
        return any(fits and thing.bits[at + right] for fits, at in shares)

    def demand(self, user: User, thing: Owned, right: int, what: str) -> None:
        if not self.may(user, thing, right):
            word = ("USE", "MANAGE", "ADMIN")[right]
            raise Refused(AUTHORIZATION, f"Not authorized to perform {word} {what} [{thing.id}].")

    # -- VMs -----------------------------------------------------------------------------------------------

    def instantiate(self, user: User, template: Owned, name: str, hold: bool, extra: Template) -> Vm:
        whole = merged(template.template, extra)
        real = {key: value for key, value in whole.items() if key in _OF_THE_MACHINE}
        if "CONTEXT" in real:
            real["CONTEXT"] = {**real["CONTEXT"], "DISK_ID": "1", "TARGET": "hda"}
        number = next(self._vm_ids)
        vm = Vm(
            number,
            name or f"{template.name}-{number}",
            user.id,
            user.gid,
            {**real, "TEMPLATE_ID": str(template.id), "VMID": str(number)},
            made_at=self.now(),
            user_template={key: value for key, value in whole.items() if key not in _OF_THE_MACHINE},
        )
        self.vms[number] = vm
        if hold:
            vm.state = (states.HOLD, 0)
        else:
            self.send(vm, self._start_of(vm))
        return vm

    def send(self, vm: Vm, path: tuple[State, ...]) -> None:
        """Let it take this way from now on; what ends at once is there at once."""
        vm.path, vm.next_at = path, self.now() + self.pace
        if path and path[0] in (states.ENDED, (states.HOLD, 0), (states.PENDING, 0)):
            self._step(vm)
        elif path:
            vm.state, vm.path = path[0], path[1:]

    def advance(self) -> None:
        for one in list(self.networks.values()):
            if one.gone_at is not None and one.gone_at <= self.now():
                del self.networks[one.id]
        for vm in self.vms.values():
            while vm.path and vm.next_at <= self.now():
                self._step(vm)

    def _step(self, vm: Vm) -> None:
        vm.state, vm.path = vm.path[0], vm.path[1:]
        vm.next_at += self.pace
        if vm.state == states.ENDED:
            vm.ended_at = self.now()
            for host in self.hosts.values():
                host.holds = [held for held in host.holds if held != vm.id]

    def _start_of(self, vm: Vm) -> tuple[State, ...]:
        """The way to RUNNING; a template may say at what it fails (SIM_FAILS=BOOT), or that no host has room
        (SIM_FAILS=SCHEDULING)."""
        fails = vm.user_template.get("SIM_FAILS")
        if fails == "SCHEDULING":
            return ()
        if fails == "BOOT":
            return states.active(states.PROLOG, states.BOOT, states.BOOT_FAILURE)
        return states.STARTING


# What belongs to the machine itself; everything else of a template is the user's.
_OF_THE_MACHINE = frozenset(
    ("CPU", "VCPU", "MEMORY", "DISK", "NIC", "NIC_ALIAS", "CONTEXT", "OS", "GRAPHICS", "FEATURES", "INPUT")
)


def _networks_of(template: Template) -> list[str]:
    nics = template.get("NIC", [])
    return [str(nic.get("NETWORK_ID")) for nic in (nics if isinstance(nics, list) else [nics])]
