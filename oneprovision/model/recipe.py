"""How the hosts of a provision are configured, as a value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from oneprovision.model.inventory import Described, Node


@dataclass(frozen=True)
class Recipe:
    """`playbooks` run in this order on every host that is new; `cleanup` on those that are to go.

    `config`: an ansible.cfg. `secrets` must be shown nowhere. `describe` gives the inventory where it is more
    than the hosts with their `configuration`; such playbooks see themselves to how a host is reached.
    """

    playbooks: tuple[Path, ...] = ()
    cleanup: tuple[Path, ...] = ()
    extra_vars: Mapping[str, object] = field(default_factory=dict, repr=False)
    tags: str = ""
    config: Path | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    describe: Callable[[Sequence[Node]], Described] | None = None
