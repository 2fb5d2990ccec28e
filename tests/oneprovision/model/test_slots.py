"""Which things of a state belong to which host, and which plans are refused."""

import pytest

from onecore.tofu_output import Action, Change, Heard, Instance, State, split
from oneprovision.engines.verdicts import Fate, Report
from oneprovision.model.slots import (
    Intent,
    Picture,
    counted_resources,
    half_made,
    picture,
    targets,
    violations,
)

HOST = "module.host.aws_instance.host"
DISK = "module.host.aws_ebs_volume.disk"
COUNTED = (HOST, DISK, "aws_placement_group.one")


def instance(address: str, tainted: bool = False, **values: object) -> Instance:
    return Instance(address, split(address)[0].split(".")[-2], tainted, values)


def a_state(*slots: int, listed: tuple[int, ...] | None = None, further: tuple[Instance, ...] = ()) -> State:
    """Hosts with a disk each, a thing that only the first host's index names, and a network."""
    things = [instance(f"{HOST}[{n}]", id=f"i-{n}") for n in slots]
    things += [instance(f"{DISK}[{n}]", id=f"vol-{n}") for n in slots]
    things += [instance("aws_placement_group.one[0]", id="pg"), instance("aws_vpc.main", id="vpc")]
    outputs = [{"instance_id": f"i-{n}", "instance_ip": f"192.0.2.{n}"} for n in listed or slots]
    return State(1, "l", (*things, *further), {"provisioned_hosts": outputs})


def seen(*slots: int, **options: object) -> Picture:
    return picture(a_state(*slots, **options), COUNTED)  # type: ignore[arg-type]


def change(action: Action, address: str) -> Change:
    return Change(address, split(address)[0].split(".")[-2], action)


def test_a_host_is_what_carries_its_id_with_all_of_its_index():
    assert [i.address for i in seen(0, 1, 3).parts(3)] == [f"{HOST}[3]", f"{DISK}[3]"]
    assert seen(0, 1, 3).slots == {0, 1, 3}


def test_what_has_one_instance_for_many_hosts_is_shared():
    """`count = hosts > 0 ? 1 : 0` depends on the number of hosts, and is none of them."""
    assert not seen(0, 1).belongs("aws_placement_group.one")
    assert [i.address for i in seen(0, 1).parts(0)] == [f"{HOST}[0]", f"{DISK}[0]"]


def test_an_old_output_names_no_host_that_is_gone():
    assert set(seen(2, 3, listed=(0, 1, 2, 3)).hosts) == {2, 3}


def test_a_disk_without_its_host_is_no_host():
    left = seen(1, 2, further=(instance(f"{DISK}[0]", id="vol-0"),))
    assert not left.exists(0)
    assert left.slots == {1, 2}


def test_a_driver_whose_hosts_are_in_no_state_is_counted_by_place():
    outputs = {"provisioned_hosts": [{"instance_id": f"h{n}", "instance_ip": f"10.0.0.{n}"} for n in (1, 2)]}
    assert set(picture(State(outputs=outputs)).hosts) == {0, 1}


def test_adopted_machines_are_known_by_address():
    thing = instance('null_resource.host["192.0.2.7"]', triggers={"instance_id": "onprem-7"})
    outputs = {"provisioned_hosts": [{"instance_id": "onprem-7", "instance_ip": "192.0.2.7"}]}
    assert set(picture(State(1, "l", (thing,), outputs), by_ip=True).hosts) == {"192.0.2.7"}


def test_an_entry_of_a_hole_is_no_host():
    state = a_state(1)
    holes = [{"instance_id": None, "instance_ip": None}, {"instance_id": "i-1", "instance_ip": "192.0.2.1"}]
    assert set(picture(State(1, "l", state.instances, {"provisioned_hosts": holes})).hosts) == {1}


REFUSED = [
    (Action.DELETE, f"{HOST}[3]", Intent(making=frozenset({4})), "this host was not named"),
    (Action.REPLACE, f"{HOST}[1]", Intent(making=frozenset({4})), "this host was not named"),
    (Action.FORGET, f"{HOST}[1]", Intent(removing=frozenset({0})), "this host was not named"),
    (Action.CREATE, f"{HOST}[5]", Intent(making=frozenset({4})), "nobody asked for this host"),
    (Action.DELETE, "aws_vpc.main", Intent(removing=frozenset({0})), "hosts share it"),
    (Action.REPLACE, "aws_vpc.main", Intent(making=frozenset({4})), "hosts share it"),
    (Action.DELETE, "aws_placement_group.one[0]", Intent(removing=frozenset({0})), "hosts share it"),
    (Action.CREATE, "aws_vpc.main", Intent(removing=frozenset({0})), "hosts were to be removed only"),
    (Action.UPDATE, f"{HOST}[0]", Intent(everything=True), "everything was to be removed"),
]


@pytest.mark.parametrize(("action", "address", "intent", "why"), REFUSED)
def test_what_was_not_asked_for_is_refused_by_name(action, address, intent, why):
    assert violations([change(action, address)], intent, seen(0, 1, 3)) == [f"{action} {address}: {why}"]


ALLOWED = [
    (Action.CREATE, f"{HOST}[4]", Intent(making=frozenset({4}))),
    (Action.REPLACE, f"{HOST}[3]", Intent(making=frozenset({3}))),
    (Action.CREATE, "aws_eip.shared", Intent(making=frozenset({4}))),
    (Action.UPDATE, "aws_vpc.main", Intent(making=frozenset({4}))),
    (Action.REPLACE, "local_file.hosts", Intent(making=frozenset({4}))),
    (Action.DELETE, f"{HOST}[0]", Intent(removing=frozenset({0}))),
    (Action.DELETE, f"{DISK}[0]", Intent(removing=frozenset({0}))),
    (Action.DELETE, f"{DISK}[7]", Intent(removing=frozenset({0}))),
    (Action.DELETE, "aws_vpc.main", Intent(everything=True)),
]


@pytest.mark.parametrize(("action", "address", "intent"), ALLOWED)
def test_what_was_asked_for_is_done(action, address, intent):
    assert violations([change(action, address)], intent, seen(0, 1, 3)) == []


def test_before_the_first_host_only_what_was_asked_for_is_made():
    nothing = picture(State(), COUNTED)
    plan = [change(Action.CREATE, f"{HOST}[{n}]") for n in (0, 1)] + [change(Action.CREATE, "aws_vpc.main")]
    assert violations(plan, Intent(making=frozenset({0, 1})), nothing) == []
    assert len(violations(plan, Intent(making=frozenset({0})), nothing)) == 1


def test_a_plan_is_restricted_to_what_is_to_be_made():
    plan = [change(Action.CREATE, f"{HOST}[{n}]") for n in (2, 4)]
    assert targets(plan, {4}, seen(0, 1, 3)) == [f"{HOST}[4]"]


def test_what_depends_on_the_number_of_hosts_is_found_through_modules():
    refs = {"references": ["var.amount"]}
    module = {
        "resources": [
            {"address": "aws_instance.host", "count_expression": refs},
            {"address": "aws_eip.ip", "for_each_expression": {"references": ["aws_instance.host"]}},
            {"address": "aws_key_pair.key"},
        ]
    }
    expressions = {"amount": {"references": ["var.oneform_hosts"]}, "tag": {"references": ["var.tags"]}}
    configuration = {
        "root_module": {
            "resources": [{"address": "aws_vpc.main", "count_expression": {"constant_value": 1}}],
            "module_calls": {
                "host": {"expressions": expressions, "module": module},
                "each": {
                    "count_expression": {"references": ["var.oneform_hosts"]},
                    "module": {"resources": [{"address": "aws_instance.m"}]},
                },
            },
        }
    }
    assert counted_resources(configuration, ("oneform_hosts",)) == {
        "module.host.aws_instance.host",
        "module.host.aws_eip.ip",
        "module.each.aws_instance.m",
    }


def begun(address: str, kind: str = "apply_start") -> Heard:
    return Heard(kind, address=address, action="create")


def test_what_began_and_did_not_end_is_half_made():
    log = [begun(f"{HOST}[0]"), begun(f"{HOST}[1]"), begun(f"{HOST}[0]", "apply_complete")]
    assert [h.address for h in half_made(log)] == [f"{HOST}[1]"]


FATES = [
    ("whole", seen(0), [begun(f"{HOST}[0]"), begun(f"{HOST}[0]", "apply_complete")], Fate.MADE),
    ("in the state, and its end was not told", seen(0), [begun(f"{HOST}[0]")], Fate.REFUSED),
    ("in no state, and its end was not told", seen(1), [begun(f"{HOST}[0]")], Fate.LOST),
    ("never begun", seen(1), [], Fate.REFUSED),
    ("in no state, and there is no log", seen(1), None, Fate.LOST),
    ("in the state, and there is no log", seen(0), None, Fate.REFUSED),
]  # fmt: skip


@pytest.mark.parametrize(("what", "after", "heard", "fate"), FATES)
def test_the_fate_of_a_host_that_was_to_be_made(what, after, heard, fate):
    assert Report(after, heard).made(0).fate is fate, what


def test_what_is_half_made_in_the_state_is_made_anew():
    assert Report(seen(0, 1), [begun(f"{HOST}[1]")]).to_taint([0, 1]) == [f"{HOST}[1]"]
    assert Report(seen(0, 1), None).to_taint([1]) == [f"{HOST}[1]", f"{DISK}[1]"]
