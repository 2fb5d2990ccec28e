"""Power actions on machines that exist: journaled like a deploy, believed when the provider shows them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from onecore.drivers.manifest import Limits
from onecore.errors import DriverFailed, Interrupted, OneError
from onecore.machines import record
from onecore.machines.decide import Health
from onecore.machines.journal import Journal
from onecore.machines.looks import Look, Looks
from onecore.machines.model import Resource, RetryPolicy
from onecore.machines.tools import Tools
from onecore.machines.worker import Result
from onecore.process import Ended, Outcome, Runner
from onecore.store import lease, resources
from onecore.store.lease import Lease

TICK_S = 1.0


class Action(StrEnum):
    """By the verb of the driver that does it."""

    REBOOT = "reboot"
    RESET = "reset"
    POWER_OFF = "shutdown"
    POWER_ON = "deploy"
    SUSPEND = "suspend"

    @property
    def leads_to(self) -> Health:
        return Health.OFF if self in (Action.POWER_OFF, Action.SUSPEND) else Health.RUNNING


@dataclass(frozen=True)
class Order:
    """`within_s`: how long the effect may take to show, after the driver said it is done; None: as long as
    the driver declares."""

    action: Action
    threads: int = 16
    within_s: float | None = None


@dataclass(frozen=True)
class _Call:
    resource: Resource
    begun_at: float


class Power:
    """Carries out one order on machines of `owner`, under the lease `held`.

    A crash leaves the operation open; Worker.recover resolves it, and the next look says what came of it.
    """

    def __init__(self, tools: Tools, held: Lease, owner: str, policy: RetryPolicy, order: Order) -> None:
        self._tools = tools
        self._lease = held
        self._order = order
        self._runner: Runner[object] = Runner(self._at_work)
        self._journal = Journal(tools, held, owner)
        self._looks = Looks(tools, self._runner)
        self._policy = policy
        self._waiting: list[Resource] = []
        self._running: dict[int, _Call] = {}
        self._busy: Counter[str] = Counter()
        self._not_before: dict[str, float] = {}
        self._machines: dict[int, Resource] = {}
        self._limits: dict[int, Limits] = {}
        self._problems: dict[int, str] = {}
        self._stopping = ""

    def act(self, machines: Iterable[Resource]) -> Result:
        """Returns the machines as they are seen afterwards, and why some are not as asked.

        Raises Interrupted when asked to stop, after the calls that run have been recorded.
        """
        for machine in machines:
            self._machines[machine.id] = machine
            try:
                self._limits[machine.id] = self._tools.bind(machine).driver.manifest.limits
                self._waiting.append(machine)
            except OneError as exc:
                self._problems[machine.id] = exc.message
        while self._running or (self._waiting and not self._stopping):
            self._start()
            self._wait(0.05 if self._waiting else TICK_S)
            self._commit()
        self._watch()
        if self._stopping:
            raise Interrupted(self._stopping)
        return Result(self._machines, self._problems)

    # -- the calls -----------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Intents reach the disk first, then the drivers start."""
        chosen = [] if self._stopping else self._startable()
        now, begun, verb = self._tools.clock.now(), [], self._order.action.value
        if not chosen:
            return
        with self._tools.database.begin() as tx:
            lease.check(tx, self._lease)
            for machine in chosen:
                until = now + self._limits[machine.id].timeout_for(verb)
                number = resources.begin_operation(tx, machine, verb, self._lease.token, now, until)
                begun.append((number, _Call(machine, now)))
        for number, call in begun:
            self._running[number] = call
            self._tools.report(call.resource, f"{verb}: asked for", "I")
            self._tools.told()
            self._launch(number, call)

    def _startable(self) -> list[Resource]:
        now, chosen, left = self._tools.clock.now(), [], []
        for machine in self._waiting:
            driver, limits = machine.driver, self._limits[machine.id]
            room = self._busy.total() < self._order.threads and self._busy[driver] < limits.parallel
            if not room or self._not_before.get(driver, 0.0) > now:
                left.append(machine)
                continue
            self._busy[driver] += 1
            if limits.calls_per_second > 0:
                self._not_before[driver] = now + 1.0 / limits.calls_per_second
            chosen.append(machine)
        self._waiting = left
        return chosen

    def _launch(self, number: int, call: _Call) -> None:
        file, action = self._tools.run_file(number), self._order.action
        try:
            # A process that was suspended after its intent may have lost its lease since: it starts nothing.
            if self._tools.clock.now() - call.begun_at > lease.TTL_S / 2:
                raise DriverFailed("this process stood still before it")
            binding = self._tools.bind(call.resource)
            if action is Action.POWER_ON:
                command = binding.power_on(call.resource, file)
            else:
                command = binding.act(call.resource, action.value, file)
        except (OneError, OSError) as exc:
            # Nothing was started, so the answer is known.
            problem = exc.message if isinstance(exc, OneError) else f"{exc.strerror}: {exc.filename}"
            self._ended(number, Outcome(Ended.NOT_STARTED, None, b"", b"", 0.0, problem))
            return
        self._runner.start(number, command)

    def _at_work(self, task: object) -> None:
        if task in self._running:
            self._tools.boundary("driver started")

    def _ended(self, number: int, outcome: Outcome) -> None:
        self._tools.boundary("driver ended")
        machine, now = self._running.pop(number).resource, self._tools.clock.now()
        self._busy[machine.driver] -= 1
        verb = self._order.action.value
        changed = replace(machine, since=now)
        if outcome.ok:
            self._journal.end(number, "ok", "")
            self._change(changed, f"{verb} done in {outcome.duration_s:.2f} s")
            return
        error = self._tools.bind(machine).failure(verb, machine.label, outcome).message
        clear = outcome.ended in (Ended.NOT_STARTED, Ended.EXITED)
        self._journal.end(number, "failed" if clear else "unknown", error)
        self._problems[machine.id] = error
        self._change(changed, error, "W")

    # -- what the provider shows ---------------------------------------------------------------------------

    def _watch(self) -> None:
        """Look until every machine is as asked or has used up its time. One whose call failed is looked at
        once: it may have had its effect all the same."""
        started = self._tools.clock.now()
        untouched = {machine.id for machine in self._waiting}
        left = [m for m in self._machines.values() if m.id in self._limits and m.id not in untouched]
        while left and not self._stopping:
            for machine in left:
                can_list = self._tools.bind(machine).facts(machine.kind).can_list
                self._looks.want(machine, self._policy, can_list)
            while self._looks.pending and not self._stopping:
                for look, outcome in self._looks.start(lambda group: False):
                    self._looks.finished(look, outcome)
                self._wait(TICK_S)
            waited = self._tools.clock.now() - started
            left = [] if self._stopping else [m for m in left if not self._is_over(m, waited)]
            self._commit()
            if left:
                self._wait(min(max(waited / 2, 0.2), 2.0))

    def _is_over(self, machine: Resource, waited: float) -> bool:
        """Take note of the look; whether there is nothing more to wait for."""
        health, wanted = self._look(machine), self._order.action.leads_to
        if machine.id in self._problems or health is wanted:
            return True
        if health in (Health.GONE, Health.ERROR):
            says = "no longer knows it" if health is Health.GONE else "says it is in error"
            self._problems[machine.id] = f"{machine.label}: the provider {says}"
        elif waited > self._patience(machine):
            known = f"it is {health}" if health else "nobody can tell how it is"
            text = f"{machine.label}: {self._order.action} had no effect: {known} after {waited:.0f} s"
            self._problems[machine.id] = text
        return machine.id in self._problems

    def _look(self, machine: Resource) -> Health | None:
        """Its health, which is recorded; None where nobody can tell."""
        _, seen = self._looks.sight(machine.id)
        failed = machine.id in self._problems
        if seen is None and (failed or not self._tools.bind(machine).facts(machine.kind).can_list):
            return None
        if seen and not seen.told and not failed:
            # There is nothing but the driver's word.
            seen = replace(seen, health=self._order.action.leads_to, told=True)
        before = self._machines[machine.id]
        after = record.observed(before, seen, self._tools.clock.now())
        if after != before:
            self._change(after, "seen at the provider" if seen else "the provider no longer knows it")
        return seen.health if seen else Health.GONE

    def _patience(self, machine: Resource) -> float:
        if self._order.within_s is not None:
            return self._order.within_s
        if self._order.action.leads_to is Health.OFF:
            return self._limits[machine.id].timeout_for(Action.POWER_OFF.value)
        return self._tools.bind(machine).facts(machine.kind).boot_s

    # -- their parts ---------------------------------------------------------------------------------------

    def _wait(self, seconds: float) -> None:
        if not len(self._runner):
            self._tools.clock.sleep(min(seconds, TICK_S))
        for task, outcome in self._runner.wait(seconds):
            if isinstance(task, Look):
                for resource_id, problem in self._looks.finished(task, outcome)[1].items():
                    self._problems.setdefault(resource_id, problem)
            else:
                self._ended(int(str(task)), outcome)
        self._stopping = self._stopping or self._journal.attend() or self._tools.interrupted()

    def _commit(self) -> None:
        if self._journal.pending:
            self._journal.commit([])

    def _change(self, machine: Resource, text: str, level: str = "I") -> None:
        self._machines[machine.id] = machine
        self._journal.change(machine, text, level)
