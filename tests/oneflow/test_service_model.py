"""Services in a world where machines fail, vanish, go off and refuse to go.

Whatever happened: once that stops each settles, with as many machines as are wanted and none besides.
"""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from onecore.errors import InvalidInput, NotFound, WrongState
from onecore.machines.model import State
from oneflow.model.states import ServiceState
from oneflow.usecases import jobs, roles, services, templates
from oneflow.usecases.services import Scale
from tests.oneflow.builders import a_role, a_template
from tests.oneflow.world import World

REST = (ServiceState.RUNNING, ServiceState.DONE)
NAMES = ("front", "worker", "extra")
REFUSED = (WrongState, InvalidInput, NotFound)


class Life(RuleBasedStateMachine):
    """One service and everybody who has a say in it."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="one-life-", dir="/dev/shm"))
        self.world = World(self.home)
        self.ended = False

    @initialize(straight=st.booleans(), held=st.booleans(), least=st.integers(0, 2), front=st.integers(0, 3))
    def begin(self, straight: bool, held: bool, least: int, front: int) -> None:
        limits = {"min_vms": least, "max_vms": 4} if least else {}
        worker = a_role("worker", cardinality=max(least, 1), parents=["front"], cooldown=20, **limits)
        first = a_role("front", cardinality=front, on_hold=held)
        template = a_template(first, worker, deployment="straight" if straight else "none")
        templates.create(self.world.deps, template)
        templates.instantiate(self.world.deps, 0)

    @rule(steps=st.integers(1, 6))
    def time_passes(self, steps: int) -> None:
        for _ in range(steps):
            self.world.look()
            self.world.progress()

    @rule()
    def a_long_time_passes(self) -> None:
        self.world.clock.at += 4000

    @rule(name=st.sampled_from(NAMES), cardinality=st.integers(0, 4), force=st.booleans())
    def somebody_scales(self, name: str, cardinality: int, force: bool) -> None:
        self._ask(lambda: services.scale(self.world.deps, 0, Scale(name, cardinality, force)))

    @rule()
    def somebody_recovers(self) -> None:
        self._ask(lambda: services.recover(self.world.deps, 0))

    @rule(cardinality=st.integers(0, 2))
    def somebody_adds_a_role(self, cardinality: int) -> None:
        self._ask(lambda: roles.add_role(self.world.deps, 0, a_role("extra", cardinality=cardinality)))

    @rule()
    def somebody_removes_a_role(self) -> None:
        self._ask(lambda: roles.remove_role(self.world.deps, 0, "extra"))

    @rule(name=st.sampled_from(NAMES), number=st.integers(0, 2))
    def somebody_ends_vms(self, name: str, number: int) -> None:
        batch = jobs.Batch("delete", period=3, number=number)
        self._ask(lambda: jobs.act(self.world.deps, 0, name, batch))

    @rule(name=st.sampled_from(NAMES), action=st.sampled_from(["poweroff", "suspend", "resume", "reboot"]))
    def somebody_acts_on_vms(self, name: str, action: str) -> None:
        self._ask(lambda: jobs.act(self.world.deps, 0, name, jobs.Batch(action)))

    @rule()
    def somebody_releases_it(self) -> None:
        self._ask(lambda: services.release(self.world.deps, 0))

    @rule()
    def whoever_drives_dies(self) -> None:
        self.world.restart()

    @rule()
    def somebody_ends_it(self) -> None:
        self.ended = True
        self._ask(lambda: services.shutdown(self.world.deps, 0))

    @rule(vm_id=st.integers(0, 8))
    def a_machine_vanishes(self, vm_id: int) -> None:
        self.world.vanish(vm_id)

    @rule(vm_id=st.integers(0, 8), state=st.sampled_from([State.OFF, State.BROKEN, State.READY]))
    def a_machine_changes(self, vm_id: int, state: State) -> None:
        self.world.health(vm_id, state)

    @rule(vm_id=st.integers(0, 12))
    def a_machine_cannot_be_made(self, vm_id: int) -> None:
        self.world.stubborn.add(vm_id)

    @rule(vm_id=st.integers(0, 12))
    def a_machine_cannot_be_removed(self, vm_id: int) -> None:
        self.world.sticky.add(vm_id)

    @invariant()
    def nothing_exists_that_is_not_recorded(self) -> None:
        recorded = {machine.number for machine in self.world.machines.values()}
        assert self.world.exists <= recorded

    def teardown(self) -> None:
        try:
            self._settle()
        finally:
            shutil.rmtree(self.home)

    def _settle(self) -> None:
        """All faults end, and the operator recovers what they left: it has to come to rest."""
        self.world.stubborn, self.world.sticky = set(), set()
        for _ in range(12):
            self.world.settle(200)
            self.world.clock.at += 4000
            self.world.settle(200)
            if self.world.state() in REST:
                break
            self._ask(lambda: services.recover(self.world.deps, 0))
            self._ask(lambda: services.release(self.world.deps, 0))
        assert self.world.state() in REST, self.world.log()
        nodes = {n["deploy_id"] for role in self.world.body()["roles"] for n in role["nodes"]}
        assert self.world.exists == nodes == {m.number for m in self.world.machines.values()}
        if self.world.state() is ServiceState.RUNNING:
            counts = [(role["cardinality"], len(role["nodes"])) for role in self.world.body()["roles"]]
            assert all(wanted == living for wanted, living in counts), counts
        else:
            assert nodes == set()

    def _ask(self, what) -> None:
        try:
            what()
        except REFUSED:
            pass


TestLife = Life.TestCase
# `make crash` asks for many more lives.
TestLife.settings = settings(
    max_examples=int(os.environ.get("LIVES", "25")),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
