"""Users and groups. Administrators make and remove them; everybody may change his own password."""

from dataclasses import dataclass

from onecore.access import hash_password, valid_name
from onecore.deps import Deps
from onecore.errors import InvalidInput, NotAuthorized, WrongState
from onecore.ids import GroupId, UserId
from onecore.store import accounts
from onecore.store.accounts import ADMIN_GROUP, ADMIN_USER, USERS_GROUP, User


@dataclass(frozen=True)
class Group:
    id: GroupId
    name: str
    members: tuple[str, ...]


def create_user(deps: Deps, name: str, group: str | None, password: str | None) -> tuple[UserId, str]:
    """A user of `group` (by id or name; `users` if none is named). Returns his id and his password, which is
    a random one if none is given and cannot be had again."""
    _require_admin(deps)
    valid_name(name)
    chosen, stored = _password(deps, password)
    with deps.database.begin() as tx:
        if any(user.name == name for user in accounts.users(tx)):
            raise InvalidInput(f"there is a user '{name}' already", hint="choose another name")
        gid = USERS_GROUP if group is None else accounts.group_id(tx, group)
        return accounts.add_user(tx, name, stored, gid), chosen


def change_password(deps: Deps, selector: str, password: str | None) -> str:
    """A new password for the user of that id or name; returns it."""
    _require_own(deps)
    chosen, stored = _password(deps, password)
    with deps.database.begin() as tx:
        user_id = accounts.user_id(tx, selector)
        if user_id != deps.principal.user_id:
            _require_admin(deps)
        accounts.set_password(tx, user_id, stored)
    return chosen


def delete_user(deps: Deps, selector: str) -> None:
    """Remove a user that owns nothing any more."""
    _require_admin(deps)
    with deps.database.begin() as tx:
        user_id = accounts.user_id(tx, selector)
        if user_id == ADMIN_USER:
            raise WrongState("user oneadmin cannot be deleted", hint="there has to be an administrator")
        owned = accounts.belongings(tx, "uid", user_id)
        if owned:
            raise WrongState(
                f"user '{selector}' owns {', '.join(owned)}", hint="give them to somebody else: chown"
            )
        accounts.remove_user(tx, user_id)


def users(deps: Deps) -> list[tuple[User, str]]:
    """The users that the asker may see, each with the name of his group."""
    with deps.database.read() as tx:
        groups = dict(accounts.groups(tx))
        every = accounts.users(tx)
    me = deps.principal
    return [(u, groups.get(u.gid, "")) for u in every if me.is_admin or u.id == me.user_id]


def create_group(deps: Deps, name: str) -> GroupId:
    _require_admin(deps)
    valid_name(name, "group")
    with deps.database.begin() as tx:
        if name in dict(accounts.groups(tx)).values():
            raise InvalidInput(f"there is a group '{name}' already", hint="choose another name")
        return accounts.add_group(tx, name)


def delete_group(deps: Deps, selector: str) -> None:
    """Remove a group that has neither members nor anything that belongs to it."""
    _require_admin(deps)
    with deps.database.begin() as tx:
        group_id = accounts.group_id(tx, selector)
        if group_id in (ADMIN_GROUP, USERS_GROUP):
            raise WrongState(f"group {group_id} cannot be deleted", hint="oneadmin and users always exist")
        members = [user.name for user in accounts.users(tx) if user.gid == group_id]
        if members:
            raise WrongState(
                f"group '{selector}' has members: {', '.join(members)}", hint="delete these users first"
            )
        owned = accounts.belongings(tx, "gid", group_id)
        if owned:
            raise WrongState(
                f"group '{selector}' has {', '.join(owned)}", hint="give them to another group: chgrp"
            )
        accounts.remove_group(tx, group_id)


def groups(deps: Deps) -> list[Group]:
    """The groups that the asker may see."""
    with deps.database.read() as tx:
        known = accounts.groups(tx)
        people = accounts.users(tx)
    me = deps.principal
    return [
        Group(GroupId(number), name, tuple(user.name for user in people if user.gid == number))
        for number, name in known
        if me.is_admin or me.is_member(GroupId(number))
    ]


def _require_own(deps: Deps) -> None:
    if deps.settings.opennebula:
        raise InvalidInput(
            f"users and groups are those of the OpenNebula at {deps.settings.opennebula}",
            hint="see its commands oneuser and onegroup",
        )


def _require_admin(deps: Deps) -> None:
    _require_own(deps)
    if not deps.principal.is_admin:
        raise NotAuthorized("only members of the group oneadmin manage accounts", hint="ask oneadmin")


def _password(deps: Deps, given: str | None) -> tuple[str, str]:
    """The password and what is stored of it. The hash is slow by intention: never inside a transaction."""
    password = deps.random_bytes(16).hex() if given is None else given
    deps.conceal([password])
    if any(not char.isprintable() for char in password):
        raise InvalidInput("a password has to be one line of printable characters")
    if password != password.strip():
        raise InvalidInput("a password must not begin or end with a blank")
    return password, hash_password(password, deps.random_bytes(16))
