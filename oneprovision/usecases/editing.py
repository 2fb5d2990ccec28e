"""Edit a provision: its name, description, tags, owner and permissions."""

from collections.abc import Mapping
from dataclasses import replace

from onecore.access import Mode, Permissions, Right, needed_to_change
from onecore.deps import Deps
from onecore.errors import InvalidInput, NotAuthorized
from onecore.store import accounts
from oneprovision import store
from oneprovision.model.names import check_provision_name
from oneprovision.model.provision import Provision
from oneprovision.model.shapes import text_of
from oneprovision.usecases.rights import authorized


def rename(deps: Deps, provision_id: int, name: str) -> Provision:
    return _edit(deps, provision_id, name=check_provision_name(name))


def update(deps: Deps, provision_id: int, changes: Mapping[str, object]) -> Provision:
    """Change name, description or tags; anything else of a provision is changed by scaling it."""
    unknown = sorted(changes.keys() - {"name", "description", "tags"})
    if unknown:
        raise InvalidInput(
            f"'{unknown[0]}' of a provision cannot be updated", hint="name, description and tags can be"
        )
    fields: dict[str, object] = {}
    if "name" in changes:
        fields["name"] = check_provision_name(text_of(changes["name"]))
    if "description" in changes:
        fields["description"] = text_of(changes["description"])
    if "tags" in changes:
        tags = changes["tags"]
        if not isinstance(tags, Mapping):
            raise InvalidInput("tags have to be a mapping of names to values")
        fields["tags"] = {str(key): text_of(value) for key, value in tags.items()}
    return _edit(deps, provision_id, **fields)


def chmod(deps: Deps, provision_id: int, mode: str) -> Provision:
    """`mode` as Mode reads it."""
    change = Mode.parse(mode)
    with deps.database.begin() as tx:
        provision = authorized(tx, deps, provision_id, Right.MANAGE)
        before = Permissions(provision.permissions)
        after = before.changed(change)
        authorized(tx, deps, provision_id, needed_to_change(before, after))
        changed = replace(provision, permissions=after.bits)
        store.edit(tx, changed)
    return changed


def chown(deps: Deps, provision_id: int, user: str, group: str | None = None) -> Provision:
    """Only an administrator gives things away. `user` and `group` by id or name."""
    _require_admin(deps, "chown")
    with deps.database.read() as tx:
        fields: dict[str, object] = {"uid": accounts.user_id(tx, user)}
        if group is not None:
            fields["gid"] = accounts.group_id(tx, group)
    return _edit(deps, provision_id, **fields)


def chgrp(deps: Deps, provision_id: int, group: str) -> Provision:
    _require_admin(deps, "chgrp")
    with deps.database.read() as tx:
        gid = accounts.group_id(tx, group)
    return _edit(deps, provision_id, gid=gid)


def _edit(deps: Deps, provision_id: int, **fields: object) -> Provision:
    with deps.database.begin() as tx:
        provision = authorized(tx, deps, provision_id, Right.MANAGE)
        changed = replace(provision, **fields)  # type: ignore[arg-type]  # names and types are the callers'
        store.edit(tx, changed)
    return changed


def _require_admin(deps: Deps, what: str) -> None:
    if not deps.principal.is_admin:
        raise NotAuthorized(f"only members of the group oneadmin may {what}", hint="ask oneadmin")
