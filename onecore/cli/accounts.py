"""`user` and `group`, for the command of either product.

PROGRAM in their help is the name of the command that shows it.
"""

from copy import copy
from typing import TYPE_CHECKING

import click

from onecore.cli.listing import TableOptions, table, table_options
from onecore.cli.output import OutputFormat, emit, format_options, write
from onecore.cli.session import Session, pass_session
from onecore.cli.tables import Align, Column

if TYPE_CHECKING:
    from onecore.accounts import Group
    from onecore.store.accounts import User

_PASSWORD_FILE = click.option(
    "--password-file",
    metavar="FILE",
    help="The password is in FILE (- for standard input). Without: a random one, printed once.",
)


def groups_of(program: str) -> tuple[click.Group, click.Group]:
    """`user` and `group` as the command `program` has them."""
    return _spelled(user, program), _spelled(group, program)


def _spelled(group: click.Group, program: str) -> click.Group:
    """A copy whose examples are those of the program."""

    def text(command: click.Command) -> str:
        return (command.help or "").replace("PROGRAM", program)

    spelled = copy(group)
    spelled.help = text(group)
    spelled.commands = {}
    for name, command in group.commands.items():
        spelled.commands[name] = copy(command)
        spelled.commands[name].help = text(command)
    return spelled


@click.group()
def user() -> None:
    """People who may ask. A user names himself by ONE_AUTH: a file with the line `name:password`.

    \b
    PROGRAM user create alice
    PROGRAM user list
    """


@user.command("create")
@click.argument("name")
@click.option("--group", metavar="GROUP", help="His group, by id or name (users).")
@_PASSWORD_FILE
@format_options
@pass_session
def create_user(
    session: Session, /, name: str, group: str | None, password_file: str | None, fmt: OutputFormat
) -> None:
    """Create the user NAME.

    \b
    PROGRAM user create alice --group users
    PROGRAM user create bob --password-file ./password
    """
    from onecore import accounts

    given = _given(password_file)
    user_id, password = accounts.create_user(session.deps(), name, group, given)
    _print_new(int(user_id), None if given is not None else password, name, fmt)


@user.command("passwd")
@click.argument("selected", metavar="USER")
@_PASSWORD_FILE
@format_options
@pass_session
def change_password(session: Session, /, selected: str, password_file: str | None, fmt: OutputFormat) -> None:
    """Give USER (an id or a name) another password. Everybody may do so for himself.

    \b
    PROGRAM user passwd alice
    PROGRAM user passwd alice --password-file -
    """
    from onecore import accounts

    given = _given(password_file)
    password = accounts.change_password(session.deps(), selected, given)
    if given is None:
        emit(f"PASSWORD: {password}" if fmt is OutputFormat.TEXT else {"password": password}, fmt)


@user.command("delete")
@click.argument("selected", metavar="USER")
@pass_session
def delete_user(session: Session, /, selected: str) -> None:
    """Delete USER (an id or a name), who must not own anything any more.

    \b
    PROGRAM user delete alice
    """
    from onecore import accounts

    accounts.delete_user(session.deps(), selected)


@user.command("list")
@table_options
@pass_session
def list_users(session: Session, options: TableOptions) -> None:
    """List the users: administrators see all of them, everybody else himself.

    \b
    PROGRAM user list
    PROGRAM user list -j
    """
    from onecore import accounts

    columns: list[Column[tuple[User, str]]] = [
        Column("ID", 4, Align.RIGHT, lambda row: str(row[0].id), about="its number"),
        Column("NAME", 15, Align.LEFT, lambda row: row[0].name, about="its name"),
        Column("GROUP", 15, Align.LEFT, lambda row: row[1], about="the first group of the user"),
    ]
    table(columns, lambda: accounts.users(session.deps()), options)


@click.group()
def group() -> None:
    """Groups of users. Whatever is made belongs to a group as well; chmod says what that may do.

    \b
    PROGRAM group create web
    PROGRAM group list
    """


@group.command("create")
@click.argument("name")
@format_options
@pass_session
def create_group(session: Session, /, name: str, fmt: OutputFormat) -> None:
    """Create the group NAME.

    \b
    PROGRAM group create web
    """
    from onecore import accounts

    _print_new(int(accounts.create_group(session.deps(), name)), None, name, fmt)


@group.command("delete")
@click.argument("selected", metavar="GROUP")
@pass_session
def delete_group(session: Session, /, selected: str) -> None:
    """Delete GROUP (an id or a name), which must have neither members nor belongings.

    \b
    PROGRAM group delete web
    """
    from onecore import accounts

    accounts.delete_group(session.deps(), selected)


@group.command("list")
@table_options
@pass_session
def list_groups(session: Session, options: TableOptions) -> None:
    """List the groups: administrators see all of them, everybody else his own.

    \b
    PROGRAM group list
    """
    from onecore import accounts

    columns: list[Column[Group]] = [
        Column("ID", 4, Align.RIGHT, lambda g: str(g.id), about="its number"),
        Column("NAME", 15, Align.LEFT, lambda g: g.name, about="its name"),
        Column("USERS", 20, Align.LEFT, lambda g: ",".join(g.members) or "-", about="its members"),
    ]
    table(columns, lambda: accounts.groups(session.deps()), options)


def _given(password_file: str | None) -> str | None:
    from onecore.cli.secret_input import secret_from

    return None if password_file is None else secret_from(password_file)


def _print_new(number: int, password: str | None, name: str, fmt: OutputFormat) -> None:
    document: dict[str, object] = {"id": number, "name": name}
    if password is not None:
        document["password"] = password
    if fmt is not OutputFormat.TEXT:
        emit(document, fmt)
        return
    write(f"ID: {number}\n" + (f"PASSWORD: {password}\n" if password is not None else ""))
