"""A role as elasticity sees it, and what its policies remember: from and to the role of a document."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import Self

from oneflow.elasticity.adjust import Limits
from oneflow.elasticity.fields import mappings, whole
from oneflow.elasticity.policy import ElasticityPolicy, PolicyState, ScheduledPolicy
from oneflow.elasticity.tree import names_of


@dataclass(frozen=True)
class RoleView:
    """A role as elasticity sees it. `cardinality` is the wanted number, not the one observed."""

    name: str
    cardinality: int
    min_vms: int | None = None
    max_vms: int | None = None
    cooldown: int | None = None
    policies: tuple[ElasticityPolicy, ...] = ()
    scheduled: tuple[ScheduledPolicy, ...] = ()

    @classmethod
    def parse(cls, body: Mapping[str, object], now: float, tz: tzinfo = UTC) -> Self:
        """From the role of a document; the messages are those of a template's validation."""
        name = str(body.get("name"))
        where = f"Role '{name}'"
        policies = mappings(body, "elasticity_policies", where)
        scheduled = mappings(body, "scheduled_policies", where)
        cardinality = whole(body, "cardinality", where, least=0)
        return cls(
            name=name,
            cardinality=1 if cardinality is None else cardinality,
            min_vms=whole(body, "min_vms", where, least=0),
            max_vms=whole(body, "max_vms", where, least=0),
            cooldown=whole(body, "cooldown", where, least=0),
            policies=tuple(
                ElasticityPolicy.parse(policy, f"{where}, elasticity policy #{at}")
                for at, policy in enumerate(policies)
            ),
            scheduled=tuple(
                ScheduledPolicy.parse(policy, now, tz, f"{where}, scheduled policy #{at}")
                for at, policy in enumerate(scheduled)
            ),
        )

    @property
    def limits(self) -> Limits:
        return Limits(self.min_vms, self.max_vms)

    @property
    def names(self) -> frozenset[str]:
        """The attributes whose values a decision needs."""
        return frozenset[str]().union(*(names_of(policy.expression) for policy in self.policies))

    def resolved(self, now: float, tz: tzinfo = UTC) -> Self:
        """With start times that say their date; once, when the role becomes part of a service."""
        return replace(self, scheduled=tuple(policy.resolved(now, tz) for policy in self.scheduled))


@dataclass(frozen=True)
class RoleState:
    """What the policies of a role remember, in their order."""

    policies: tuple[PolicyState, ...] = ()
    scheduled: tuple[PolicyState, ...] = ()

    @classmethod
    def from_json(cls, body: Mapping[str, object]) -> Self:
        """From the role of a document."""
        return cls(
            tuple(PolicyState.from_json(each) for each in mappings(body, "elasticity_policies", "role")),
            tuple(PolicyState.from_json(each) for each in mappings(body, "scheduled_policies", "role")),
        )

    def to_json(self, role: RoleView) -> dict[str, object]:
        """The two lists of policies for the role of a document."""
        state = self.matching(role)
        return {
            "elasticity_policies": [p.to_json(s) for p, s in zip(role.policies, state.policies, strict=True)],
            "scheduled_policies": [
                p.to_json(s) for p, s in zip(role.scheduled, state.scheduled, strict=True)
            ],
        }

    def scaling(self) -> Self:
        """With the counters at 0, as they are when the role begins to scale, for whatever reason."""
        return replace(self, policies=tuple(replace(state, true_evals=0) for state in self.policies))

    def matching(self, role: RoleView) -> Self:
        """With a state for each policy of the role: a fresh one for what is new."""
        return replace(
            self,
            policies=_as_many(self.policies, len(role.policies)),
            scheduled=_as_many(self.scheduled, len(role.scheduled)),
        )


def _as_many(states: tuple[PolicyState, ...], count: int) -> tuple[PolicyState, ...]:
    return states[:count] + (PolicyState(),) * (count - len(states))
