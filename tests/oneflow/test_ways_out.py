"""From every state that a service and its roles can be in together, there is a way out, and it works.

Walks at random find the states: machines fail, vanish, go off and refuse to go, and people ask for whatever
they may. From each the service is then brought back by words alone: nothing heals unless somebody asks.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import pytest

from onecore.errors import WrongState
from oneflow.lifecycle import requests
from oneflow.model.networks import NO_NETWORKS, NetStatus
from oneflow.model.service import Role, Service, Timeouts
from oneflow.model.states import Event, RoleState, ServiceState
from tests.oneflow.lifecycle_world import N, R, S, World, a_role, a_service

WALKS, STEPS, EXAMPLES = 500, 45, 4
HOUR = 3600.0
Pair = tuple[ServiceState, RoleState]
WRONG = {
    *((S.FAILED_DEPLOYING, state) for state in (R.PENDING, R.DEPLOYING, R.RUNNING, R.FAILED_DEPLOYING)),
    *((S.FAILED_SCALING, state) for state in (R.RUNNING, R.WARNING, R.FAILED_SCALING, R.COOLDOWN)),
    *((S.FAILED_UNDEPLOYING, state) for state in (R.RUNNING, R.DONE, R.FAILED_UNDEPLOYING)),
    *((S.WARNING, state) for state in (R.RUNNING, R.WARNING, R.UNDEPLOYING, R.FAILED_UNDEPLOYING)),
    *((S.DEPLOYING, state) for state in (R.HOLD, R.WARNING, R.UNDEPLOYING, R.FAILED_UNDEPLOYING)),
    *((S.SCALING, state) for state in (R.WARNING, R.FAILED_SCALING, R.UNDEPLOYING, R.FAILED_UNDEPLOYING)),
    *((S.COOLDOWN, state) for state in (R.COOLDOWN, R.WARNING, R.FAILED_UNDEPLOYING)),
    *((state, R.PENDING) for state in (S.DEPLOYING_NETS, S.FAILED_DEPLOYING_NETS)),
    *((state, R.DONE) for state in (S.UNDEPLOYING_NETS, S.FAILED_UNDEPLOYING_NETS)),
    *((S.HOLD, state) for state in (R.HOLD, R.RUNNING, R.WARNING, R.PENDING, R.FAILED_UNDEPLOYING)),
}
"""Pairs that the walks have to come by, or they prove nothing."""
UNDER_WAY = (S.PENDING, S.DEPLOYING_NETS, S.DEPLOYING, S.SCALING, S.UNDEPLOYING, S.UNDEPLOYING_NETS)
TRIED_AGAIN = {NetStatus.FAILED: NetStatus.MAKING, NetStatus.STUCK: NetStatus.LEAVING}
GOES_WRONG = {NetStatus.MAKING: NetStatus.FAILED, NetStatus.LEAVING: NetStatus.STUCK}


@cache
def reached() -> dict[Pair, list[World]]:
    found: dict[Pair, list[World]] = defaultdict(list)
    for seed in range(WALKS):
        for world in walk(random.Random(seed)):
            for role in world.service.roles:
                examples = found[world.state, role.state]
                if len(examples) < EXAMPLES:
                    examples.append(copy(world))
    return found


def test_the_walks_come_by_every_state_that_is_wrong():
    assert reached().keys() >= WRONG


@pytest.mark.parametrize("state", sorted({state for state, _ in WRONG} | {S.RUNNING, S.UNDEPLOYING}))
def test_recover_and_release_lead_back_to_a_service_as_it_is_wanted(state: ServiceState):
    for (service, role), examples in reached().items():
        for world in examples if service is state else ():
            assert came_back(copy(world)), (service, role, world.service, world.machines)


@pytest.mark.parametrize("state", sorted({state for state, _ in WRONG} | {S.RUNNING, S.UNDEPLOYING}))
def test_shutdown_leads_to_done_and_leaves_no_machine(state: ServiceState):
    for (service, role), examples in reached().items():
        for world in examples if service is state else ():
            left = copy(world)
            if left.state not in (S.UNDEPLOYING, S.UNDEPLOYING_NETS):
                left.service = requests.undeploy(left.service, left.now)
                encourage(left)
            assert came_back(left), (service, role, world.service, world.machines)
            assert (left.state, left.machines) == (S.DONE, {})
            assert left.service.networks in NO_NETWORKS


# -- the way out -------------------------------------------------------------------------------------------


def came_back(world: World) -> bool:
    """Whether words alone bring it to rest as it is wanted."""
    for _ in range(80):
        before = (world.service, dict(world.machines))
        world.look()
        world.progress()
        if (world.service, world.machines) != before:
            continue
        if is_as_wanted(world):
            return True
        if not (said(world, recovered) or said(world, released)):
            world.now += HOUR
    return False


def is_as_wanted(world: World) -> bool:
    if world.state is S.DONE:
        return not world.machines
    living = {n.vm_id: n for role in world.service.roles for n in role.nodes}
    whole = all(len(role.nodes) == role.cardinality for role in world.service.roles)
    well = all(s is N.RUNNING or (s is N.OFF and living[vm].resting) for vm, s in world.machines.items())
    calm = all(role.state is R.RUNNING for role in world.service.roles)
    return world.state is S.RUNNING and whole and well and calm and living.keys() == world.machines.keys()


def recovered(world: World) -> None:
    """As the use case: what is under way goes on, what was given up is tried again."""
    if world.state not in UNDER_WAY:
        world.recover()
    encourage(world)


def released(world: World) -> None:
    if not any(role.state is R.HOLD for role in world.service.roles) and world.state is not S.HOLD:
        raise WrongState("Service has no roles in HOLD")
    world.service = requests.release(replace(world.service, on_hold=False), world.now)


def encourage(world: World) -> None:
    nodes = {n.vm_id: n for role in world.service.roles for n in role.nodes}
    for vm_id, status in world.machines.items():
        leaving = nodes[vm_id].leaving
        if status is N.STUCK or (leaving and status is N.FAILED):
            world.machines[vm_id] = N.LEAVING
        elif status is N.FAILED or (status is N.OFF and not nodes[vm_id].resting and not leaving):
            world.machines[vm_id] = N.STARTING
    networks = world.service.networks
    world.service = replace(world.service, networks=TRIED_AGAIN.get(networks, networks))


def said(world: World, what: Callable[[World], None]) -> bool:
    try:
        what(world)
    except WrongState:
        return False
    return True


# -- the walks ---------------------------------------------------------------------------------------------


def walk(chance: random.Random) -> Iterator[World]:
    roles = [
        a_role("a", chance.randrange(3), on_hold=chance.random() < 0.15),
        a_role("b", chance.randrange(3), ("a",), on_hold=chance.random() < 0.3),
    ]
    service = a_service(*roles, straight=chance.random() < 0.5, on_hold=chance.random() < 0.1)
    networks = chance.choice((NetStatus.NONE, NetStatus.MISSING))
    world = World(replace(service, timeouts=Timeouts(HOUR, HOUR, HOUR), networks=networks))
    for _ in range(STEPS):
        world.now += chance.choice((0, 0, 1, 6, HOUR))
        machines_change(world, chance)
        said(world, lambda world: asked(world, chance))
        world.look()
        yield world
        if chance.random() < 0.7:
            world.progress()
            world.look()
            yield world


def machines_change(world: World, chance: random.Random) -> None:
    networks = world.service.networks
    if chance.random() < 0.3:
        world.service = replace(world.service, networks=GOES_WRONG.get(networks, networks))
    for vm_id, status in list(world.machines.items()):
        if status in (N.LEAVING, N.STUCK):
            world.machines[vm_id] = N.STUCK if chance.random() < 0.3 else status
        elif chance.random() < 0.06:
            world.machines[vm_id] = chance.choice((N.FAILED, N.OFF, N.RUNNING))
        elif chance.random() < 0.02:
            del world.machines[vm_id]


def asked(world: World, chance: random.Random) -> None:
    service, role = world.service, chance.choice(world.service.roles)
    match chance.randrange(12):
        case 0 | 1:
            world.service = requests.scale(service, role.name, chance.randrange(4), 5, world.now)
        case 2 | 3:
            recovered(world)
        case 4 | 5:
            released(world)
        case 6:
            world.service = added(service, chance)
        case 7:
            world.service = removed(service, role)
        case 8:
            world.service = switched_off(world, role)
        case 9 if chance.random() < 0.15:
            world.service = requests.undeploy(service, world.now)
            encourage(world)


def added(service: Service, chance: random.Random) -> Service:
    if service.role("c"):
        return service
    role = a_role("c", chance.randrange(3), on_hold=chance.random() < 0.4)
    return replace(service.moved(Event.DEPLOY), roles=(*service.roles, role))


def removed(service: Service, role: Role) -> Service:
    is_needed = any(role.name in other.parents for other in service.roles)
    staying = [other for other in service.roles if not other.leaving and other is not role]
    if service.state not in (S.RUNNING, S.WARNING) or is_needed or not staying:
        return service
    return service.with_role(replace(role, leaving=True))


def switched_off(world: World, role: Role) -> Service:
    """Somebody has one of its machines suspended."""
    running = [node for node in role.living if world.machines.get(node.vm_id) is N.RUNNING]
    if not running:
        return world.service
    world.machines[running[0].vm_id] = N.OFF
    nodes = tuple(replace(node, resting=node is running[0] or node.resting) for node in role.nodes)
    return world.service.with_role(replace(role, nodes=nodes))


def copy(world: World) -> World:
    other = World(world.service)
    other.machines, other.made, other.now = dict(world.machines), list(world.made), world.now
    return other
