"""What the use cases and the controller of OneFlow act with."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from onecore.deps import Deps
from oneflow.model.settings import FlowSettings

if TYPE_CHECKING:
    from oneflow.nebula.site import Nebula


@dataclass(frozen=True)
class FlowDeps(Deps):
    """Everything of onecore.deps, and what the installation sets for its services. `nebula` None: VMs are
    machines of pm drivers."""

    flow: FlowSettings = field(default_factory=FlowSettings)
    nebula: "Nebula | None" = None
