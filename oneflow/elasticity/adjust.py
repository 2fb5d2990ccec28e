"""How many machines a policy asks for, given how many there are and how many there may be."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from onecore.errors import InvalidInput
from oneflow.elasticity.fields import whole


class AdjustType(StrEnum):
    CHANGE = "CHANGE"
    CARDINALITY = "CARDINALITY"
    PERCENTAGE_CHANGE = "PERCENTAGE_CHANGE"


@dataclass(frozen=True)
class Limits:
    """The numbers between which elasticity moves a role; None is no limit."""

    min_vms: int | None = None
    max_vms: int | None = None


@dataclass(frozen=True)
class Adjustment:
    type: AdjustType
    adjust: int
    min_adjust_step: int | None = None

    @classmethod
    def parse(cls, body: Mapping[str, object], where: str) -> Self:
        """From the fields of a policy; `where` begins the message of what is wrong."""
        adjust = whole(body, "adjust", where)
        if adjust is None:
            raise InvalidInput(f"{where} 'adjust' is required")
        if adjust == 0:
            raise InvalidInput(
                f"{where} 'adjust' cannot be 0", hint="a policy that changes nothing is useless"
            )
        return cls(_type(body, where), adjust, whole(body, "min_adjust_step", where, least=1))

    def target(self, cardinality: int, limits: Limits) -> int:
        """The new number of machines, never below 0.

        A role that was forced out of its limits comes back step by step: a growing one is never cut down, and
        only a shrinking one, or one with a wanted number, is lifted to `min_vms`.
        """
        wanted = self._wanted(cardinality)
        if self.adjust > 0 and limits.max_vms is not None:
            wanted = min(wanted, max(cardinality, limits.max_vms))
        if self.adjust < 0 or self.type is AdjustType.CARDINALITY:
            wanted = max(wanted, limits.min_vms or 0)
        return max(wanted, 0)

    def __str__(self) -> str:
        """As in the tables of the command line: `+ 2`, `= 6`, `- 10 % (2)`."""
        if self.type is AdjustType.CARDINALITY:
            return f"= {self.adjust}"
        text = f"{'+' if self.adjust > 0 else '-'} {abs(self.adjust)}"
        if self.type is AdjustType.CHANGE:
            return text
        return f"{text} %" + (f" ({self.min_adjust_step})" if self.min_adjust_step else "")

    def _wanted(self, cardinality: int) -> int:
        match self.type:
            case AdjustType.CHANGE:
                return cardinality + self.adjust
            case AdjustType.CARDINALITY:
                return self.adjust
            case AdjustType.PERCENTAGE_CHANGE:
                share = abs(cardinality * self.adjust) // 100
                step = max(share, 1, self.min_adjust_step or 0) if self.adjust else 0
                # The sign is that of the adjustment: a percentage of nothing still has a direction.
                return cardinality + (step if self.adjust > 0 else -step)


def _type(body: Mapping[str, object], where: str) -> AdjustType:
    try:
        return AdjustType(str(body.get("type")))
    except ValueError:
        raise InvalidInput(f"{where} 'type' must be one of {', '.join(AdjustType)}") from None
