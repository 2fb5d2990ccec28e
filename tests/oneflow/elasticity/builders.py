"""Roles, policies and their state with sensible defaults for the tests."""

from datetime import UTC, datetime, tzinfo

from oneflow.elasticity.decide import Decision, decide
from oneflow.elasticity.evaluate import Values
from oneflow.elasticity.policy import ElasticityPolicy, PolicyState, ScheduledPolicy
from oneflow.elasticity.role import RoleState, RoleView

NOW = 1_760_000_000


def at(text: str, tz: tzinfo = UTC) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=tz).timestamp()


def a_policy(**changed) -> ElasticityPolicy:
    body = {"type": "CHANGE", "adjust": 1, "expression": "CUSTOM_ATT>40", "period": 3, "period_number": 3}
    return ElasticityPolicy.parse({**body, **changed})


def a_schedule(now: float = NOW, tz: tzinfo = UTC, **changed) -> ScheduledPolicy:
    return ScheduledPolicy.parse({"type": "CHANGE", "adjust": 4, **changed}, now, tz)


def a_role(**changed) -> RoleView:
    return RoleView(**{"name": "web", "cardinality": 1, "min_vms": 1, "max_vms": 4, **changed})


def a_state(*counted: int, last_eval: int | None = None, scheduled: tuple[int, ...] = ()) -> RoleState:
    return RoleState(
        tuple(PolicyState(true_evals, last_eval) for true_evals in counted),
        tuple(PolicyState(last_eval=seen) for seen in scheduled),
    )


def decided(
    role: RoleView, states: RoleState, values: Values, now: float, default_cooldown: int = 300
) -> Decision:
    """The decision, where there has to be one."""
    decision = decide(role, states, values, now, default_cooldown).decision
    assert decision
    return decision
