"""The life cycle of services, looked at step by step in a simulated world."""

import random
from dataclasses import replace

import pytest

from onecore.errors import WrongState
from oneflow.lifecycle import requests
from oneflow.model.service import NodeStatus, Timeouts
from oneflow.model.states import Event, RoleState, ServiceState
from tests.oneflow.lifecycle_world import World, a_role, a_service, running

S, R, N = ServiceState, RoleState, NodeStatus


def test_without_order_every_role_starts_at_once():
    world = World(a_service(a_role("a", 2), a_role("b", 1, ("a",))))
    world.look()
    assert world.made == [("a", 0), ("a", 1), ("b", 0)]


def test_straight_children_wait_until_their_parents_run():
    world = World(a_service(a_role("front", 1), a_role("worker", 2, ("front",)), straight=True))
    world.look()
    assert world.made == [("front", 0)]
    assert world.states == {"front": R.DEPLOYING, "worker": R.PENDING}
    world.progress()
    world.look()
    assert world.made == [("front", 0), ("worker", 0), ("worker", 1)]


def test_straight_shutdown_is_reversed():
    roles = (
        a_role("mysql"),
        a_role("nfs"),
        a_role("kvm", 1, ("nfs",)),
        a_role("frontend", 1, ("mysql", "kvm", "nfs")),
    )
    world = running(*roles, straight=True)
    world.service = requests.undeploy(world.service, world.now)
    order = []
    while world.state is not S.DONE:
        world.look()
        order.append(sorted(name for name, state in world.states.items() if state is R.UNDEPLOYING))
        world.progress()
    assert [step for step in order if step] == [["frontend"], ["kvm", "mysql"], ["nfs"]]
    assert world.machines == {}


def test_a_role_without_machines_runs_at_once():
    assert running(a_role("empty", 0)).states == {"empty": R.RUNNING}


def test_a_machine_that_is_not_ready_is_waited_for():
    world = World(a_service())
    world.look()
    world.machines[0] = N.WAITING
    assert world.look().wake_at == 1000.0 + Timeouts().deploy_s
    assert world.is_in(S.DEPLOYING)


def test_a_deadline_ends_the_wait():
    world = World(a_service(timeouts=Timeouts(deploy_s=60)))
    world.look()
    world.now += 60
    world.look()
    assert (world.state, world.states) == (S.FAILED_DEPLOYING, {"web": R.FAILED_DEPLOYING})
    assert "deadline" in " ".join(world.reasons)


def test_recover_replaces_what_failed_and_keeps_what_runs():
    world = World(a_service(a_role("web", 2)))
    world.look()
    world.machines = {0: N.FAILED, 1: N.RUNNING}
    world.look()
    assert world.is_in(S.FAILED_DEPLOYING)
    world.recover()
    world.settle()
    assert world.is_in(S.RUNNING)
    assert world.removed == [0]
    assert sorted(world.machines) == [1, 2]


def test_a_running_service_warns_and_heals():
    world = running(a_role("web", 2))
    world.machines[0] = N.OFF
    world.look()
    assert (world.state, world.states["web"]) == (S.WARNING, R.WARNING)
    world.machines[0] = N.RUNNING
    world.look()
    assert (world.state, world.states["web"]) == (S.RUNNING, R.RUNNING)


def test_one_well_machine_does_not_heal_a_role_of_which_another_is_off():
    world = running(a_role("web", 3))
    world.machines.update({0: N.OFF, 1: N.OFF})
    world.look()
    world.machines[0] = N.RUNNING
    world.look()
    assert world.is_in(S.WARNING)


def test_warning_can_be_recovered():
    world = running(a_role("web", 2))
    world.machines[0] = N.FAILED
    world.look()
    world.recover()
    world.settle()
    assert world.is_in(S.RUNNING)
    assert len(world.machines) == 2


def test_a_machine_removed_by_somebody_is_no_longer_wanted():
    world = running(a_role("web", 2))
    del world.machines[0]
    world.look()
    role = world.service.role("web")
    assert role is not None
    assert (role.cardinality, role.disposed_nodes, len(world.machines)) == (1, (0,), 1)


@pytest.mark.parametrize(("wanted", "victims"), [(4, []), (1, [0]), (0, [0, 1])])
def test_scaling_adds_machines_and_removes_the_oldest(wanted: int, victims: list[int]):
    world = running(a_role("web", 2))
    world.service = requests.scale(world.service, "web", wanted, 0, world.now)
    world.settle()
    assert (world.state, len(world.machines), world.removed) == (S.RUNNING, wanted, victims)


def test_numbers_of_machines_are_never_given_twice():
    world = running(a_role("web", 2))
    for wanted in (1, 3, 0, 2):
        world.service = requests.scale(world.service, "web", wanted, 0, world.now)
        world.settle()
    numbers = [number for _, number in world.made]
    assert numbers == list(range(len(numbers)))


def test_a_scale_may_change_its_mind_while_under_way():
    world = running(a_role("web", 1))
    world.service = requests.scale(world.service, "web", 20, 0, world.now)
    world.look()
    world.service = requests.scale(world.service, "web", 2, 0, world.now)
    world.settle()
    assert (world.state, len(world.machines)) == (S.RUNNING, 2)


def test_a_scale_that_fails_can_be_taken_back():
    world = running(a_role("web", 1))
    world.service = requests.scale(world.service, "web", 2, 0, world.now)
    world.look()
    world.machines[1] = N.FAILED
    world.look()
    assert world.is_in(S.FAILED_SCALING)
    world.service = requests.scale(world.service, "web", 1, 0, world.now)
    world.settle()
    assert (world.state, len(world.machines)) == (S.RUNNING, 1)


def test_cooldown_ends_at_its_stored_time():
    world = running(a_role("web", 1))
    world.service = requests.scale(world.service, "web", 2, 30, world.now)
    world.settle()
    assert world.is_in(S.COOLDOWN)
    assert world.look().wake_at == world.now + 30
    world.now += 30
    world.look()
    assert world.is_in(S.RUNNING)


def test_held_services_wait_for_their_release():
    world = World(a_service(on_hold=True))
    world.look()
    assert (world.state, world.made) == (S.HOLD, [])
    world.service = requests.release(world.service, world.now)
    world.settle()
    assert world.is_in(S.RUNNING)


def test_a_chain_of_held_roles_is_released_role_by_role():
    roles = [a_role("a", on_hold=True), a_role("b", 1, ("a",), on_hold=True), a_role("c", 1, ("b",))]
    world = World(a_service(*roles, straight=True))
    world.settle()
    for _ in ("a", "b"):
        world.service = requests.release(world.service, world.now)
        world.settle()
    assert (world.state, set(world.states.values())) == (S.RUNNING, {R.RUNNING})


def test_children_of_a_held_role_are_held_and_the_others_begin():
    held, child = a_role("a", on_hold=True), a_role("b", 1, ("a",))
    world = World(a_service(held, child, a_role("c"), a_role("d", 1, ("c",)), straight=True))
    world.settle()
    assert world.states == {"a": R.HOLD, "b": R.PENDING, "c": R.RUNNING, "d": R.RUNNING}
    assert world.is_in(S.HOLD)
    world.service = requests.release(world.service, world.now)
    world.settle()
    assert world.is_in(S.RUNNING)


def test_roles_that_run_in_a_held_service_are_watched_and_recovered():
    world = World(a_service(a_role("a"), a_role("b", on_hold=True)))
    world.settle()
    with pytest.raises(WrongState, match="every role that does not wait is well"):
        world.recover()
    world.machines[0] = N.FAILED
    world.look()
    assert (world.state, world.states["a"]) == (S.HOLD, R.WARNING)
    world.recover()
    world.settle()
    assert (world.state, world.states) == (S.HOLD, {"a": R.RUNNING, "b": R.HOLD})


def test_a_role_that_cannot_be_removed_from_a_service_that_stays_warns_and_is_recovered():
    world = running(a_role("a"), a_role("b", 2))
    role = world.service.role("b")
    assert role is not None
    world.service = world.service.with_role(replace(role, leaving=True))
    world.look()
    world.machines[1] = N.STUCK
    world.progress()
    world.look()
    assert (world.state, world.states) == (S.WARNING, {"a": R.RUNNING, "b": R.FAILED_UNDEPLOYING})
    assert "role b could not be removed" in world.reasons[-1]
    world.machines[1] = N.LEAVING
    world.recover()
    world.settle()
    assert (world.state, world.states) == (S.RUNNING, {"a": R.RUNNING})


def test_a_role_goes_on_leaving_while_another_is_added():
    world = running(a_role("a"), a_role("b", 2))
    role = world.service.role("b")
    assert role is not None
    service = world.service.with_role(replace(role, leaving=True))
    world.service = replace(service, roles=(*service.roles, a_role("c", 2))).moved(Event.DEPLOY)
    world.settle()
    assert (world.state, world.states) == (S.RUNNING, {"a": R.RUNNING, "c": R.RUNNING})


def test_a_machine_that_was_switched_off_by_our_word_is_well_and_stays_off():
    world = running(a_role("web", 2), a_role("db", 1))
    role = world.service.role("web")
    assert role is not None
    world.service = world.service.with_role(
        replace(role, nodes=(replace(role.nodes[0], resting=True), role.nodes[1]))
    )
    world.machines[0] = N.OFF
    world.settle()
    assert (world.state, world.states["web"]) == (S.RUNNING, R.RUNNING)
    world.service = requests.scale(world.service, "web", 3, 0, world.now)
    world.settle()
    assert (world.state, world.machines[0]) == (S.RUNNING, N.OFF)


def test_a_service_ends_only_when_every_machine_is_gone():
    world = running(a_role("web", 3))
    world.service = requests.undeploy(world.service, world.now)
    world.look()
    world.machines[1] = N.STUCK
    world.progress()
    world.look()
    assert world.is_in(S.FAILED_UNDEPLOYING)
    assert world.machines == {1: N.STUCK}
    world.machines[1] = N.LEAVING
    world.recover()
    world.settle()
    assert (world.state, world.machines) == (S.DONE, {})


def test_automatic_deletion_follows_the_last_machine():
    world = running(a_role("web", 1), automatic_deletion=True)
    world.machines.clear()
    world.settle()
    assert world.is_in(S.DONE)


def test_a_removed_role_goes_and_the_others_stay():
    world = running(a_role("a"), a_role("b", 2))
    role = world.service.role("b")
    assert role is not None
    world.service = world.service.with_role(replace(role, leaving=True))
    world.settle()
    assert (list(world.states), len(world.machines)) == (["a"], 1)


def test_an_added_role_is_deployed():
    world = running(a_role("a"))
    world.service = replace(world.service, roles=(*world.service.roles, a_role("b", 2))).moved(Event.DEPLOY)
    world.settle()
    assert (world.state, len(world.machines)) == (S.RUNNING, 3)


@pytest.mark.parametrize("first", range(0, 2000, 100))
def test_when_faults_stop_every_service_settles_with_its_wanted_machines(first: int):
    for seed in range(first, first + 100):
        settles(random.Random(seed))


def settles(chance: random.Random) -> None:
    roles = [a_role("a", chance.randrange(4)), a_role("b", chance.randrange(4), ("a",))]
    world = World(a_service(*roles, straight=chance.random() < 0.5))
    for _ in range(40):
        world.now += chance.choice((0, 1, 3600))
        disturb(world, chance)
        world.look()
        if chance.random() < 0.6:
            world.progress()
    come_to_rest(world)
    wanted = {role.name: role.cardinality for role in world.service.roles}
    made = [world.made[vm_id][0] for vm_id in world.machines]
    if world.is_in(S.DONE):
        assert world.machines == {}
    else:
        assert world.is_in(S.RUNNING)
        assert {name: made.count(name) for name in wanted} == wanted


def disturb(world: World, chance: random.Random) -> None:
    """A machine fails, vanishes, is switched off; or a user asks for something that may be legal now."""
    for vm_id, status in list(world.machines.items()):
        if status in (N.LEAVING, N.STUCK):
            world.machines[vm_id] = N.STUCK if chance.random() < 0.2 else status
        elif chance.random() < 0.1:
            world.machines[vm_id] = chance.choice((N.FAILED, N.OFF))
        elif chance.random() < 0.03:
            del world.machines[vm_id]
    ask(world, chance)


def ask(world: World, chance: random.Random) -> None:
    try:
        match chance.randrange(8):
            case 0:
                name = chance.choice(world.service.roles).name
                world.service = requests.scale(world.service, name, chance.randrange(5), 5, world.now)
            case 1:
                world.recover()
            case 2 if chance.random() < 0.1:
                world.service = requests.undeploy(world.service, world.now)
    except WrongState:
        pass  # the table says that it cannot be asked now


def come_to_rest(world: World) -> None:
    """No more faults: machines heal or can be removed, and the user recovers what failed."""
    for _ in range(60):
        for vm_id, status in world.machines.items():
            if status in (N.OFF, N.STUCK):
                leaving = {n.vm_id for r in world.service.roles for n in r.nodes if n.leaving}
                world.machines[vm_id] = N.LEAVING if vm_id in leaving else N.RUNNING
        world.now += 10
        world.look()
        world.progress()
        if world.service.state.name.startswith("FAILED_") or world.is_in(S.WARNING):
            world.recover()
