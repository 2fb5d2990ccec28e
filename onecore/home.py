"""The state folder: made at first use, with its administrator's credentials."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from onecore.access import NOBODYS, Principal, hash_password, verify_password
from onecore.config import Settings
from onecore.errors import NotAuthorized, NotFound, StoreFailed
from onecore.store import accounts
from onecore.store.engine import CORE, Database, Schema, Transaction, open_database
from onecore.vault import secret_file


def open_home(
    settings: Settings,
    schemas: Sequence[Schema],
    random_bytes: Callable[[int], bytes] = os.urandom,
    boundary: Callable[[str], None] = lambda name: None,
) -> Database:
    """Open the state, making it at first use."""

    def seed(tx: Transaction) -> None:
        made = random_bytes(16).hex()
        text = secret_file(settings.home / "one_auth", f"oneadmin:{made}\n".encode())
        password = text.decode().strip().partition(":")[2]
        accounts.seed(tx, hash_password(password, random_bytes(16), is_random=password == made))

    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.run_directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as exc:
        raise StoreFailed(
            f"cannot make {settings.home}: {exc.strerror}",
            hint="point ONE_HOME at a folder that you may write",
        ) from exc
    _refuse_emptied(settings)
    return open_database(settings.database, (CORE, *schemas), boundary, seed)


def _refuse_emptied(settings: Settings) -> None:
    """An empty state file beside the credentials that are made with its first content has lost that content:
    to begin anew in it would forget machines that exist."""
    file = settings.database
    used = [name for name in ("one_auth", "key") if (settings.home / name).exists()]
    if used and file.exists() and file.stat().st_size == 0:
        raise StoreFailed(
            f"{file} is empty, but {settings.home} has been in use: there is {' and '.join(used)}",
            hint=f"restore a backup; to begin anew, with nothing known of what exists: rm {file}",
        )


def who(tx: Transaction, auth_file: Path | None) -> Principal:
    """Who is asking: the user of the credentials file named by ONE_AUTH, else oneadmin.

    Whoever may write the state file may do everything with it, so no password is asked of its owner.
    """
    if auth_file is None:
        return Principal(accounts.ADMIN_USER, "oneadmin", accounts.ADMIN_GROUP)
    try:
        name, _, password = auth_file.read_text().strip().partition(":")
    except (OSError, UnicodeDecodeError) as exc:
        raise NotAuthorized(
            f"cannot read the credentials in {auth_file}",
            hint="ONE_AUTH names a file with one line: user:password",
        ) from exc
    try:
        user = accounts.user_named(tx, name)
    except NotFound:
        user = None
    # An unknown user costs the same time as a wrong password.
    stored = user.password if user else NOBODYS
    if not verify_password(stored, password) or user is None:
        raise NotAuthorized(f"wrong user or password in {auth_file}", hint="ask oneadmin for an account")
    return accounts.principal(user)
