"""Users and groups."""

from dataclasses import dataclass
from typing import Literal

from onecore.access import Principal
from onecore.errors import NotFound
from onecore.ids import GroupId, UserId
from onecore.store.engine import Transaction

ADMIN_USER = UserId(0)
ADMIN_GROUP = GroupId(0)
USERS_GROUP = GroupId(1)


@dataclass(frozen=True)
class User:
    id: UserId
    name: str
    password: str
    gid: GroupId


def seed(tx: Transaction, password_hash: str) -> None:
    """The accounts of a new installation: oneadmin, and the group of everybody else."""
    for group in ("oneadmin", "users"):
        add_group(tx, group)
    add_user(tx, "oneadmin", password_hash, ADMIN_GROUP)


def add_group(tx: Transaction, name: str) -> GroupId:
    group_id = GroupId(tx.next_id("group"))
    tx.run("INSERT INTO user_group (id, name) VALUES (?, ?)", (group_id, name))
    return group_id


def add_user(tx: Transaction, name: str, password_hash: str, gid: GroupId) -> UserId:
    user_id = UserId(tx.next_id("user"))
    tx.run(
        "INSERT INTO user (id, name, password, gid) VALUES (?, ?, ?, ?)", (user_id, name, password_hash, gid)
    )
    return user_id


def remember_group(tx: Transaction, group_id: GroupId, name: str) -> None:
    """A group that was made elsewhere, under its number there."""
    tx.run("UPDATE user_group SET name = name || ' (before)' WHERE name = ? AND id <> ?", (name, group_id))
    tx.run(
        "INSERT INTO user_group (id, name) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        (group_id, name),
    )


def remember_user(tx: Transaction, user: User) -> None:
    """A user that was made elsewhere, under his number there."""
    tx.run("UPDATE user SET name = name || ' (before)' WHERE name = ? AND id <> ?", (user.name, user.id))
    tx.run(
        "INSERT INTO user (id, name, password, gid) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " name = excluded.name, password = excluded.password, gid = excluded.gid",
        (user.id, user.name, user.password, user.gid),
    )


def users(tx: Transaction) -> list[User]:
    return [User(*row) for row in tx.all("SELECT id, name, password, gid FROM user ORDER BY id")]


def groups(tx: Transaction) -> list[tuple[int, str]]:
    return [(row["id"], row["name"]) for row in tx.all("SELECT id, name FROM user_group ORDER BY id")]


def user_named(tx: Transaction, name: str) -> User:
    row = tx.one("SELECT id, name, password, gid FROM user WHERE name = ?", (name,))
    if row is None:
        raise NotFound(f"there is no user '{name}'", hint="see: oneprovision user list")
    return User(*row)


def user_id(tx: Transaction, selector: str) -> UserId:
    """The user of that id or name."""
    row = tx.one("SELECT id FROM user WHERE name = ? OR CAST(id AS TEXT) = ?", (selector, selector))
    if row is None:
        raise NotFound(f"there is no user '{selector}'", hint="see: oneprovision user list")
    return UserId(row["id"])


def group_id(tx: Transaction, selector: str) -> GroupId:
    """The group of that id or name."""
    row = tx.one("SELECT id FROM user_group WHERE name = ? OR CAST(id AS TEXT) = ?", (selector, selector))
    if row is None:
        raise NotFound(f"there is no group '{selector}'", hint="see: oneprovision group list")
    return GroupId(row["id"])


def belongings(tx: Transaction, whose: Literal["uid", "gid"], number: int) -> list[str]:
    """What belongs to a user or a group, in words, of whatever product: both keep theirs in this file."""
    tables = tx.all(
        "SELECT name FROM sqlite_schema AS t WHERE type = 'table' AND (SELECT count(*) FROM"
        " pragma_table_info(t.name) WHERE name IN ('id', 'name', 'uid', 'gid')) = 4 ORDER BY name DESC"
    )
    return [
        f"{table['name']} {row['id']} ('{row['name']}')"
        for table in tables
        for row in tx.all(
            f'SELECT id, name FROM "{table["name"]}" WHERE {whose} = ? ORDER BY id',  # noqa: S608  # our own names
            (number,),
        )
    ]


def principal(user: User) -> Principal:
    return Principal(user.id, user.name, user.gid, frozenset({user.gid}))


def set_password(tx: Transaction, user_id: int, password_hash: str) -> None:
    tx.run("UPDATE user SET password = ? WHERE id = ?", (password_hash, user_id))


def remove_user(tx: Transaction, user_id: int) -> None:
    tx.run("DELETE FROM user WHERE id = ?", (user_id,))


def remove_group(tx: Transaction, group_id: int) -> None:
    tx.run("DELETE FROM user_group WHERE id = ?", (group_id,))
