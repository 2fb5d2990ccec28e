"""The policies of a role with their state: when one is looked at, what it counts, and when it fires."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from math import ceil
from typing import NamedTuple, Self

from onecore.errors import InvalidInput
from oneflow.elasticity import schedule
from oneflow.elasticity.adjust import Adjustment
from oneflow.elasticity.evaluate import Evaluation
from oneflow.elasticity.expression import parse
from oneflow.elasticity.fields import whole
from oneflow.elasticity.tree import Expression

# A timer this late still keeps its rhythm, so that ticks do not add up to a drift.
LATE_S = 1.0
# A last evaluation further in the future than this means that the clock was put back: do not wait for it.
CLOCK_STEP_S = 60.0

_STATE_KEYS = ("true_evals", "last_eval", "expression_evaluated")


@dataclass(frozen=True)
class PolicyState:
    """What a policy remembers; `last_eval` in whole seconds since the epoch, None before the first look."""

    true_evals: int = 0
    last_eval: int | None = None
    expression_evaluated: str = ""

    @classmethod
    def from_json(cls, body: Mapping[str, object]) -> Self:
        """From the policy of a document; what makes no sense there is forgotten."""
        last_eval, evals, text = (
            body.get(key) for key in ("last_eval", "true_evals", "expression_evaluated")
        )
        return cls(
            true_evals=evals if isinstance(evals, int) and evals > 0 else 0,
            last_eval=last_eval if isinstance(last_eval, int) else None,
            expression_evaluated=text if isinstance(text, str) else "",
        )


class Step(NamedTuple):
    """The outcome of one look at a policy."""

    state: PolicyState
    fired: bool
    reason: str


@dataclass(frozen=True)
class ElasticityPolicy:
    """`body` is the policy as its document has it, without the state."""

    adjustment: Adjustment
    expression: Expression
    body: Mapping[str, object]
    period: int = 0
    period_number: int = 0
    cooldown: int | None = None

    @classmethod
    def parse(cls, body: Mapping[str, object], where: str = "elasticity policy") -> Self:
        """`where` begins the message of what is wrong: `Role 'a', elasticity policy #0`."""
        text = body.get("expression")
        if not isinstance(text, str):
            raise InvalidInput(f"{where} 'expression' must be a String")
        if not text.strip(" "):
            raise InvalidInput(f"{where} 'expression' cannot be empty")
        try:
            expression = parse(text)
        except InvalidInput as exc:
            reason = exc.context["reason"]
            raise InvalidInput(
                f"{where} 'expression' parse error: {reason}", hint=exc.hint, context=exc.context
            ) from exc
        return cls(
            adjustment=Adjustment.parse(body, where),
            expression=expression,
            body=_written(body),
            period=whole(body, "period", where, least=0) or 0,
            period_number=whole(body, "period_number", where, least=0) or 0,
            cooldown=whole(body, "cooldown", where, least=0),
        )

    def to_json(self, state: PolicyState) -> dict[str, object]:
        """The policy of a document, with what was counted once it has been looked at."""
        if state.last_eval is None:
            return dict(self.body)
        return {
            **self.body,
            "true_evals": state.true_evals,
            "last_eval": state.last_eval,
            "expression_evaluated": state.expression_evaluated,
        }


@dataclass(frozen=True)
class ScheduledPolicy:
    """Exactly one of `recurrence` and `start_time`; `body` as in ElasticityPolicy."""

    adjustment: Adjustment
    body: Mapping[str, object]
    recurrence: schedule.Recurrence | None = None
    start_time: str | int | None = None
    cooldown: int | None = None

    @classmethod
    def parse(
        cls, body: Mapping[str, object], now: float, tz: tzinfo, where: str = "scheduled policy"
    ) -> Self:
        """`now` and `tz` are for the check of the start time, which may lack its date."""
        recurrence, start_time = body.get("recurrence"), body.get("start_time")
        if recurrence is not None and start_time is not None:
            raise InvalidInput(f"{where} must define 'start_time' or 'recurrence', but not both")
        if recurrence is None and start_time is None:
            raise InvalidInput(f"{where} needs to define either 'start_time' or 'recurrence'")
        if start_time is not None:
            schedule.parse_start_time(start_time, now, tz, where)
        return cls(
            adjustment=Adjustment.parse(body, where),
            body=_written(body),
            recurrence=None if recurrence is None else schedule.parse_recurrence(str(recurrence), where),
            start_time=start_time if isinstance(start_time, str | int) else None,
            cooldown=whole(body, "cooldown", where, least=0),
        )

    def resolved(self, now: float, tz: tzinfo) -> Self:
        """The same with a start time that says its date. To be done once, when a service is made or gets the
        policy: else `15:45` comes again every day."""
        if self.start_time is None or not schedule.is_relative(self.start_time, now, tz):
            return self
        start = schedule.parse_start_time(self.start_time, now, tz)
        text = datetime.fromtimestamp(start, tz).isoformat()
        return replace(self, start_time=text, body={**self.body, "start_time": text})

    def slot_after(self, after: float, now: float, tz: tzinfo) -> float | None:
        """The first moment later than `after` at which it fires; None if there is none."""
        if self.recurrence is not None:
            return self.recurrence.next_after(after, tz)
        start = schedule.parse_start_time(self.start_time, now, tz)
        return start if start > after else None

    def to_json(self, state: PolicyState) -> dict[str, object]:
        seen = {} if state.last_eval is None else {"last_eval": state.last_eval}
        return {**self.body, **seen}

    def __str__(self) -> str:
        if self.recurrence is not None:
            return f"recurrence {self.recurrence.fields!r}"
        return f"start_time {self.start_time!r}"


def step(policy: ElasticityPolicy, state: PolicyState, evaluation: Evaluation, now: float) -> Step:
    """Counts one evaluation, if the policy's own timer says that it is time for one."""
    if not is_due(policy, state, now):
        wait = next_wakeup(policy, state, now) - now
        return Step(
            state, False, f"{_progress(policy, state, evaluation)}; next evaluation in {ceil(wait)} s"
        )
    true_evals = min(state.true_evals + 1, policy.period_number) if evaluation.verdict else 0
    counted = PolicyState(true_evals, _tick(policy, state, now), evaluation.text)
    fired = bool(evaluation.verdict) and true_evals >= policy.period_number
    return Step(counted, fired, _progress(policy, counted, evaluation))


def is_due(policy: ElasticityPolicy, state: PolicyState, now: float) -> bool:
    last = state.last_eval
    return last is None or now >= last + policy.period or now < last - CLOCK_STEP_S


def next_wakeup(policy: ElasticityPolicy, state: PolicyState, now: float) -> float:
    """When to look again: never in the past; a policy without a period is looked at every second."""
    if state.last_eval is None or now < state.last_eval - CLOCK_STEP_S:
        return now
    return max(state.last_eval + max(policy.period, 1), now)


def step_schedule(policy: ScheduledPolicy, state: PolicyState, now: float, tz: tzinfo) -> Step:
    """Fires for the first slot since the last look; the first look of all only remembers the time, and slots
    that were missed beyond the first are dropped."""
    seen = replace(state, last_eval=int(now))
    slot = policy.slot_after(now if state.last_eval is None else state.last_eval, now, tz)
    if slot is None:
        return Step(seen, False, f"{policy} does not come any more")
    moment = schedule.local_text(slot, tz)
    if slot <= now:
        return Step(seen, True, f"{policy} at {moment}")
    return Step(seen, False, f"{policy} comes at {moment}")


def next_slot(policy: ScheduledPolicy, state: PolicyState, now: float, tz: tzinfo) -> float | None:
    """When to look again; None if it will not fire any more."""
    if state.last_eval is None:
        return now
    slot = policy.slot_after(state.last_eval, now, tz)
    return None if slot is None else max(slot, now)


def _written(body: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in body.items() if key not in _STATE_KEYS}


def _tick(policy: ElasticityPolicy, state: PolicyState, now: float) -> int:
    """The moment to remember: on the grid of the period, unless that was left by more than a second."""
    if state.last_eval is None:
        return int(now)
    due = state.last_eval + policy.period
    return due if policy.period and 0 <= now - due < LATE_S else int(now)


def _progress(policy: ElasticityPolicy, state: PolicyState, evaluation: Evaluation) -> str:
    if evaluation.verdict is None:
        return f"{evaluation.text} is unknown: no running VM reports {', '.join(evaluation.missing)}"
    if not evaluation.verdict:
        return f"{evaluation.text} is false"
    needed = policy.period_number
    if state.true_evals < needed:
        return f"{evaluation.text} is true, {state.true_evals} of {needed} times"
    return f"{evaluation.text} for {needed} period{'' if needed == 1 else 's'}" if needed else evaluation.text
