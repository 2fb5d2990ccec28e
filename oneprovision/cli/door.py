"""What a command can ask: one protocol, with the state file (local) or a server (remote) behind it.

Both answer with the same documents and raise the same errors, so that no command knows which one it has.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from onecore.document import Document
from onecore.history import Event

if TYPE_CHECKING:
    from oneprovision.model.folder import Input
    from oneprovision.model.provider import ProviderForm
    from oneprovision.model.states import Operation
    from oneprovision.usecases.oneform import CreateFromFolder
    from oneprovision.usecases.provisions import CreateProvision
    from oneprovision.usecases.scaling import RemoveHosts

Names = list[tuple[int, str]]
Effort = Mapping[str, object]


@dataclass(frozen=True)
class Row:
    """A line of `list`. `registered_at` in seconds."""

    id: int
    user: str
    group: str
    name: str
    registered_at: float
    hosts: int = 0
    state: str = ""
    driver: str = ""


class Provisions(Protocol):
    """Raises what the use cases raise: NotFound, InvalidInput, WrongState …"""

    def names(self) -> Names:
        """What a name can mean: of several with one name those that are not DONE."""

    def check(self, numbers: Sequence[int]) -> None:
        """Whether all of them exist. Raises NotFound."""

    def rows(self, done: bool) -> list[Row]: ...
    def pool(self, kept: Sequence[Row]) -> Document: ...
    def document(self, number: int) -> Document: ...
    def objects(self, number: int, kind: str) -> Names:
        """The hosts (or networks) of a provision, those on their way in or out, too."""

    def log(self, number: int, after: int = 0) -> list[Event]:
        """What happened after the line with that id; the last one has the id to go on from."""

    def is_busy(self, number: int) -> bool: ...
    def update(self, number: int, changes: Mapping[str, object]) -> None: ...
    def chmod(self, number: int, mode: str) -> None: ...
    def chown(self, number: int, user: str, group: str | None) -> None: ...
    def chgrp(self, number: int, group: str) -> None: ...

    # -- what is carried out; `effort` has the fields of Options that were said
    def create(self, request: "CreateProvision | CreateFromFolder", effort: Effort) -> int: ...
    def add_hosts(self, number: int, amount: int, ips: tuple[str, ...], effort: Effort) -> None: ...
    def remove_hosts(self, number: int, request: "RemoveHosts", effort: Effort) -> None: ...
    def add_ip(self, number: int, amount: int, network: int | None, effort: Effort) -> None: ...
    def remove_ip(self, number: int, ar_id: int, network: int | None, effort: Effort) -> None: ...
    def require(self, numbers: Sequence[int], operation: "Operation", force: bool = False) -> None:
        """Raises WrongState where the state of one of them does not allow it."""

    def retry(self, number: int, force: bool, effort: Effort) -> None: ...
    def configure(self, number: int, force: bool) -> None: ...
    def deprovision(self, number: int, force: bool, effort: Effort) -> None: ...
    def cancel(self, number: int) -> str:
        """Returns what was done, where that is known."""

    def delete(self, number: int, force: bool, from_db: bool) -> list[str]:
        """Returns a line for each thing that is left at a provider."""

    def see_through(self, numbers: Sequence[int], tell: Callable[[int, Event], None]) -> None:
        """Wait until nothing more is done with them, and `tell` what happens meanwhile. Raises OneError for
        the first that ended failed."""


class Providers(Protocol):
    def names(self) -> Names: ...
    def rows(self) -> list[Row]: ...
    def pool(self, kept: Sequence[Row]) -> Document: ...
    def document(self, number: int, sensitive: bool = False) -> Document: ...
    def asked(self, driver: str) -> "Sequence[Input]":
        """What an account of the driver consists of; nothing where that is not known."""

    def create(self, form: "ProviderForm") -> int: ...
    def update(self, number: int, form: "ProviderForm") -> None: ...
    def delete(self, number: int) -> None: ...
    def chmod(self, number: int, mode: str) -> None: ...
    def chown(self, number: int, user: str | None, group: str | None) -> None: ...


class Drivers(Protocol):
    """OneForm drivers, by name."""

    def documents(self, enabled: bool) -> list[Document]: ...
    def document(self, name: str) -> Document: ...
    def sync(self) -> Document:
        """`{"success": [name, …], "failed": [{"name": …, "error": …}, …]}`"""

    def enable(self, name: str) -> None: ...
    def disable(self, name: str) -> None: ...
