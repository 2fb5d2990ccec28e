"""One run of OpenTofu: plan, check the plan against the intent, journal, apply that plan, record the end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from onecore import tofu
from onecore.deps import Deps, Notice
from onecore.drivers.secrecy import masked_text
from onecore.errors import DriverFailed, Interrupted, OneError, WrongState
from onecore.machines import record
from onecore.machines.decide import Step
from onecore.machines.journal import Begun, Journal
from onecore.machines.model import Resource, RetryPolicy, Wanted
from onecore.machines.tools import Tools
from onecore.process import Outcome
from onecore.tofu import Workspace
from onecore.tofu_output import Heard, Instance, Plan, heard_in, parse_plan
from oneprovision.engines.order import Ordered, slot_of
from oneprovision.engines.place import Place, Run, Stored
from oneprovision.engines.verdicts import Fate, Report, Verdict
from oneprovision.model.folder import HOSTS, ONPREM_HOSTS
from oneprovision.model.slots import (
    Intent,
    Picture,
    Slot,
    counted_resources,
    targets,
    touched,
    violations,
)
from oneprovision.planner import cut

Operation = tuple[int, Resource, Step]
VERBS = {Step.CREATE: "apply", Step.DESTROY: "destroy"}


@dataclass(frozen=True)
class _Ready:
    """A saved plan that does what is meant, and nothing else."""

    workspace: Workspace
    plan: Plan
    counted: tuple[str, ...]


class Runs:
    """The runs of one provision, under its lease."""

    def __init__(
        self, deps: Deps, tools: Tools, journal: Journal, ordered: Ordered, policy: RetryPolicy
    ) -> None:
        self.tools = tools
        self.place: Place = ordered.place
        self.owner = ordered.provision.key
        self.boot = deps.process.boot
        self._deps = deps
        self._journal = journal
        self._ordered = ordered
        self._policy = policy
        self._stop = ""

    def picture(self) -> Picture:
        return self.place.picture(self._stored())

    def carry_out(
        self, chosen: Sequence[Resource], step: Step, machines: Sequence[Resource]
    ) -> list[Resource]:
        """Make or remove the machines; returns their records as they are then.

        Raises WrongState, and nothing was begun, when the plan would do anything else.
        """
        stored = self._stored()
        aim = _aim(chosen, step, machines, self.place.picture(stored))
        ready = self._planned(aim, machines, stored)
        begun = self._begin(chosen, step, ready)
        if not begun:  # another process asked to stop
            self.asked_to_stop()
            return []
        outcome = self._apply(ready, {slot_of(b.resource): b.resource for b in begun})
        error = "" if outcome.ok else self._mask(tofu.failure(outcome, VERBS[step]).message)
        heard = tuple(heard_in(outcome.stdout))
        left = Stored(self.place.left(stored).text, ready.counted)
        if not outcome.ok:
            left = self._with_outputs(ready.workspace, left)
        return self.conclude([(b.id, b.resource, step) for b in begun], left, heard, error)

    def remove_everything(self) -> None:
        """Remove what the state still has, once no machine is recorded."""
        stored = self._stored()
        aim = _Aim(Intent(everything=True), frozenset(self.place.picture(stored).slots))
        ready = self._planned(aim, [], stored)
        self.place.begin(self._word(ready))
        outcome = self._apply(ready, {})
        self.conclude([], Stored(self.place.left(stored).text, ready.counted), (), "")
        if not outcome.ok:
            raise DriverFailed(self._mask(tofu.failure(outcome, "destroy").message), retryable=True)

    def refresh(self) -> Picture:
        """The picture after a look at what exists; raises DriverFailed when that cannot be had."""
        stored = self._stored()
        now = self.place.picture(stored)
        workspace = self.place.prepare(self._ordered.variables([], now.slots), stored)
        outcome = tofu.follow(workspace.refresh(self.place.log("refresh")), lambda heard: None, self._go_on)
        self.raise_if_asked()
        left = self.place.left(stored)
        self._journal.also(lambda tx: self.place.save(tx, left))
        self._journal.commit([])
        self.place.tidy()
        if not outcome.ok and not tofu.had_nothing_to_do(outcome):
            raise DriverFailed(self._mask(tofu.failure(outcome, "refresh").message), retryable=True)
        return self.place.picture(left)

    def conclude(
        self, operations: Sequence[Operation], left: Stored, heard: Sequence[Heard] | None, error: str
    ) -> list[Resource]:
        """Record what became of each machine together with the state, then take the files away."""
        report = Report(self.place.picture(left), heard, error)
        making = [slot_of(r) for _, r, step in operations if step is Step.CREATE]
        left = self._tainted(report.to_taint(making), left)
        report = Report(self.place.picture(left), heard, error)
        for address in report.shared_lost():
            self._note(f"{address} may exist at the provider: its making was cut short", "E")
        changed = [self._judge(operation, report) for operation in operations]
        self._journal.also(lambda tx: self.place.save(tx, left))
        self._journal.commit([])
        self.tools.boundary("run recorded")
        self.place.tidy()
        return changed

    def asked_to_stop(self) -> str:
        self._stop = self._stop or self._journal.attend() or self.tools.interrupted()
        return self._stop

    def raise_if_asked(self) -> None:
        if self.asked_to_stop():
            raise Interrupted(self._stop)

    def say(self, text: str, level: str = "I") -> None:
        """For those who wait."""
        subject = f"provision {self._ordered.provision.id}"
        self._deps.notify(Notice(self.tools.clock.now(), subject, self._mask(text), level))

    # -- planning ------------------------------------------------------------------------------------------

    def _planned(self, aim: "_Aim", machines: Sequence[Resource], stored: Stored) -> _Ready:
        """A plan of everything where that does no more than is meant, else one of what is meant alone."""
        intent, now = aim.intent, self.place.picture(stored)
        workspace = self.place.prepare(self._ordered.variables(machines, set(aim.told)), stored)
        self.say(f"planning with {workspace.program.name}")
        if intent.everything:
            return self._checked(workspace, self._plan(workspace, destroy=True), intent, stored)
        if aim.alone:
            return self._checked(workspace, self._plan_alone(workspace, aim, now), intent, stored)
        plan = self._plan(workspace)
        counted = Stored(stored.text, self._counted(plan, stored))
        seen = self.place.picture(counted)
        if violations(plan.changes, intent, seen) or touched(plan.changes, intent, seen):
            only = targets(plan.changes, intent.making, seen)
            if intent.removing:
                plan = self._plan_alone(workspace, aim, seen)
            elif only:
                plan = self._plan(workspace, only)
        return self._checked(workspace, plan, intent, counted)

    def _plan_alone(self, workspace: Workspace, aim: "_Aim", now: Picture) -> Plan:
        """A plan of the hosts to be removed alone. OpenTofu removes whatever refers to a target, by resource
        and not by instance: a disk that hosts refer to cannot go without all of them, and is left."""
        plan = self._plan(workspace, aim.addresses(now.parts), True)
        if violations(plan.changes, aim.intent, now):
            plan = self._plan(workspace, aim.addresses(now.mains), True)
            going = {c.address for c in plan.changes}
            for address in (a for a in aim.addresses(now.parts) if a not in going):
                self._note(f"{address} stays: it cannot be removed without the other hosts", "W")
        return plan

    def _checked(self, workspace: Workspace, plan: Plan, intent: Intent, stored: Stored) -> _Ready:
        now = self.place.picture(stored)
        wrong = violations(plan.changes, intent, now)
        if wrong:
            raise WrongState(
                f"OpenTofu would do what was not asked for, so nothing was done: {'; '.join(cut(wrong, 5))}",
                hint="the driver ties these together; name other hosts, or remove the whole provision",
                context={"plan": wrong},
            )
        for change in touched(plan.changes, intent, now):
            self._note(f"update {change.address}: the driver changes a host that was not named", "W")
        for line in cut([f"{c.action} {c.address}" for c in plan.changes]):
            self._note(f"plan: {line}")
        return _Ready(workspace, plan, self._counted(plan, stored))

    def _plan(self, workspace: Workspace, only: Sequence[str] = (), destroy: bool = False) -> Plan:
        """A saved plan; trouble with the provider is tried again, as often as the provision's options say."""
        failures = 0
        while True:
            command = workspace.plan(self.place.log("plan"), only, destroy)
            outcome = tofu.follow(command, lambda heard: None, self._go_on)
            self.raise_if_asked()
            if outcome.ok:
                return parse_plan(tofu.carry_out(workspace.show_plan(), "show").stdout)
            failures += 1
            error = self._mask(tofu.failure(outcome, "plan").message)
            if failures > self._policy.retries:
                raise DriverFailed(error, retryable=True)
            self.say(f"try {failures + 1} of {self._policy.retries + 1} after: {error}", "W")
            self._pause(self._policy.pause(failures, self.tools.jitter()))

    def _counted(self, plan: Plan, stored: Stored) -> tuple[str, ...]:
        """From the plan's configuration, where it has any: a plan to remove everything has none."""
        found = counted_resources(plan.configuration, (HOSTS, ONPREM_HOSTS))
        return tuple(sorted(found)) or stored.counted

    # -- applying ------------------------------------------------------------------------------------------

    def _begin(self, chosen: Sequence[Resource], step: Step, ready: _Ready) -> list[Begun]:
        """Word of the run first, then the intents: whoever finds the intents knows the run."""
        self.place.begin(self._word(ready))
        timeout_s = ready.workspace.timeout_s
        starts = [(r, step, VERBS[step], f"slot {slot_of(r)}", timeout_s) for r in chosen]
        return self._journal.commit(starts)

    def _word(self, ready: _Ready) -> Run:
        return Run(self.boot, self.tools.clock.now() + ready.workspace.timeout_s, ready.counted)

    def _apply(self, ready: _Ready, by_slot: dict[Slot, Resource]) -> Outcome:
        def hear(heard: Heard) -> None:
            resource = by_slot.get(heard.key) if heard.key is not None else None
            if heard.kind not in _TOLD:
                return
            self.tools.boundary(heard.kind)
            text, level = self._mask(heard.text), "W" if heard.kind == "apply_errored" else "I"
            if resource is None:
                self.say(text, level)
            else:
                self.tools.report(resource, text, level)
                self.tools.told()

        self.tools.boundary("driver starts")
        outcome = tofu.follow(ready.workspace.apply(self.place.log("apply")), hear, self._go_on)
        self.tools.boundary("driver ended")
        return outcome

    def _with_outputs(self, workspace: Workspace, left: Stored) -> Stored:
        """A run that failed half way leaves old outputs: what it made has no id and address in them."""
        try:
            outcome = tofu.follow(
                workspace.refresh(self.place.log("refresh")), lambda heard: None, lambda: True
            )
        except OneError:
            return left
        return Stored(self.place.left(left).text, left.counted) if outcome.ok else left

    def _tainted(self, addresses: Sequence[str], left: Stored) -> Stored:
        if not addresses:
            return left
        workspace = self.place.prepare(self._ordered.variables([], self.place.picture(left).slots), left)
        for address in addresses:
            tofu.carry_out(workspace.taint(address), f"taint {address}")
        return Stored(self.place.left(left).text, left.counted)

    def _judge(self, operation: Operation, report: Report) -> Resource:
        operation_id, resource, step = operation
        slot, now = slot_of(resource), self.tools.clock.now()
        verdict = report.made(slot) if step is Step.CREATE else report.removed(slot)
        changed = self._changed(resource, verdict, now)
        level = "I" if verdict.fate in (Fate.MADE, Fate.REMOVED) else "W"
        action = "Resource provisioned" if verdict.fate is Fate.MADE else ""
        self._journal.change(changed, self._mask(verdict.text), level, action)
        outcomes = {Fate.REFUSED: "failed", Fate.LOST: "unknown"}
        self._journal.end(operation_id, outcomes.get(verdict.fate, "ok"), changed.deploy_id)
        return changed

    def _changed(self, resource: Resource, verdict: Verdict, now: float) -> Resource:
        text, jitter = self._mask(verdict.text), self.tools.jitter()
        if verdict.host is not None:
            ips = (verdict.host.ip,) if verdict.host.ip else ()
            return record.created(resource, verdict.host.instance_id, ips, now)
        if verdict.fate is Fate.REMOVED:
            return record.destroyed(resource, now)
        failed = record.lost if verdict.fate is Fate.LOST else record.refused
        return failed(resource, text, self._policy, now, jitter)

    # -- small parts ---------------------------------------------------------------------------------------

    def _stored(self) -> Stored:
        with self.tools.database.read() as tx:
            return self.place.stored(tx)

    def _go_on(self) -> bool:
        return not self.asked_to_stop()

    def _pause(self, seconds: float) -> None:
        until = self.tools.clock.now() + seconds
        while self.tools.clock.now() < until:
            self.raise_if_asked()
            self.tools.clock.sleep(0.1)

    def _note(self, text: str, level: str = "I") -> None:
        self._journal.note("OpenTofu", self._mask(text), level)
        self.say(text, level)

    def _mask(self, text: str) -> str:
        return masked_text(text, self._ordered.secrets)


_TOLD = ("apply_start", "apply_complete", "apply_errored", "provision_errored")


@dataclass(frozen=True)
class _Aim:
    """What a run is to do, and the slots that OpenTofu is told of meanwhile. `alone`: a driver that counts
    cannot be told by a number what is to stay, so what goes is named and nothing else is planned."""

    intent: Intent
    told: frozenset[Slot]
    alone: bool = False

    def addresses(self, of: Callable[[Slot], list[Instance]]) -> list[str]:
        """Of what is to be removed."""
        return [i.address for slot in sorted(self.intent.removing, key=str) for i in of(slot)]


def _aim(chosen: Sequence[Resource], step: Step, machines: Sequence[Resource], now: Picture) -> _Aim:
    slots = frozenset(slot_of(r) for r in chosen)
    # What others of the provision have, or may have, is kept by all means.
    there = frozenset(slot_of(r) for r in machines if r.may_exist) | now.slots
    if step is Step.CREATE:
        return _Aim(Intent(making=slots), there | slots)
    rest = there - slots
    if all(r.wanted is Wanted.ABSENT and slot_of(r) in slots for r in machines) and not rest:
        return _Aim(Intent(everything=True), there)
    numbers = {s for s in rest if isinstance(s, int)}
    if numbers == set(range(len(numbers))) and rest:
        return _Aim(Intent(removing=slots), rest)
    return _Aim(Intent(removing=slots), there, alone=True)
