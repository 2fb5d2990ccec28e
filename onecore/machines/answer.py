"""What the answer of a driver call means for the record of its machine or address."""

from dataclasses import dataclass, replace

from onecore.errors import OneError
from onecore.machines import record
from onecore.machines.calls import Binding
from onecore.machines.decide import Step
from onecore.machines.ledger import Call
from onecore.machines.model import Resource, RetryPolicy
from onecore.process import Ended, Outcome


@dataclass(frozen=True)
class Answer:
    """The record as it is now and why; `outcome` (ok, failed, unknown) and `detail` are for the journal."""

    record: Resource
    why: str
    outcome: str
    detail: str
    level: str = "I"
    action: str = "Resource"


@dataclass(frozen=True)
class Reader:
    """`binding` None: nothing was started. `jitter` (0 to 1) spreads the pause before the next try."""

    binding: Binding | None
    policy: RetryPolicy
    now: float
    jitter: float

    def read(self, call: Call, resource: Resource, outcome: Outcome) -> Answer:
        """`resource` is the record at this moment: what is wanted of it may have changed since the start."""
        duration = f"{outcome.duration_s:.2f} s"
        if self.binding is None:
            return self._failed(call, resource, outcome, outcome.problem)
        try:
            if not outcome.ok:
                raise self.binding.failure(call.verb, resource.label, outcome)
            if call.step is None:
                return Answer(replace(resource, since=self.now), f"{call.verb} done in {duration}", "ok", "")
            if call.step is Step.DESTROY:
                gone = record.destroyed(resource, self.now)
                return Answer(gone, f"{call.verb} done in {duration}", "ok", "")
            deploy_id, addresses = self.binding.created_id(resource, outcome)
        except OneError as exc:
            return self._failed(call, resource, outcome, exc.message)
        made = record.created(resource, deploy_id, addresses, self.now)
        why = f"{call.verb} answered {deploy_id} in {duration}"
        return Answer(made, why, "ok", deploy_id, action="Resource provisioned")

    def _failed(self, call: Call, resource: Resource, outcome: Outcome, error: str) -> Answer:
        refused = outcome.ended is Ended.EXITED and not outcome.ok
        clear = (refused or outcome.ended is Ended.NOT_STARTED) and not call.doubtful
        said = "failed" if clear else "unknown"
        if call.step is None:
            return Answer(replace(resource, since=self.now), error, said, error, "W")
        change = record.refused if clear else record.lost
        changed = change(resource, error, self.policy, self.now, self.jitter)
        return Answer(changed, error, said, error, "W")
