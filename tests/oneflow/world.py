"""A world in which services live: the real store, use cases and reconciler, machines that are simulated one
step at a time, and a clock that only moves when told to."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from onecore.machines import record
from onecore.machines.decide import Step
from onecore.machines.model import Resource, State, Wanted
from onecore.store import resources
from oneflow import store
from oneflow.cloud import machines
from oneflow.model.document import Kind, service_key
from oneflow.model.states import ServiceState
from oneflow.reconcile import Reconciler
from tests.oneflow.builders import Body, an_installation


class StillClock:
    """Stands where it was put."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


class World:
    """`stubborn` machines cannot be made, `sticky` ones cannot be removed; both by VM id."""

    def __init__(self, home: Path) -> None:
        self.clock = StillClock()
        self.deps = replace(an_installation(home), clock=self.clock)
        self.machines: dict[int, Resource] = {}
        self.held: dict[int, str] = {}
        self.stubborn: set[int] = set()
        self.sticky: set[int] = set()
        self.exists: set[int] = set()
        self.most = 0
        self.restart()

    def restart(self) -> None:
        """Who drives dies, and another one begins, who knows of no order that was given."""
        self.reconciler = Reconciler(self.deps, self.records, self.problems)

    def records(self, owner: str) -> dict[int, Resource]:
        return {r.id: r for r in self.machines.values() if r.owner == owner}

    def problems(self, owner: str) -> dict[int, str]:
        return {r_id: text for r_id, text in self.held.items() if r_id in self.records(owner)}

    # -- steps ---------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Reconcile every service once."""
        with self.deps.database.begin() as tx:
            owners = {service_key(n) for n, _, over in store.changed_services(tx, -1) if not over}
            for machine in self.reconciler(tx, owners):
                self.machines[machine.id] = machine
                if machine.failures == 0:
                    self.held.pop(machine.id, None)

    def progress(self) -> None:
        """Every machine does the next step towards what is wanted of it."""
        for machine in list(self.machines.values()):
            if machine.id not in self.held:
                self._step(machine)
        self._obey()
        self.clock.at += 1.0

    def settle(self, rounds: int = 60) -> None:
        for _ in range(rounds):
            before = self._state()
            self.look()
            self.progress()
            if self._state() == before:
                return
        raise AssertionError(f"not settled: {before}")

    def vanish(self, vm_id: int) -> None:
        """Somebody removes the machine behind our back, and a look shows it."""
        machine = self.of_vm(vm_id)
        if machine and machine.state in (State.READY, State.OFF, State.BROKEN):
            self.exists.discard(vm_id)
            self._put(record.observed(machine, None, self.clock.now()))

    def health(self, vm_id: int, state: State) -> None:
        """The provider says that it is off, broken, or runs again."""
        machine = self.of_vm(vm_id)
        if machine and machine.state in (State.READY, State.OFF, State.BROKEN):
            self._put(replace(machine, state=state))

    def report(self, vm_id: int, **values: str) -> None:
        """The VM says something of itself."""
        with self.deps.database.begin() as tx:
            vm = store.vm(tx, vm_id)
            ready = self.clock.now() if values.get("READY") == "YES" else vm.ready_at
            store.save_vm(tx, replace(vm, user_template={**vm.user_template, **values}, ready_at=ready))

    # -- what is ---------------------------------------------------------------------------------------------

    def body(self, number: int = 0) -> Body:
        with self.deps.database.read() as tx:
            return store.get(tx, Kind.SERVICE, number).body

    def state(self, number: int = 0) -> ServiceState:
        return ServiceState(self.body(number)["state"])

    def role(self, name: str = "web", number: int = 0) -> Body:
        found: Body = next(role for role in self.body(number)["roles"] if role["name"] == name)
        return found

    def vm_ids(self, name: str = "web", number: int = 0) -> list[int]:
        return [node["deploy_id"] for node in self.role(name, number)["nodes"]]

    def log(self, number: int = 0) -> list[str]:
        with self.deps.database.read() as tx:
            return [line.action for line in store.service_log(tx, service_key(number), 1000)]

    def of_vm(self, vm_id: int) -> Resource | None:
        return next((r for r in self.machines.values() if r.number == vm_id), None)

    def machines_in(self, state: State) -> list[int]:
        """The VM ids of machines in this state."""
        return sorted(machine.number for machine in self.machines.values() if machine.state is state)

    # -- machines ------------------------------------------------------------------------------------------

    def _step(self, machine: Resource) -> None:
        if machine.wanted is Wanted.ABSENT:
            self._unmake(machine)
        elif machine.state is State.NEW and not machines.is_vanished(machine):
            self._put(record.started(machine, Step.CREATE, self.clock.now()))
        elif machine.state is State.CREATING:
            self._answer(machine)
        elif machine.state is State.BOOTING:
            self._put(replace(machine, state=State.READY))

    def _obey(self) -> None:
        """Power actions have their effect at once."""
        for order in self.reconciler.book.orders:
            machine = self.machines.get(order.machine_id)
            before, after = _EFFECTS[order.action]
            if machine is not None and machine.state is before:
                self._put(replace(machine, state=after))
        self.reconciler.book.orders.clear()

    def _answer(self, machine: Resource) -> None:
        if machine.number in self.stubborn:
            failed = record.refused(machine, "no capacity", machines.POLICY, self.clock.now(), 0.0)
            tried = replace(failed, failures=machines.POLICY.retries + 1)
            self.held[machine.id] = "no capacity"
            self._put(tried)
            return
        self.exists.add(machine.number)
        self.most = max(self.most, len(self.exists))
        self._put(record.created(machine, f"id-{machine.number}", (), self.clock.now()))

    def _unmake(self, machine: Resource) -> None:
        if machine.number in self.exists and machine.number in self.sticky:
            self.held[machine.id] = "cannot be removed"
            self._put(replace(machine, state=State.DESTROY_FAILED, failures=machines.POLICY.retries + 1))
            return
        self.exists.discard(machine.number)
        del self.machines[machine.id]
        with self.deps.database.begin() as tx:
            resources.remove(tx, machine.id)

    def _put(self, machine: Resource) -> None:
        self.machines[machine.id] = machine
        with self.deps.database.begin() as tx:
            resources.update(tx, [machine])

    def _state(self) -> Any:
        with self.deps.database.read() as tx:
            services = [(d.id, d.body) for d in store.every(tx, Kind.SERVICE)]
        return services, dict(self.machines)


_EFFECTS = {
    **dict.fromkeys(("poweroff", "suspend", "stop"), (State.READY, State.OFF)),
    **dict.fromkeys(("resume", "boot"), (State.OFF, State.READY)),
    "reboot": (State.READY, State.READY),
}
