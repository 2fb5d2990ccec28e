"""What is added, kept and removed, and why; and which hosts go first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecore.errors import InvalidInput
from onecore.machines.model import Wanted
from oneprovision import planner
from oneprovision.model.context import Context
from oneprovision.model.evaluate import evaluate
from oneprovision.model.provision import ObjectKind, OnFailure
from oneprovision.model.spec import HostSpec
from oneprovision.planner import Action, Change, Victim
from tests.oneprovision.builders import a_host, a_machine, an_object
from tests.oneprovision.model.builders import a_context, a_template

TEMPLATE = """
name: web
hosts: [{provision: {count: 2}}]
datastores: [{name: images, ds_mad: fs, tm_mad: ssh}]
networks: [{name: lan, vn_mad: vxlan}]
"""
EMPTY, BUSY, UNKNOWN = (), ("7", "8"), None
VICTIMS = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from([EMPTY, BUSY, UNKNOWN])),
    max_size=12,
    unique_by=lambda v: v[0],
).map(lambda chosen: [a_victim(number, work) for number, work in chosen])
RANK: dict[tuple[str, ...] | None, int] = {EMPTY: 0, UNKNOWN: 1, BUSY: 2}


def a_spec():
    context: Context = a_context(clusters=({"id": 0},), datastores=({"id": 0},), networks=({"id": 0},))
    return evaluate(a_template(TEMPLATE), context)


def a_victim(number: int, work: tuple[str, ...] | None = EMPTY) -> Victim:
    return Victim(a_host(number), a_machine(number), work)


def some_hosts(*names: str) -> list[HostSpec]:
    (pattern, *_) = a_spec().hosts
    return [HostSpec(**{**vars(pattern), "name": name}) for name in names]


# -- adding ------------------------------------------------------------------------------------------------


def test_everything_of_a_new_provision_is_added_the_cluster_first():
    changes = planner.plan_objects(a_spec(), [])
    assert [str(change) for change in changes] == [
        "add cluster web: in the template",
        "add datastore images: in the template",
        "add network lan: in the template",
        "add host web-0: in the template",
        "add host web-1: in the template",
    ]


def test_what_is_recorded_is_kept_with_its_number():
    recorded = [an_object(4, ObjectKind.CLUSTER, name="web"), an_object(9, name="web-1")]
    changes = planner.plan_objects(a_spec(), recorded)
    kept = [change for change in changes if change.action is Action.KEEP]
    assert [(change.kind, change.id) for change in kept] == [("cluster", 4), ("host", 9)]
    assert str(kept[1]) == "keep host 9 web-1: recorded already"


def test_a_name_counts_within_its_kind_only():
    changes = planner.plan_objects(a_spec(), [an_object(4, ObjectKind.HOST, name="lan")])
    assert all(change.action is Action.ADD for change in changes)


def test_more_hosts_leave_the_old_ones_alone():
    changes = planner.plan_hosts([a_host(0), a_host(1)], some_hosts("web-2"))
    assert changes == [
        Change(Action.KEEP, "host", "web-0", "not named", 0),
        Change(Action.KEEP, "host", "web-1", "not named", 1),
        Change(Action.ADD, "host", "web-2", "asked for"),
    ]


def test_a_name_that_is_taken_is_refused_with_the_way_out():
    with pytest.raises(InvalidInput, match="'web-1' is taken by host 1") as refused:
        planner.plan_hosts([a_host(1)], some_hosts("web-1"))
    assert "${index}" in refused.value.hint


@given(st.sets(st.integers(0, 100), max_size=10), st.integers(1, 20))
def test_new_numbers_are_above_every_old_one(used, amount):
    hosts = [a_host(number, body={"index": number}) for number in used]
    indexes = planner.next_indexes(hosts, amount)
    assert len(indexes) == amount
    assert min(indexes) == max(used, default=-1) + 1


# -- removing ----------------------------------------------------------------------------------------------


def test_empty_hosts_go_first_and_the_newest_of_them():
    candidates = [a_victim(0), a_victim(1, BUSY), a_victim(2), a_victim(3, UNKNOWN), a_victim(4, BUSY)]
    chosen = planner.choose_victims(candidates, 5)
    assert [(victim.host.id, why) for victim, why in chosen] == [
        (2, "empty, and the newest"),
        (0, "empty, and the newest"),
        (3, "newest of those whose work is not known"),
        (4, "newest of those with work (2 VMs)"),
        (1, "newest of those with work (2 VMs)"),
    ]


@given(VICTIMS, st.data())
def test_nobody_stays_who_would_have_been_a_better_choice(candidates, data):
    amount = data.draw(st.integers(0, len(candidates)))
    chosen = [victim for victim, _ in planner.choose_victims(candidates, amount)]
    left = [victim for victim in candidates if victim not in chosen]
    assert len(chosen) == amount

    def worth(victim: Victim) -> tuple[int, int]:
        return RANK[victim.work], -victim.host.id

    assert not chosen or not left or max(map(worth, chosen)) < min(map(worth, left))


@given(VICTIMS, st.randoms())
def test_the_choice_does_not_depend_on_the_order_of_the_candidates(candidates, chance):
    shuffled = list(candidates)
    chance.shuffle(shuffled)
    half = len(candidates) // 2
    assert planner.choose_victims(candidates, half) == planner.choose_victims(shuffled, half)


def test_more_than_there_are_cannot_go():
    with pytest.raises(InvalidInput, match="cannot remove 3 hosts of 2") as refused:
        planner.choose_victims([a_victim(0), a_victim(1)], 3)
    assert "deprovision" in refused.value.hint


def test_named_hosts_come_in_the_order_of_their_numbers():
    victims = planner.victims_by_id([a_host(3), a_host(4), a_host(7)], [7, 3], "provision 0")
    assert [victim.host.id for victim in victims] == [3, 7]


@given(st.sets(st.integers(0, 20)), st.sets(st.integers(0, 20)))
def test_hosts_of_others_are_refused_all_together(own, named):
    hosts = [a_host(number) for number in own]
    strangers = named - own
    if not strangers:
        assert {v.host.id for v in planner.victims_by_id(hosts, named, "provision 3")} == named
        return
    with pytest.raises(InvalidInput) as refused:
        planner.victims_by_id(hosts, named, "provision 3")
    listed = ", ".join(map(str, sorted(strangers)))
    assert refused.value.message == f"provision 3 has no host {listed}; nothing was changed"


def test_the_plan_of_a_removal_names_who_goes_and_who_stays():
    changes = planner.removal([(a_victim(1), "named")], [a_host(0), a_host(1)])
    assert [str(change) for change in changes] == [
        "remove host 1 web-1: named",
        "keep host 0 web-0: not chosen",
    ]


@pytest.mark.parametrize(
    ("metrics", "work"),
    [
        ({"VMS": "7,8"}, ("7", "8")),
        ({"VMS": " 7 , 8 ,"}, ("7", "8")),
        ({"VMS": ""}, ()),
        ({"CPU": "5"}, ()),
        ({}, ()),
    ],
)
def test_what_the_driver_reports_to_run_on_a_host(metrics, work):
    assert planner.running_work(a_machine(metrics=metrics)) == work


def test_on_a_host_without_a_machine_runs_nothing():
    assert planner.running_work(None) == ()


def test_only_known_work_is_named():
    assert planner.unmanaged([a_victim(1, BUSY), a_victim(2), a_victim(3, UNKNOWN)]) == {"1": ["7", "8"]}


# -- failures ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preferences", "working", "choice"),
    [
        ([OnFailure.QUIT], 5, OnFailure.QUIT),
        ([OnFailure.SKIP], 5, OnFailure.SKIP),
        ([OnFailure.SKIP], 0, OnFailure.QUIT),
        ([OnFailure.SKIP, OnFailure.CLEANUP], 0, OnFailure.CLEANUP),
        ([OnFailure.CLEANUP, OnFailure.SKIP], 5, OnFailure.CLEANUP),
        ([], 5, OnFailure.QUIT),
    ],
)
def test_what_is_done_when_some_failed_for_good(preferences, working, choice):
    assert planner.after_failures(preferences, working) is choice


def test_the_same_trouble_of_many_is_said_once():
    text = planner.summary((a_machine(n), "no room") for n in range(7))
    assert text == "web-0, web-1, web-2, web-3, web-4 and 2 more: no room"


def test_several_troubles_are_said_one_after_the_other_up_to_a_limit():
    text = planner.summary((a_machine(n), f"trouble {n}") for n in range(7))
    assert text.startswith("web-0: trouble 0; web-1: trouble 1; ")
    assert text.endswith("; and 2 more")


def test_trouble_that_differs_by_the_name_of_the_machine_only_is_the_same():
    problems = [(m, f"dummy deploy of {m.label}: {m.name} is refused") for m in (a_machine(0), a_machine(1))]
    assert planner.summary(problems) == "web-0, web-1: dummy deploy: … is refused"


@pytest.mark.parametrize(("count", "last"), [(40, "line 39"), (41, "... and 1 more")])
def test_a_long_plan_is_cut(count, last):
    lines = planner.cut([f"line {n}" for n in range(count)])
    assert lines[-1] == last
    assert len(lines) <= 41


def test_what_could_not_be_removed_is_named_with_its_reason():
    left = a_machine(0, wanted=Wanted.ABSENT, deploy_id="id-0")
    kept = a_machine(1)
    lost = a_machine(2, wanted=Wanted.ABSENT)
    assert planner.leftovers([left, kept, lost], {0: "no answer", 2: "its end is unknown"}) == [
        f"machine {left.name} of dummy (id-0): no answer",
        f"machine {lost.name} of dummy (no deploy id): its end is unknown",
    ]
