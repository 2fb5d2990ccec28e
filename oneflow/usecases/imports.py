"""Services and templates that OneFlow's own server kept in an OpenNebula, taken over without touching a VM.

What is taken over keeps its number: the VMs bear it as SERVICE_ID. The documents there stay as they are.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from onecore.errors import InvalidInput, OneError, WrongState
from onecore.machines.decide import Health
from onecore.machines.model import Kind as ResourceKind
from onecore.machines.model import Resource, State
from onecore.opennebula.documents import Foreign
from onecore.opennebula.vms import SeenVm
from onecore.store import events, resources
from onecore.store.engine import Transaction
from oneflow import store
from oneflow.cloud import networks as made_networks
from oneflow.deps import FlowDeps
from oneflow.elasticity.legacy import taken_otherwise
from oneflow.model import networks, routers
from oneflow.model.body import ROLE_OWN, SERVICE_OWN
from oneflow.model.document import Body, Kind, Stored
from oneflow.model.states import RoleState, ServiceState
from oneflow.model.vm import Vm
from oneflow.model.vocabulary import unified
from oneflow.nebula.binding import seen_of
from oneflow.nebula.records import NAME
from oneflow.nebula.site import Nebula
from oneflow.template import validated
from oneflow.usecases import people
from oneflow.usecases.templates import service_of

RESTING: Final = frozenset({ServiceState.RUNNING, ServiceState.WARNING, ServiceState.COOLDOWN})
"""The states in which nothing is under way there."""

_STATES: Final = {Health.RUNNING: State.READY, Health.OFF: State.OFF, Health.ERROR: State.BROKEN}


@dataclass(frozen=True)
class Found:
    """One document there. `document` None: it cannot be taken over, and `problem` says why. `vms` and
    `routers` by the names of their roles; `gone`: nodes whose VM is no more."""

    kind: Kind
    foreign: Foreign
    document: Stored | None = None
    problem: str = ""
    vms: Mapping[str, list[SeenVm]] = field(default_factory=dict)
    routers: Mapping[str, int] = field(default_factory=dict)
    gone: tuple[int, ...] = ()

    @property
    def id(self) -> int:
        return self.foreign.id

    @property
    def vm_ids(self) -> list[int]:
        return [vm.id for role in self.vms.values() for vm in role]

    def __str__(self) -> str:
        what = f"{self.kind.noun} {self.id} ({self.foreign.name})"
        notes = "".join(f"\n  note: {note}" for note in self.notes)
        if not self.vms:
            return what + notes
        vms = f"VMs {', '.join(map(str, self.vm_ids))}" if self.vm_ids else "no VM"
        routers = ", ".join(map(str, self.routers.values()))
        vms += f"; virtual routers {routers}" if routers else ""
        gone = f"; gone: {', '.join(map(str, self.gone))}" if self.gone else ""
        return f"{what}: {vms}{gone}{notes}"

    @property
    def notes(self) -> list[str]:
        """What of it is not quite the same here."""
        return list(taken_otherwise(self.document.body.get("roles"))) if self.document else []


def found(deps: FlowDeps, numbers: Collection[int] = ()) -> list[Found]:
    """What is there, templates first; only those with these numbers, where some are given. Nothing is
    changed."""
    site = _site(deps)
    everything = site.vms()
    kinds = (Kind.TEMPLATE, Kind.SERVICE)
    each = [(kind, foreign) for kind in kinds for foreign in site.documents(kind.value)]
    with deps.database.read() as tx:
        taken = {kind: store.ids(tx, kind) for kind in kinds}
    chosen = [(kind, foreign) for kind, foreign in each if not numbers or foreign.id in numbers]
    return [_looked_at(deps, kind, foreign, everything, taken[kind]) for kind, foreign in chosen]


def take_over(deps: FlowDeps, chosen: Collection[Found]) -> None:
    """Keep what can be taken over, all or nothing. It is driven from then on."""
    people.refresh(deps)
    with deps.database.begin() as tx:
        for each in chosen:
            if each.document is not None:
                store.insert_as(tx, each.document)
                if each.kind is Kind.SERVICE:
                    _take_machines(tx, deps, each, each.document)


def _looked_at(
    deps: FlowDeps, kind: Kind, foreign: Foreign, everything: Mapping[int, SeenVm], taken: Collection[int]
) -> Found:
    try:
        if foreign.id in taken:
            raise WrongState(f"there is a {kind.noun} {foreign.id} here already")
        body = _read(foreign)
        if kind is Kind.TEMPLATE:
            return Found(kind, foreign, _template(deps, foreign, body))
        return _service(deps, foreign, body, everything)
    except OneError as exc:
        return Found(kind, foreign, problem=exc.message)
    except (KeyError, TypeError, ValueError) as exc:
        return Found(kind, foreign, problem=f"its body is not as OneFlow writes it: {exc!r}"[:200])


def _read(foreign: Foreign) -> Body:
    try:
        body = json.loads(foreign.text)
    except ValueError as exc:
        raise InvalidInput(f"its body is no JSON: {exc}") from exc
    if not isinstance(body, dict):
        raise InvalidInput("its body is no Hash")
    return body


def _template(deps: FlowDeps, foreign: Foreign, body: Body) -> Stored:
    checked = validated(body, None, deps.clock.now(), deps.flow.tz)
    return _stored(Kind.TEMPLATE, foreign, checked, deps.clock.now())


def _service(deps: FlowDeps, foreign: Foreign, body: Body, everything: Mapping[int, SeenVm]) -> Found:
    state = ServiceState(int(body.get("state", 0)))
    if state not in RESTING:
        raise WrongState(f"it is {state.name} there; only what rests can be taken over")
    known: object = unified(body)
    if not isinstance(known, Mapping):
        raise InvalidInput("its body is no Hash")
    now = deps.clock.now()
    plain = {key: value for key, value in known.items() if key not in SERVICE_OWN}
    plain["roles"] = [{k: v for k, v in role.items() if k not in ROLE_OWN} for role in known.get("roles", ())]
    fresh = service_of(deps, validated(plain, None, now, deps.flow.tz), now)
    nodes = {str(role["name"]): _nodes(role) for role in known["roles"]}
    vms = {role: [everything[vm] for vm in ids if vm in everything] for role, ids in nodes.items()}
    roles = [
        {**role, "state": str(RoleState.RUNNING.value), "last_vmname": int(old.get("last_vmname", 0))}
        for role, old in zip(fresh.body["roles"], known["roles"], strict=True)
    ]
    taken = {**fresh.body, "roles": roles, "state": ServiceState.RUNNING.value}
    taken["start_time"] = int(body.get("start_time") or now)
    document = replace(_stored(Kind.SERVICE, foreign, taken, now), state=ServiceState.RUNNING.value)
    gone = tuple(vm for ids in nodes.values() for vm in ids if vm not in everything)
    found = Found(Kind.SERVICE, foreign, document, vms=vms, routers=_routers(known["roles"]), gone=gone)
    missing = sorted(set(found.routers.values()) - _site(deps).routers()) if found.routers else []
    if missing:
        raise WrongState(f"its virtual router {missing[0]} is not there")
    return found


def _routers(roles: Collection[Mapping[str, Any]]) -> dict[str, int]:
    """The number of the router of each role that is one. KeyError where one has none."""
    return {str(role["name"]): int(role[routers.VROUTER]) for role in roles if routers.is_router(role)}


def _nodes(role: Mapping[str, object]) -> list[int]:
    nodes = role.get("nodes")
    return [int(node["deploy_id"]) for node in nodes] if isinstance(nodes, list) else []


def _stored(kind: Kind, foreign: Foreign, body: Body, now: float) -> Stored:
    who = foreign.who
    return Stored(kind, foreign.id, foreign.name, who.uid, who.gid, foreign.permissions, body, created_at=now)


# -- its VMs and networks ----------------------------------------------------------------------------------


def _take_machines(tx: Transaction, deps: FlowDeps, each: Found, document: Stored) -> None:
    roles = []
    for role in document.body["roles"]:
        if role["name"] in each.routers:
            role = {**role, routers.VROUTER: each.routers[role["name"]]}
        nodes = [_take_vm(tx, deps, document, role, (at, vm)) for at, vm in enumerate(each.vms[role["name"]])]
        last = max(len(nodes), int(role["last_vmname"]))
        roles.append({**role, "nodes": nodes, "cardinality": len(nodes), "last_vmname": last})
    _take_networks(tx, deps, document)
    _take_routers(tx, deps, document, each.routers)
    store.save(tx, replace(document, body={**document.body, "roles": roles}))
    listed = ", ".join(map(str, each.vm_ids)) or "none"
    events.add(tx, document.key, deps.clock.now(), "Taken over from OneFlow", f"VMs: {listed}")


def _take_vm(
    tx: Transaction, deps: FlowDeps, document: Stored, role: Body, numbered: tuple[int, SeenVm]
) -> Body:
    at, seen = numbered
    now = deps.clock.now()
    name = f"service-{deps.random_bytes(24).hex()}"
    known = seen_of(name, seen)
    machine = Resource(
        id=tx.next_id("resource"),
        kind=ResourceKind.MACHINE,
        name=name,
        owner=document.key,
        driver=NAME,
        provider_id=None,
        number=tx.next_id("vm"),
        label=seen.name,
        state=_STATES.get(seen.health, State.BOOTING),
        deploy_id=str(seen.id),
        addresses=seen.addresses,
        metrics=dict(known.metrics),
        deployment={"router": role.get(routers.VROUTER)},
        since=now,
    )
    resources.insert(tx, machine)
    vm = Vm(
        id=machine.number,
        service_id=document.id,
        role=str(role["name"]),
        number=at,
        name=seen.name,
        vm_template=int(role["vm_template"]),
        machine=machine.id,
        created_at=now,
    )
    store.insert_vm(tx, vm)
    return {"deploy_id": vm.id, "number": at}


def _take_networks(tx: Transaction, deps: FlowDeps, document: Stored) -> None:
    """Those that were made for the service are removed with it."""
    numbers = networks.ids(document.body)
    made = [network for network in networks.of(document.body) if network.is_made and network.name in numbers]
    for at, network in enumerate(made):
        record = replace(
            made_networks.blank(tx, deps.random_bytes, document, network.name, at),
            state=State.READY,
            deploy_id=numbers[network.name],
            since=deps.clock.now(),
        )
        resources.insert(tx, record)


def _take_routers(tx: Transaction, deps: FlowDeps, document: Stored, numbers: Mapping[str, int]) -> None:
    """They go with their roles, and their VMs with them."""
    roles = [role for role in document.body["roles"] if role["name"] in numbers]
    for at, role in enumerate(roles):
        number = made_networks.FIRST_ROUTER - at
        blank = made_networks.blank_router(tx, deps.random_bytes, document, role, number)
        number_there = str(numbers[role["name"]])
        record = replace(blank, state=State.READY, deploy_id=number_there, since=deps.clock.now())
        resources.insert(tx, record)


def _site(deps: FlowDeps) -> Nebula:
    if deps.nebula is None:
        raise InvalidInput(
            "there is no OpenNebula to import from", hint="set ONE_XMLRPC, as http://one:2633/RPC2"
        )
    return deps.nebula
