"""Whether a role is to grow or shrink now: the one decision, its reason, what the policies remember, and when
to look again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import partial

from oneflow.elasticity.adjust import Adjustment
from oneflow.elasticity.evaluate import Values, evaluate
from oneflow.elasticity.policy import (
    PolicyState,
    Step,
    next_slot,
    next_wakeup,
    step,
    step_schedule,
)
from oneflow.elasticity.role import RoleState, RoleView

DEFAULT_COOLDOWN_S = 300


@dataclass(frozen=True)
class Decision:
    """`role` goes from `before` to `after` machines, then rests for `cooldown` seconds."""

    role: str
    before: int
    after: int
    cooldown: int
    reason: str


@dataclass(frozen=True)
class Outcome:
    """What a look at a role gave. `states` are to be stored also without a decision; `wake_at` is None when
    no policy will ever need another look; `lines` say of each policy why it did or did not fire."""

    decision: Decision | None
    states: RoleState
    wake_at: float | None
    lines: tuple[str, ...]


@dataclass(frozen=True)
class _Candidate:
    label: str
    adjustment: Adjustment
    cooldown: int
    state: PolicyState
    look: Callable[[], Step]


def decide(
    role: RoleView,
    states: RoleState,
    values: Values,
    now: float,
    default_cooldown: int = DEFAULT_COOLDOWN_S,
    tz: tzinfo = UTC,
) -> Outcome:
    """Scheduled policies come first, then the elasticity policies in their order, then the rule that a role
    never has fewer than `min_vms`; the first that changes something wins and the rest wait."""
    states = states.matching(role)
    decision: Decision | None = None
    after, lines = [], []
    for candidate in _candidates(role, states, values, now, default_cooldown, tz):
        if decision is not None:
            after.append(candidate.state)
            lines.append(f"{candidate.label}: not looked at, because the role scales already")
            continue
        looked = candidate.look()
        after.append(looked.state)
        decision, line = _judged(role, candidate, looked)
        lines.append(line)
    if role.min_vms is not None:
        decision, line = _minimum(role, role.min_vms, decision)
        lines.append(line)
    count = len(role.scheduled)
    new = RoleState(tuple(after[count:]), tuple(after[:count]))
    wake_at = _wake_at(role, new, now, tz)
    return Outcome(decision, new.scaling() if decision else new, wake_at, tuple(lines))


def explain(
    role: RoleView,
    states: RoleState,
    values: Values,
    now: float,
    default_cooldown: int = DEFAULT_COOLDOWN_S,
    tz: tzinfo = UTC,
) -> list[str]:
    """What a decision taken now would say of each policy; nothing is counted."""
    outcome = decide(role, states, values, now, default_cooldown, tz)
    if not outcome.lines:
        return [f"role {role.name} has no policies and no min_vms: only people scale it"]
    return [f"role {role.name}, {line}" for line in outcome.lines]


def _candidates(
    role: RoleView, states: RoleState, values: Values, now: float, default_cooldown: int, tz: tzinfo
) -> list[_Candidate]:
    rest = default_cooldown if role.cooldown is None else role.cooldown
    scheduled = [
        _Candidate(
            label=f"scheduled policy {at}",
            adjustment=policy.adjustment,
            cooldown=rest if policy.cooldown is None else policy.cooldown,
            state=state,
            look=partial(step_schedule, policy, state, now, tz),
        )
        for at, (policy, state) in enumerate(zip(role.scheduled, states.scheduled, strict=True))
    ]
    return scheduled + [
        _Candidate(
            label=f"elasticity policy {at}",
            adjustment=policy.adjustment,
            cooldown=rest if policy.cooldown is None else policy.cooldown,
            state=state,
            look=partial(step, policy, state, evaluate(policy.expression, values), now),
        )
        for at, (policy, state) in enumerate(zip(role.policies, states.policies, strict=True))
    ]


def _judged(role: RoleView, candidate: _Candidate, looked: Step) -> tuple[Decision | None, str]:
    if not looked.fired:
        return None, f"{candidate.label}: {looked.reason}"
    before, after = role.cardinality, candidate.adjustment.target(role.cardinality, role.limits)
    if after == before:
        bounds = f"min_vms {_shown(role.min_vms)}, max_vms {_shown(role.max_vms)}"
        return (
            None,
            f"{candidate.label}: {looked.reason}, but {candidate.adjustment} leaves {before} ({bounds})",
        )
    reason = f"{looked.reason}: {before} → {after}"
    return Decision(
        role.name, before, after, candidate.cooldown, reason
    ), f"{candidate.label} fires: {reason}"


def _minimum(role: RoleView, least: int, decision: Decision | None) -> tuple[Decision | None, str]:
    before = role.cardinality
    if decision is not None:
        return decision, "min_vms: not looked at, because the role scales already"
    if before >= least:
        return None, f"min_vms: {before} is not below {least}"
    reason = f"fewer than min_vms {least}: {before} → {least}"
    # Repair does not have to rest.
    return Decision(role.name, before, least, 0, reason), f"min_vms fires: {reason}"


def _wake_at(role: RoleView, states: RoleState, now: float, tz: tzinfo) -> float | None:
    elastic = [next_wakeup(p, s, now) for p, s in zip(role.policies, states.policies, strict=True)]
    slots = [next_slot(p, s, now, tz) for p, s in zip(role.scheduled, states.scheduled, strict=True)]
    return min([*elastic, *(slot for slot in slots if slot is not None)], default=None)


def _shown(limit: int | None) -> str:
    return "none" if limit is None else str(limit)
