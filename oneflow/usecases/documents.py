"""What all documents have in common: who may see and change them, their owners, permissions and names."""

from collections.abc import Sequence
from dataclasses import replace

from onecore.access import Mode, Permissions, Right, allows, needed_to_change
from onecore.deps import Deps
from onecore.document import Document, pool
from onecore.errors import InvalidInput, NotAuthorized
from onecore.ids import GroupId, UserId
from onecore.rights import require
from onecore.store import accounts
from onecore.store.engine import Transaction
from oneflow import store
from oneflow.model.document import Kind, Stored

LONGEST_NAME = 128


def authorized(tx: Transaction, deps: Deps, kind: Kind, number: int, right: Right) -> Stored:
    """The document, if the one who asks may do that with it. Raises NotFound, NotAuthorized."""
    document = store.get(tx, kind, number)
    require(tx, deps.principal, right, document, kind.noun)
    return document


def visible(
    tx: Transaction, deps: Deps, kind: Kind, page: int | None = None, per_page: int = 100
) -> list[Stored]:
    """Those that the asker may use, by number, or the n-th page of them, from 1."""
    return store.some(tx, kind, _page_of(usable(tx, deps, kind), page, per_page))


def usable(tx: Transaction, deps: Deps, kind: Kind) -> list[int]:
    """The numbers of those that the asker may use; no body is read for them."""
    who = deps.principal
    return [
        number
        for number, uid, gid, bits in store.rights(tx, kind)
        if allows(who, UserId(uid), GroupId(gid), Permissions(bits), Right.USE)
    ]


def listed(deps: Deps, kind: Kind, page: int | None = None, per_page: int = 100) -> Document:
    """The pool of templates as it is served."""
    require_ours(deps, kind)
    with deps.database.read() as tx:
        names = store.owners(tx)
        return pool([d.served(names) for d in visible(tx, deps, kind, page, per_page)])


def shown(deps: Deps, kind: Kind, number: int) -> Document:
    require_ours(deps, kind)
    with deps.database.read() as tx:
        document = authorized(tx, deps, kind, number, Right.USE)
        return document.served(store.owners(tx))


def require_ours(deps: Deps, kind: Kind) -> None:
    """VM templates of an OpenNebula are no documents of ours."""
    if kind is Kind.VM_TEMPLATE and deps.settings.opennebula:
        raise InvalidInput(
            f"VM templates are those of the OpenNebula at {deps.settings.opennebula}",
            hint="see its command onetemplate",
        )


def rename(deps: Deps, kind: Kind, number: int, name: str) -> None:
    """Another name of the document; the name inside its body stays (reference: Rename)."""
    _change(deps, kind, number, name=checked_name(name))


def chmod(deps: Deps, kind: Kind, number: int, mode: str) -> None:
    """`mode` as Mode reads it."""
    change = Mode.parse(mode)
    with deps.database.begin() as tx:
        document = authorized(tx, deps, kind, number, Right.MANAGE)
        before = Permissions(document.permissions)
        after = before.changed(change)
        authorized(tx, deps, kind, number, needed_to_change(before, after))
        store.save(tx, replace(document, permissions=after.bits))


def chown(deps: Deps, kind: Kind, number: int, user: str, group: str | None = None) -> None:
    """`user`, `group`: id or name; -1 leaves what is. Only administrators give things away."""
    _require_admin(deps, "chown")
    fields: dict[str, int] = {}
    with deps.database.read() as tx:
        if user != "-1":
            fields["uid"] = accounts.user_id(tx, user)
        if group not in (None, "-1"):
            fields["gid"] = accounts.group_id(tx, str(group))
    _change(deps, kind, number, **fields)


def chgrp(deps: Deps, kind: Kind, number: int, group: str) -> None:
    _require_admin(deps, "chgrp")
    with deps.database.read() as tx:
        gid = accounts.group_id(tx, group)
    _change(deps, kind, number, gid=gid)


def checked_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise InvalidInput(f"KEY: 'name' must be 1 to {LONGEST_NAME} characters that can be printed")
    return name


def _change(deps: Deps, kind: Kind, number: int, **fields: object) -> None:
    with deps.database.begin() as tx:
        document = authorized(tx, deps, kind, number, Right.MANAGE)
        store.save(tx, replace(document, **fields))  # type: ignore[arg-type]  # the callers' own names


def _page_of(numbers: Sequence[int], page: int | None, per_page: int) -> Sequence[int]:
    if page is None:
        return numbers
    if page < 1 or not 1 <= per_page <= 10_000:
        raise InvalidInput("'page' counts from 1, and 'per_page' is 1 to 10000")
    return numbers[(page - 1) * per_page : page * per_page]


def _require_admin(deps: Deps, what: str) -> None:
    if not deps.principal.is_admin:
        raise NotAuthorized(f"only members of the group oneadmin may {what}", hint="ask oneadmin")
