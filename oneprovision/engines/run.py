"""One run of OpenTofu: have a plan, journal the intents, apply that plan, record what became of each host."""

from collections.abc import Sequence

from onecore import tofu
from onecore.errors import DriverFailed, OneError
from onecore.machines import record
from onecore.machines.decide import Step
from onecore.machines.ledger import Call
from onecore.machines.model import Resource, RetryPolicy
from onecore.process import Outcome
from onecore.tofu import Workspace
from onecore.tofu_output import Heard, heard_in
from oneprovision.engines.attention import Attention
from oneprovision.engines.journal import Journal
from oneprovision.engines.order import Ordered, slot_of
from oneprovision.engines.place import Place, Run, Stored
from oneprovision.engines.planning import Aim, Planner, Ready, aim_of
from oneprovision.engines.verdicts import Fate, Report, Verdict
from oneprovision.model.slots import Intent, Picture, Slot

Operation = tuple[int, Resource, Step]
VERBS = {Step.CREATE: "apply", Step.DESTROY: "destroy"}


class Runs:
    """The runs of one provision, under its lease. `boot`: of which start of this machine they are."""

    def __init__(
        self, boot: str, attention: Attention, journal: Journal, ordered: Ordered, policy: RetryPolicy
    ) -> None:
        self.attention = attention
        self.boot = boot
        self.owner = ordered.provision.key
        self.place: Place = ordered.place
        self.tools = journal.tools
        self._journal = journal
        self._ordered = ordered
        self._planner = Planner(attention, ordered, policy, self.tools)
        self._policy = policy

    def picture(self) -> Picture:
        return self.place.picture(self._stored())

    def carry_out(
        self, chosen: Sequence[Resource], step: Step, machines: Sequence[Resource]
    ) -> list[Resource]:
        """Make or remove the machines; returns their records as they are then.

        Raises WrongState, and nothing was begun, when the plan would do anything else.
        """
        stored = self._stored()
        aim = aim_of(chosen, step, machines, self.place.picture(stored))
        ready = self._planner.planned(aim, machines, stored)
        begun = self._begin(chosen, step, ready)
        if not begun:  # another process asked to stop
            self.attention.asked_to_stop()
            return []
        outcome = self._apply(ready, {slot_of(b.resource): b.resource for b in begun})
        error = "" if outcome.ok else self.attention.masked(tofu.failure(outcome, VERBS[step]).message)
        heard = tuple(heard_in(outcome.stdout))
        left = Stored(self.place.left(stored).text, ready.counted)
        if not outcome.ok:
            left = self._with_outputs(ready.workspace, left)
        return self.conclude([(b.id, b.resource, step) for b in begun], left, heard, error)

    def remove_everything(self) -> None:
        """Remove what the state still has, once no machine is recorded."""
        stored = self._stored()
        aim = Aim(Intent(everything=True), frozenset(self.place.picture(stored).slots))
        ready = self._planner.planned(aim, [], stored)
        self.place.begin(self._word(ready))
        outcome = self._apply(ready, {})
        self.conclude([], Stored(self.place.left(stored).text, ready.counted), (), "")
        if not outcome.ok:
            raise self._failure(outcome, "destroy")

    def refresh(self) -> Picture:
        """The picture after a look at what exists; raises DriverFailed when that cannot be had."""
        stored = self._stored()
        now = self.place.picture(stored)
        workspace = self.place.prepare(self._ordered.variables([], now.slots), stored)
        outcome = tofu.follow(
            workspace.refresh(self.place.log("refresh")), lambda heard: None, self.attention.go_on
        )
        self.attention.raise_if_asked()
        left = self.place.left(stored)
        self._journal.also(lambda tx: self.place.save(tx, left))
        self._journal.commit()
        self.place.tidy()
        if not outcome.ok and not tofu.had_nothing_to_do(outcome):
            raise self._failure(outcome, "refresh")
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
            self.attention.note(f"{address} may exist at the provider: its making was cut short", "E")
        changed = [self._judge(operation, report) for operation in operations]
        self._journal.also(lambda tx: self.place.save(tx, left))
        self._journal.commit()
        self.tools.boundary("run recorded")
        self.place.tidy()
        return changed

    # -- applying ------------------------------------------------------------------------------------------

    def _begin(self, chosen: Sequence[Resource], step: Step, ready: Ready) -> list[Call]:
        """Word of the run first, then the intents: whoever finds the intents knows the run."""
        self.place.begin(self._word(ready))
        starts = [(r, f"slot {slot_of(r)}") for r in chosen]
        return self._journal.begin(starts, step, VERBS[step], ready.workspace.timeout_s)

    def _word(self, ready: Ready) -> Run:
        return Run(self.boot, self.tools.clock.now() + ready.workspace.timeout_s, ready.counted)

    def _apply(self, ready: Ready, by_slot: dict[Slot, Resource]) -> Outcome:
        def hear(heard: Heard) -> None:
            resource = by_slot.get(heard.key) if heard.key is not None else None
            if heard.kind not in _TOLD:
                return
            self.tools.boundary(heard.kind)
            text, level = self.attention.masked(heard.text), "W" if heard.kind == "apply_errored" else "I"
            if resource is None:
                self.attention.say(text, level)
            else:
                self.tools.report(resource, text, level)
                self.tools.told()

        self.tools.boundary("driver starts")
        outcome = tofu.follow(ready.workspace.apply(self.place.log("apply")), hear, self.attention.go_on)
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
        self._journal.change(changed, self.attention.masked(verdict.text), level, action)
        outcomes = {Fate.REFUSED: "failed", Fate.LOST: "unknown"}
        self._journal.end(operation_id, outcomes.get(verdict.fate, "ok"), changed.deploy_id)
        return changed

    def _changed(self, resource: Resource, verdict: Verdict, now: float) -> Resource:
        text, jitter = self.attention.masked(verdict.text), self.tools.jitter()
        if verdict.host is not None:
            ips = (verdict.host.ip,) if verdict.host.ip else ()
            return record.created(resource, verdict.host.instance_id, ips, now)
        if verdict.fate is Fate.REMOVED:
            return record.destroyed(resource, now)
        failed = record.lost if verdict.fate is Fate.LOST else record.refused
        return failed(resource, text, self._policy, now, jitter)

    def _failure(self, outcome: Outcome, verb: str) -> DriverFailed:
        return DriverFailed(self.attention.masked(tofu.failure(outcome, verb).message), retryable=True)

    def _stored(self) -> Stored:
        with self.tools.database.read() as tx:
            return self.place.stored(tx)


_TOLD = ("apply_start", "apply_complete", "apply_errored", "provision_errored")
