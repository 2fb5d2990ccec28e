import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecore.errors import InvalidInput
from oneflow.elasticity.victims import Node, VictimPolicy, choose

NODES = (
    Node(12, load=70.0, price=0.5),
    Node(13, load=5.0),
    Node(14, price=2.0),
    Node(15, load=5.0, price=0.5),
)


@pytest.mark.parametrize(
    ("policy", "named", "expected"),
    [
        (VictimPolicy.OLDEST, (), [12, 13, 14]),
        (VictimPolicy.NEWEST, (), [15, 14, 13]),
        (VictimPolicy.LEAST_BUSY, (), [13, 15, 12]),
        (VictimPolicy.MOST_EXPENSIVE, (), [14, 12, 15]),
        (VictimPolicy.NAMED, (15, 13, 14), [15, 13, 14]),
        (VictimPolicy.NAMED, (14, 14), [14, 12, 13]),
        (VictimPolicy.NAMED, (), [12, 13, 14]),
    ],
)
def test_each_policy_has_its_own_order(policy, named, expected):
    assert [victim.node.id for victim in choose(NODES, 3, policy, named)] == expected


def test_the_oldest_leaves_unless_somebody_says_otherwise():
    assert [victim.node.id for victim in choose(NODES, 1)] == [12]


def test_every_victim_has_a_reason():
    assert [victim.reason for victim in choose(NODES, 4, VictimPolicy.LEAST_BUSY)] == [
        "load 5",
        "load 5",
        "load 70",
        "oldest of those whose load is not known",
    ]
    assert [victim.reason for victim in choose(NODES, 2, VictimPolicy.NAMED, [13])] == ["named", "oldest"]


@pytest.mark.parametrize(("amount", "count"), [(-1, 0), (0, 0), (4, 4), (9, 4)])
def test_no_more_leave_than_there_are(amount, count):
    assert len(choose(NODES, amount)) == count


def test_names_that_cannot_be_followed_are_refused():
    with pytest.raises(InvalidInput, match="the role has no VM 99, 98") as caught:
        choose(NODES, 2, VictimPolicy.NAMED, [99, 13, 98])
    assert caught.value.hint == "its VMs are: 12, 13, 14, 15"
    with pytest.raises(InvalidInput, match="2 VMs are named, but only 1 of 4 are to leave"):
        choose(NODES, 1, VictimPolicy.NAMED, [12, 13])
    with pytest.raises(InvalidInput, match="victims are named, but the policy is 'oldest'"):
        choose(NODES, 1, VictimPolicy.OLDEST, [12])


LOADS = st.none() | st.floats(0, 100)


@given(
    st.lists(st.tuples(LOADS, LOADS), max_size=8),
    st.integers(0, 9),
    st.sampled_from(VictimPolicy),
)
def test_victims_are_different_nodes_of_the_role(measures, amount, policy):
    nodes = [Node(number, load=load, price=price) for number, (load, price) in enumerate(measures)]
    victims = [victim.node for victim in choose(nodes, amount, policy)]
    assert len(victims) == len(set(victims)) == min(amount, len(nodes))
    assert set(victims) <= set(nodes)
