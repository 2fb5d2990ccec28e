"""The loop that drives the resources of one owner to what is wanted of them.

One thread: drivers run side by side as processes; results and new intents are committed together. It takes no
input but the records and what is seen of them: a first run, a resume after a crash and a retry are the same.
"""

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from onecore import process
from onecore.drivers.secrecy import betrays
from onecore.errors import DriverFailed, Interrupted, OneError
from onecore.machines import record, recovery
from onecore.machines.calls import VERBS
from onecore.machines.decide import Decision, Step, decide
from onecore.machines.journal import Begun, Journal
from onecore.machines.looks import Look, Looks
from onecore.machines.model import Resource, RetryPolicy, State
from onecore.machines.tools import Group, Tools, group_of
from onecore.process import GATHER_S, Ended, Outcome, Runner
from onecore.store import lease, resources
from onecore.store.lease import Lease
from onecore.store.resources import Operation

TICK_S = 1.0


@dataclass
class Result:
    """The records that remain, and why some are not as wanted, by id."""

    resources: dict[int, Resource]
    problems: dict[int, str]


class Worker:
    """Drives the resources of `owner` under `held`, at most `threads` driver calls at a time."""

    def __init__(self, tools: Tools, held: Lease, owner: str, policy: RetryPolicy, threads: int) -> None:
        self._tools = tools
        self._owner = owner
        self._policy = policy
        self._threads = threads
        self._runner: Runner[object] = Runner(self._at_work)
        self._journal = Journal(tools, held, owner)
        self._looks = Looks(tools, self._runner)
        self._resources: dict[int, Resource] = {}
        self._problems: dict[int, str] = {}
        self._due: set[int] = set()
        self._later: list[tuple[float, int]] = []
        self._ready: list[tuple[int, Step, str]] = []
        self._running: dict[int, Begun] = {}
        self._busy: Counter[str] = Counter()
        self._not_before: dict[str, float] = {}
        self._stopping = ""

    def recover(self) -> None:
        """Resolve what a crashed process left in flight. Every command on an owner begins with it."""
        tools = self._tools
        with tools.database.read() as tx:
            open_operations = resources.open_operations(tx, self._owner)
            known = {r.id: r for r in resources.of_owner(tx, self._owner)}
        for operation in open_operations:
            file = tools.run_file(operation.id)("out")
            if operation.resource_id in known and process.is_held(file):
                text = f"waiting for a {operation.verb} that outlived the process which started it"
                tools.report(known[operation.resource_id], text, "W")
                tools.told()
            recovery.outlive(operation, file, tools.clock, self._raise_if_asked)
            resource = known.get(operation.resource_id)
            salvaged = self._salvaged(file, operation, resource) if resource else ""
            with tools.database.begin() as tx:
                lease.check(tx, self._journal.lease)
                changed = recovery.resolve(tx, operation, resource, salvaged, tools.clock.now())
            if changed:
                known[changed.id] = changed
                tools.report(changed, f"{operation.verb} was cut short by a crash; its end is unknown", "W")
                tools.told()
            tools.forget_run_files(operation.id)
        recovery.sweep(tools)

    def settle(self, only: Callable[[Resource], bool] = lambda resource: True) -> Result:
        """Work until every resource (of those that `only` lets through) is as wanted or cannot become so.

        Raises Interrupted when asked to stop, after the driver calls that run have been recorded.
        """
        self._load(only)
        self._due = set(self._resources)
        while self._work_left():
            self._turn()
        if self._stopping:
            raise Interrupted(self._stopping)
        return Result(self._resources, self._problems)

    def refresh(self, only: Callable[[Resource], bool] = lambda resource: True) -> Result:
        """Look at every resource that exists and record what is seen; one that vanished becomes new again.
        Raises Interrupted when asked to stop; then nothing of it is recorded."""
        self._load(lambda r: only(r) and r.state in SETTLED)
        for resource in self._resources.values():
            self._want_look(resource)
        while self._looks.pending and not self._stopping:
            self._look()
        if self._stopping:  # who was not looked at has not vanished
            raise Interrupted(self._stopping)
        for resource in list(self._resources.values()):
            if resource.id not in self._problems:
                self._observe(resource)
        self._commit([])
        return Result(self._resources, self._problems)

    def _observe(self, resource: Resource) -> None:
        sight, seen = self._looks.sight(resource.id)
        if seen is None and not self._tools.bind(resource).facts(resource.kind).can_list:
            # Its poll failed, which may be the network: to forget the deploy id could leak the machine,
            # and the next deploy would make a second one. No word of the user changes that.
            self._problems[resource.id] = f"{resource.driver} poll of {resource.label} fails"
            return
        if seen is None and sight.at < resource.since + resource.lag_s:
            return  # the list may not show it yet: to call it vanished would make a second one
        changed = record.observed(resource, seen, self._tools.clock.now())
        if changed != resource:
            self._change(changed, "seen at the provider" if seen else "the provider no longer knows it")

    # -- the loop ------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        self._decide_all()
        starts = [] if self._stopping else self._startable()
        if starts or self._journal.pending:
            self._commit(starts)
        if not self._stopping:
            self._start_looks()
        for task, outcome in self._wait():
            self._finished(task, outcome)
        now = self._tools.clock.now()
        while self._later and self._later[0][0] <= now:
            self._due.add(heapq.heappop(self._later)[1])
        self._stop_if_asked()

    def _look(self) -> None:
        """A turn that decides nothing: a decision could start a driver, and nobody would wait for it."""
        self._start_looks()
        for task, outcome in self._wait():
            self._finished(task, outcome)
        self._due = set()
        self._stop_if_asked()

    def _work_left(self) -> bool:
        if len(self._runner) or self._journal.pending:
            return True
        return not self._stopping and bool(self._due or self._ready or self._later or self._looks.pending)

    def _wait(self) -> list[tuple[object, Outcome]]:
        """The drivers that ended; without any at work, wait for what is due next."""
        now = self._tools.clock.now()
        wakes = [at for at, _ in self._later[:1]]
        wakes += [at for at in self._not_before.values() if self._ready and at > now]
        look_at = self._looks.wake_at
        wakes += [look_at] if look_at is not None else []
        pause = (
            0.0
            if self._due or self._journal.pending
            else min([TICK_S, *(max(at - now, 0.0) for at in wakes)])
        )
        if len(self._runner):
            return self._runner.gather(pause, GATHER_S)
        if wakes and not self._stopping:
            self._tools.clock.sleep(pause)
        return []

    def _stop_if_asked(self) -> None:
        self._stopping = self._stopping or self._journal.attend() or self._tools.interrupted()

    def _raise_if_asked(self) -> None:
        self._stop_if_asked()
        if self._stopping:
            raise Interrupted(self._stopping)

    def _load(self, only: Callable[[Resource], bool]) -> None:
        with self._tools.database.read() as tx:
            self._resources = {r.id: r for r in resources.of_owner(tx, self._owner) if only(r)}
        self._problems = {}

    # -- deciding ------------------------------------------------------------------------------------------

    def _decide_all(self) -> None:
        due, self._due = sorted(self._due), set()
        for resource_id in due:
            while resource_id in self._resources and self._decide_one(self._resources[resource_id]):
                pass

    def _decide_one(self, resource: Resource) -> bool:
        """Decide and take note; true when the record changed, so that there is more to decide."""
        sight, seen = self._looks.sight(resource.id)
        if resource.state is State.UNKNOWN:
            sight = replace(sight, salvaged_id=resource.deploy_id)
        try:
            facts = self._tools.bind(resource).facts(resource.kind)
        except OneError as exc:
            self._problems[resource.id] = exc.message
            return False
        decision = decide(resource, facts, sight, self._policy, self._tools.clock.now())
        if decision.step in _CONCLUSIONS:
            changed = record.concluded(resource, decision.step, decision.reason, sight, seen)
            self._change(changed, decision.reason)
            return True
        self._take(resource, decision)
        return False

    def _take(self, resource: Resource, decision: Decision) -> None:
        match decision.step:
            case Step.CREATE | Step.DESTROY:
                self._ready.append((resource.id, decision.step, decision.reason))
            case Step.LOOK | Step.POLL:
                self._want_look(resource)
            case Step.WAIT if resource.state not in (State.CREATING, State.DESTROYING):
                heapq.heappush(self._later, (decision.at, resource.id))
            case Step.GIVE_UP | Step.HOLD:
                self._problems[resource.id] = decision.reason
                text = "given up" if decision.reason == resource.error else decision.reason
                self._change(replace(resource, error=decision.reason), text, "E")
            case Step.GONE:
                del self._resources[resource.id]
                self._journal.remove(resource, decision.reason)
            case Step.STILL_THERE:
                self._refused(resource, decision.reason)
                self._due.add(resource.id)

    def _salvaged(self, file: Path, operation: Operation, resource: Resource) -> str:
        if operation.verb != VERBS[resource.kind].create:
            return ""
        salvaged = recovery.salvage(file, resource.kind)
        try:
            secrets = self._tools.bind(resource).hidden
        except OneError:  # a driver that cannot be found now is no reason to lose the only trace of a machine
            return salvaged
        return "" if betrays(salvaged, secrets) else salvaged

    def _change(self, resource: Resource, text: str, level: str = "I", action: str = "") -> None:
        self._resources[resource.id] = resource
        self._journal.change(resource, text, level, action)

    # -- starting ------------------------------------------------------------------------------------------

    def _startable(self) -> list[tuple[Resource, Step, str, str, float]]:
        now, chosen, left = self._tools.clock.now(), [], []
        for place, (resource_id, step, reason) in enumerate(self._ready):
            if self._busy.total() >= self._threads:
                left += self._ready[place:]
                break
            resource = self._resources[resource_id]
            limits = self._tools.bind(resource).driver.manifest.limits
            driver = resource.driver
            room = self._busy[driver] < limits.parallel
            if not room or self._not_before.get(driver, 0.0) > now:
                left.append((resource_id, step, reason))
                continue
            self._busy[driver] += 1
            if limits.calls_per_second > 0:
                self._not_before[driver] = now + 1.0 / limits.calls_per_second
            verb = _verb(resource, step)
            chosen.append((resource, step, verb, reason, limits.timeout_for(verb)))
        self._ready = left
        return chosen

    def _commit(self, starts: list[tuple[Resource, Step, str, str, float]]) -> None:
        """Intents reach the disk first, then the drivers start."""
        for operation in self._journal.commit(starts):
            self._resources[operation.resource.id] = operation.resource
            self._running[operation.id] = operation
            self._launch(operation)

    def _launch(self, operation: Begun) -> None:
        binding = self._tools.bind(operation.resource)
        make = binding.create if operation.step is Step.CREATE else binding.destroy
        try:
            self._refuse_if_late(operation)
            command = make(operation.resource, self._tools.run_file(operation.id))
        except (OneError, OSError) as exc:
            # Nothing was started, so the answer is known.
            problem = exc.message if isinstance(exc, OneError) else f"{exc.strerror}: {exc.filename}"
            self._finished(operation.id, Outcome(Ended.NOT_STARTED, None, b"", b"", 0.0, problem))
            return
        self._runner.start(operation.id, command)

    def _at_work(self, task: object) -> None:
        if task in self._running:
            self._tools.boundary("driver started")

    def _refuse_if_late(self, operation: Begun) -> None:
        """A process that was suspended after its intent may have lost its lease since: it starts nothing."""
        late = self._tools.clock.now() - operation.resource.since
        if late > lease.TTL_S / 2:
            raise DriverFailed(f"not started: this process stood still for {late:.0f} s", retryable=True)

    # -- results -------------------------------------------------------------------------------------------

    def _finished(self, task: object, outcome: Outcome) -> None:
        if isinstance(task, Look):
            again, problems = self._looks.finished(task, outcome)
            self._due |= again & self._resources.keys()
            self._problems.update(problems)
            return
        self._tools.boundary("driver ended")
        operation = self._running.pop(int(str(task)))
        self._busy[operation.resource.driver] -= 1
        self._answered(operation, outcome)
        self._due.add(operation.resource.id)

    def _answered(self, operation: Begun, outcome: Outcome) -> None:
        resource, now = operation.resource, self._tools.clock.now()
        binding = self._tools.bind(resource)
        verb = _verb(resource, operation.step)
        try:
            if not outcome.ok:
                raise binding.failure(verb, resource.label, outcome)
            if operation.step is Step.DESTROY:
                self._change(record.destroyed(resource, now), f"{verb} done in {outcome.duration_s:.2f} s")
                self._journal.end(operation.id, "ok", "")
                return
            deploy_id, addresses = binding.created_id(resource, outcome)
        except OneError as exc:
            answered = outcome.ended is Ended.NOT_STARTED or (
                outcome.ended is Ended.EXITED and not outcome.ok
            )
            clear = answered and not operation.doubtful
            self._journal.end(operation.id, "failed" if clear else "unknown", exc.message)
            (self._refused if clear else self._lost)(resource, exc.message)
            return
        self._journal.end(operation.id, "ok", deploy_id)
        changed = record.created(resource, deploy_id, addresses, now)
        self._change(
            changed,
            f"{verb} answered {deploy_id} in {outcome.duration_s:.2f} s",
            action="Resource provisioned",
        )

    def _refused(self, resource: Resource, error: str) -> None:
        now, jitter = self._tools.clock.now(), self._tools.jitter()
        self._change(record.refused(resource, error, self._policy, now, jitter), error, "W")

    def _lost(self, resource: Resource, error: str) -> None:
        now, jitter = self._tools.clock.now(), self._tools.jitter()
        self._change(record.lost(resource, error, self._policy, now, jitter), error, "W")

    def _want_look(self, resource: Resource) -> None:
        can_list = self._tools.bind(resource).facts(resource.kind).can_list
        self._looks.want(resource, self._policy, can_list)

    def _start_looks(self) -> None:
        for look, outcome in self._looks.start(self._group_is_busy):
            self._finished(look, outcome)

    def _group_is_busy(self, group: Group) -> bool:
        return any(group_of(operation.resource) == group for operation in self._running.values())


SETTLED = (State.READY, State.OFF, State.BROKEN)
_CONCLUSIONS = (Step.ADOPT, Step.ABSENT, Step.READY, Step.STOPPED, Step.BROKEN, Step.AGAIN)


def _verb(resource: Resource, step: Step) -> str:
    verbs = VERBS[resource.kind]
    return verbs.create if step is Step.CREATE else verbs.destroy
