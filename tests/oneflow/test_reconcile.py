"""What becomes of services as their machines, their VMs and people do what they do."""

from dataclasses import replace

import pytest

from onecore.errors import InvalidInput, NotFound
from onecore.machines import power
from onecore.machines.model import State
from oneflow import store
from oneflow.model.document import Kind
from oneflow.model.states import ServiceState
from oneflow.usecases import jobs, roles, services, templates
from oneflow.usecases.services import Scale
from tests.oneflow.builders import a_role, a_template
from tests.oneflow.world import World

S = ServiceState
POLICY = {
    "type": "CHANGE",
    "adjust": 1,
    "expression": "CUSTOM_ATT > 40",
    "period": 3,
    "period_number": 3,
    "cooldown": 30,
}


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def deployed(world: World, *given, **fields) -> World:
    templates.create(world.deps, a_template(*given, **fields))
    templates.instantiate(world.deps, 0)
    world.settle()
    return world


def elastic(world: World, **fields) -> World:
    role = a_role(min_vms=1, max_vms=4, elasticity_policies=[{**POLICY, **fields}])
    return deployed(world, role)


def test_a_service_runs_when_its_machines_do(world):
    deployed(
        world, a_role("front"), a_role("worker", cardinality=2, parents=["front"]), deployment="straight"
    )
    assert world.state() is S.RUNNING
    assert len(world.exists) == 3
    assert world.log()[:2] == ["New state: PENDING", "New state: DEPLOYING"]
    assert world.log()[-1] == "New state: RUNNING"


def test_vms_are_named_and_numbered_as_in_the_specification(world):
    deployed(world, a_role("frontend", cardinality=2))
    labels = sorted(machine.label for machine in world.machines.values())
    assert labels == ["frontend_0_(service_0)", "frontend_1_(service_0)"]
    assert world.role("frontend")["last_vmname"] == 2


def test_with_the_gate_a_service_waits_for_ready(world):
    templates.create(world.deps, a_template(ready_status_gate=True))
    templates.instantiate(world.deps, 0)
    for _ in range(5):
        world.look()
        world.progress()
    assert world.state() is S.DEPLOYING
    world.report(0, READY="YES")
    world.look()
    assert world.state() is S.RUNNING


def test_ready_that_comes_before_we_see_the_machine_run_counts(world):
    templates.create(world.deps, a_template(ready_status_gate=True))
    templates.instantiate(world.deps, 0)
    world.look()
    world.progress()
    world.progress()
    assert world.of_vm(0).state is State.BOOTING
    world.report(0, READY="YES")
    world.look()
    world.progress()
    world.look()
    assert world.state() is S.RUNNING


def test_ready_is_forgotten_when_the_machine_is_powered_off(world):
    templates.create(world.deps, a_template(ready_status_gate=True))
    templates.instantiate(world.deps, 0)
    for _ in range(5):
        world.look()
        world.progress()
    world.report(0, READY="YES")
    world.look()
    world.health(0, State.OFF)
    world.look()
    world.health(0, State.READY)
    world.look()
    assert world.state() is S.WARNING


def test_three_periods_above_the_threshold_scale_up_then_it_cools_down_then_it_runs(world):
    elastic(world)
    world.look()
    asked_at = world.clock.at
    world.report(0, CUSTOM_ATT="50")
    while world.state() is S.RUNNING:
        world.clock.at += 1
        world.look()
    assert 9 - 3 <= world.clock.at - asked_at <= 9 + 1
    assert (world.state(), world.role()["cardinality"]) == (S.SCALING, 2)
    assert "Role web scaling up from 1 to 2 nodes" in world.log()
    for _ in range(4):
        world.look()
        world.progress()
    assert world.state() is S.COOLDOWN
    assert len(world.exists) == 2
    world.clock.at += 30
    world.look()
    assert world.state() is S.RUNNING


def test_nothing_fires_while_no_vm_reports_the_attribute(world):
    elastic(world)
    for _ in range(20):
        world.clock.at += 3
        world.look()
    assert (world.state(), world.role()["cardinality"]) == (S.RUNNING, 1)


def test_the_oldest_leave_first_unless_another_order_is_asked_for(world):
    deployed(world, a_role("old", cardinality=3), a_role("new", cardinality=3, victims="newest"))
    before = world.vm_ids("old"), world.vm_ids("new")
    for name in ("old", "new"):
        services.scale(world.deps, 0, Scale(name, 2))
        world.settle()
        world.clock.at += 300
        world.settle()
    assert world.vm_ids("old") == before[0][1:]
    assert world.vm_ids("new") == before[1][:2]


def test_the_vms_that_are_named_leave_first(world):
    deployed(world, a_role(cardinality=3))
    services.scale(world.deps, 0, Scale("web", 1, victims=(1,)))
    world.settle()
    assert world.vm_ids() == [2]
    with pytest.raises(InvalidInput, match="role web has no VM 1"):
        services.scale(world.deps, 0, Scale("web", 0, victims=(1,)))


def test_a_vm_that_drains_is_removed_when_it_says_so(world):
    deployed(world, a_role(cardinality=2, drain_timeout=100))
    services.scale(world.deps, 0, Scale("web", 1))
    for _ in range(10):
        world.look()
        world.progress()
    assert (world.state(), len(world.exists)) == (S.SCALING, 2)
    world.report(0, DRAINED="YES")
    for _ in range(3):
        world.look()
        world.progress()
    assert (world.state(), world.exists) == (S.COOLDOWN, {1})


def test_a_vm_that_never_drains_is_removed_at_its_deadline(world):
    deployed(world, a_role(cardinality=2, drain_timeout=5))
    services.scale(world.deps, 0, Scale("web", 1))
    for _ in range(10):
        world.look()
        world.progress()
    assert (world.state(), len(world.exists)) == (S.COOLDOWN, 1)


def test_a_machine_that_cannot_be_made_fails_the_deployment_and_recover_takes_another(world):
    world.stubborn = {0}
    deployed(world)
    assert world.state() is S.FAILED_DEPLOYING
    services.recover(world.deps, 0)
    world.settle()
    assert (world.state(), world.exists) == (S.RUNNING, {1})


def test_a_machine_that_went_away_is_no_longer_counted(world):
    deployed(world, a_role(cardinality=2))
    world.vanish(0)
    world.settle()
    assert (world.state(), world.role()["cardinality"], world.exists) == (S.RUNNING, 1, {1})


def test_below_min_vms_one_is_made_anew(world):
    deployed(world, a_role(cardinality=2, min_vms=2, max_vms=3))
    world.vanish(0)
    world.settle()
    assert (world.state(), world.role()["cardinality"], len(world.exists)) == (S.RUNNING, 2, 2)


def test_a_powered_off_machine_is_a_warning_until_it_runs_again(world):
    deployed(world)
    world.health(0, State.OFF)
    world.look()
    assert world.state() is S.WARNING
    world.health(0, State.READY)
    world.look()
    assert world.state() is S.RUNNING


def test_a_machine_that_we_were_told_to_switch_off_is_no_warning_until_it_is_woken(world):
    deployed(world, a_role(cardinality=2))
    acted(world, "poweroff", State.OFF)
    assert (world.state(), marks(world)) == (S.RUNNING, ["1", None])
    acted(world, "resume", State.READY)
    assert (world.state(), marks(world)) == (S.RUNNING, [None, None])
    world.health(0, State.OFF)
    world.look()
    assert world.state() is S.WARNING


def test_what_is_done_to_a_machine_that_rests_does_not_wake_it(world):
    deployed(world)
    acted(world, "poweroff", State.OFF)
    acted(world, "reboot", State.OFF)
    assert (world.state(), marks(world)) == (S.RUNNING, ["1"])


def test_a_machine_that_somebody_woke_elsewhere_rests_no_more(world):
    deployed(world)
    acted(world, "suspend", State.OFF)
    world.health(0, State.READY)
    world.look()
    world.health(0, State.OFF)
    world.look()
    assert (world.state(), marks(world)) == (S.WARNING, [None])


def test_recover_leaves_a_machine_off_that_we_were_told_to_switch_off(world):
    deployed(world, a_role(cardinality=2))
    acted(world, "stop", State.OFF)
    world.health(1, State.BROKEN)
    world.look()
    services.recover(world.deps, 0)
    world.settle()
    assert (world.state(), world.machines_in(State.OFF)) == (S.RUNNING, [0])
    assert world.reconciler.book.orders == []


def test_an_order_to_switch_off_that_failed_leaves_no_mark(world):
    deployed(world)
    failed = power.Order(power.Action.POWER_OFF, phase=power.Phase.OVER, problem="no effect")
    world.reconciler.book.known = lambda owner: dict.fromkeys(world.records(owner), failed)
    acted(world, "poweroff", State.READY)
    assert marks(world) == [None]
    assert "Action:poweroff failed on Role:web VMs:0" in world.log()


def acted(world: World, action: str, then: State) -> None:
    """Somebody asks for it on the first VM alone, whose machine is `then`."""
    jobs.act(world.deps, 0, "web", jobs.Batch(action, period=3600, number=1))
    world.look()
    assert world.state() is S.RUNNING
    [order] = world.reconciler.book.orders
    world.reconciler.book.orders.clear()
    assert (order.vm_id, order.action) == (0, action)
    world.health(0, then)
    world.look()
    with world.deps.database.begin() as tx:
        store.remove_jobs(tx, [job.id for job in store.jobs_of(tx, 0)])


def marks(world: World) -> list[str | None]:
    return [node.get("resting") for node in world.role()["nodes"]]


@pytest.mark.parametrize("cardinality", [1, 3])
def test_vms_that_cannot_even_be_ordered_fail_their_role_and_are_recovered(world, cardinality):
    deployed(world, a_role(cardinality=2, cooldown=0))
    with_template(world, 99)
    services.scale(world.deps, 0, Scale("web", 2 + cardinality))
    world.settle()
    assert (world.state(), len(world.exists)) == (S.FAILED_SCALING, 2)
    assert world.log().count("Role web : Instantiate failed") == 1
    with_template(world, 0)
    services.recover(world.deps, 0)
    world.settle()
    assert (world.state(), len(world.exists)) == (S.RUNNING, 2 + cardinality)


def with_template(world: World, number: int) -> None:
    """Have the role made of another VM template, which stands for whatever keeps VMs from being ordered."""
    with world.deps.database.begin() as tx:
        document = store.get(tx, Kind.SERVICE, 0)
        role = {**document.body["roles"][0], "vm_template": number}
        store.save(tx, replace(document, body={**document.body, "roles": [role]}))


def test_recover_from_warning_replaces_what_is_broken(world):
    deployed(world, a_role(cardinality=2))
    world.health(0, State.BROKEN)
    world.look()
    assert world.state() is S.WARNING
    services.recover(world.deps, 0)
    world.settle()
    assert (world.state(), world.exists) == (S.RUNNING, {1, 2})


def test_shutdown_ends_in_done_and_the_document_stays(world):
    deployed(world, a_role("a"), a_role("b", parents=["a"]), deployment="straight")
    services.shutdown(world.deps, 0)
    world.settle()
    assert (world.state(), world.exists, world.machines) == (S.DONE, set(), {})
    services.delete(world.deps, 0)
    with pytest.raises(NotFound):
        world.body()


def test_delete_removes_the_document_only_when_every_machine_is_gone(world):
    deployed(world, a_role(cardinality=2))
    world.sticky = {1}
    services.delete(world.deps, 0)
    world.settle()
    assert (world.state(), world.exists) == (S.FAILED_UNDEPLOYING, {1})
    world.sticky = set()
    services.recover(world.deps, 0)
    world.settle()
    assert world.exists == set()
    with pytest.raises(NotFound):
        world.body()


def test_a_batch_that_ends_vms_takes_them_group_by_group(world):
    deployed(world, a_role(cardinality=3))
    batch = jobs.Batch("delete", period=60, number=1)
    said = jobs.act(world.deps, 0, "web", batch)
    assert said == "Action:delete scheduled on Role:web VMs:0,1,2"
    for left in (2, 1, 0):
        world.settle()
        assert (len(world.exists), world.role()["cardinality"]) == (left, left)
        world.clock.at += 60


def test_a_role_comes_and_goes_while_the_service_runs(world):
    deployed(world)
    roles.add_role(world.deps, 0, a_role("cache", cardinality=2))
    world.settle()
    assert (world.state(), len(world.exists)) == (S.RUNNING, 3)
    roles.remove_role(world.deps, 0, "cache")
    world.settle()
    assert (world.state(), len(world.exists)) == (S.RUNNING, 1)
    assert [role["name"] for role in world.body()["roles"]] == ["web"]


def test_held_services_begin_when_released(world):
    deployed(world, on_hold=True)
    assert (world.state(), world.exists) == (S.HOLD, set())
    services.release(world.deps, 0)
    world.settle()
    assert (world.state(), len(world.exists)) == (S.RUNNING, 1)
