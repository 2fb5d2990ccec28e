"""Whatever happens to many owners at once, in the end each has exactly what it wants, and nothing twice."""

import pytest

from tests.onecore.machines.bench import Bench
from tests.onecore.machines.simulated_fleet import World, at_rest, wanted

STEPS = 120


@pytest.mark.parametrize("seed", range(40))
def test_what_is_wanted_exists_once_for_every_owner(bench: Bench, seed: int):
    world = World(bench, seed, owners=3 + seed % 6)
    world.provider.faults = world.chance.randint(0, 12)
    for _ in range(STEPS):
        world.step()
    world.settle()
    assert world.provider.doubled == []
    assert (set(world.provider.existing), at_rest(world)) == (wanted(world), True)
    assert [r for owner in world.owners for r in world.fleet.records(owner).values()] == world.records()
    assert bench.left_over() == []


def test_a_lost_lease_harms_nobody_else(bench: Bench):
    world = World(bench, 1, owners=6)
    world.rival()
    for _ in range(STEPS):
        world.turn()
    (lost,) = world.fleet.lost
    others = [owner for owner in world.owners if owner != lost]
    assert all(r.state.value == "ready" for owner in others for r in world.stored(owner))
    assert all(r.state.value == "new" for r in world.stored(lost))


def test_nobody_starves_beside_an_owner_that_wants_very_much(bench: Bench):
    world = World(bench, 2, owners=5)
    world.add(world.owners[0], 200, world.fleet)
    others = world.owners[1:]
    turns = 0
    while any(map(world.fleet.is_busy, others)):
        world.turn()
        turns += 1
    assert turns < 100
    assert len(world.fleet.records(world.owners[0])) >= 200
    assert sum(r.state.value == "ready" for r in world.stored(world.owners[0])) < 150


def test_who_asks_for_a_look_does_not_wait_for_its_beginning(bench: Bench):
    world = World(bench, 3, owners=2)
    world.settle()
    asked_at = world.clock.time
    world.fleet.look(world.fleet.records(world.owners[0]))
    world.fleet.turn(pause_s=3600.0)
    assert (world.fleet.is_at_work, world.clock.time) == (True, asked_at)
