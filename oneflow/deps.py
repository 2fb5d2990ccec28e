"""What the use cases and the controller of OneFlow act with."""

from dataclasses import dataclass, field

from onecore.deps import Deps
from oneflow.model.settings import FlowSettings


@dataclass(frozen=True)
class FlowDeps(Deps):
    """Everything of onecore.deps, and what the installation sets for its services."""

    flow: FlowSettings = field(default_factory=FlowSettings)
