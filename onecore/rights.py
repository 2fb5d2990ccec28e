"""What has an owner, and whether somebody may do something with it."""

from typing import Protocol

from onecore.access import Permissions, Principal, Resource, Right, check
from onecore.ids import GroupId, UserId
from onecore.store import accounts
from onecore.store.engine import Transaction


class Owned(Protocol):
    """A record with an owner, a group and permission bits."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def uid(self) -> int: ...
    @property
    def gid(self) -> int: ...
    @property
    def permissions(self) -> int: ...


def as_resource(tx: Transaction, owned: Owned, kind: str) -> Resource:
    """What the check of rights needs to know of it; `kind` is what it is called in messages."""
    owners = {user.id: user.name for user in accounts.users(tx)}
    return Resource(
        kind=kind,
        id=owned.id,
        name=owned.name,
        owner_id=UserId(owned.uid),
        owner_name=owners.get(UserId(owned.uid), str(owned.uid)),
        group_id=GroupId(owned.gid),
        permissions=Permissions(owned.permissions),
    )


def require(tx: Transaction, who: Principal, right: Right, owned: Owned, kind: str) -> None:
    """Raises NotAuthorized."""
    check(who, as_resource(tx, owned, kind), right)
