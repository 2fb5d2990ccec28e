"""What a command can ask: one protocol, with the state file (local) or a server (remote) behind it.

Both answer with the same documents and raise the same errors, so that no command knows which one it has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from onecore.document import Document
from onecore.history import Event
from oneflow.model.document import Kind
from oneflow.model.states import FAILED, SETTLED, ServiceState

if TYPE_CHECKING:
    from oneflow.usecases.jobs import Batch
    from oneflow.usecases.services import Scale


@dataclass(frozen=True)
class Progress:
    """How far a service is: its state, whether something is still being done, and what went wrong. `stuck`: a
    role that leaves it cannot."""

    id: int
    state: ServiceState
    busy: bool = False
    why: str = ""
    stuck: bool = False

    @property
    def settled(self) -> bool:
        """Nothing changes any more unless somebody asks or a machine does (COOLDOWN ends by itself)."""
        return not self.busy and self.state in SETTLED | {ServiceState.COOLDOWN}

    @property
    def failed(self) -> bool:
        return self.state in FAILED or self.stuck


class Door(Protocol):
    """Documents of a kind by number. Raises what the use cases raise: NotFound, InvalidInput, WrongState …"""

    # -- documents of any kind
    def listed(self, kind: Kind, brief: bool = False) -> Document:
        """`brief`: what a table needs; what is known of each VM may be missing."""

    def shown(self, kind: Kind, number: int) -> Document: ...
    def create(self, kind: Kind, data: object) -> Document: ...
    def update(self, kind: Kind, number: int, data: object, append: bool = False) -> None: ...
    def delete(self, kind: Kind, number: int, deep: bool = False) -> None:
        """`deep`, of a template: also the VM templates that nothing else needs."""

    def rename(self, kind: Kind, number: int, name: str) -> None: ...
    def chown(self, kind: Kind, number: int, user: str, group: str | None) -> None: ...
    def chgrp(self, kind: Kind, number: int, group: str) -> None: ...
    def chmod(self, kind: Kind, number: int, mode: str) -> None: ...

    # -- templates
    def clone(self, number: int, name: str, deep: bool = False) -> Document:
        """`deep`: with copies of its VM templates."""

    def instantiate(self, number: int, changes: object) -> Document: ...

    # -- services
    def shutdown(self, number: int) -> None: ...
    def recover(self, number: int, and_delete: bool = False) -> None: ...
    def release(self, number: int) -> None: ...
    def scale(self, number: int, asked: "Scale") -> None: ...
    def add_role(self, number: int, data: object) -> None: ...
    def remove_role(self, number: int, role: str) -> None: ...
    def act(self, number: int, role: str | None, batch: "Batch") -> str: ...
    def cancel(self, number: int, job: int, role: str | None) -> None: ...
    def purge_done(self) -> None: ...
    def log(self, number: int, after: int = 0) -> list[Event]: ...
    def explain(self, number: int) -> list[str]: ...

    def token(self, vm: int) -> tuple[str, str]:
        """With what a VM proves itself at OneGate, and where that is."""

    # -- waiting
    def progress(self, number: int) -> Progress | None:
        """None when the service is no more."""

    def carry_out(self, numbers: Sequence[int], wait: bool | None) -> None:
        """Have what was asked of these services done, and wait until they are settled. `wait`: None is what
        the place has by default. Raises Interrupted and TimedOut when the user stops waiting."""


def documents_in(pool: Document) -> list[Any]:
    """The documents of a pool, which has no inner key when it is empty."""
    found: list[Any] = pool["DOCUMENT_POOL"].get("DOCUMENT", [])
    return found
