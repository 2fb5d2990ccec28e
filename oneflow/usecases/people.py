"""Users and groups of an OpenNebula, as far as they are known here."""

from typing import Final

from onecore.access import Principal
from onecore.errors import NotFound
from onecore.ids import GroupId, UserId
from onecore.opennebula.documents import Known
from onecore.store import accounts
from onecore.store.accounts import User
from onecore.store.engine import Transaction
from oneflow.deps import FlowDeps
from oneflow.nebula.site import Nebula

ELSEWHERE: Final = "opennebula"
"""In place of the hash of a password: none fits it."""


def asker(deps: FlowDeps, site: Nebula) -> Principal:
    """Whose credentials ours are; OpenNebula is asked only where they are new here."""
    name = site.client.endpoint.session().partition(":")[0]
    with deps.database.read() as tx:
        try:
            known = accounts.user_named(tx, name)
        except NotFound:
            known = None
    if known is not None and known.password == ELSEWHERE:
        return accounts.principal(known)
    who = site.who()
    with deps.database.begin() as tx:
        _remember(tx, who)
    return _principal(who)


def admit(deps: FlowDeps, name: str, password: str) -> bool:
    """Whether OpenNebula knows this password, or token; whose it is is known here from then on. Raises what
    keeps it from being asked."""
    if deps.nebula is None:
        return False
    who = deps.nebula.authenticated(name, password)
    if who is None:
        return False
    with deps.database.begin() as tx:
        _remember(tx, who)
    return True


def refresh(deps: FlowDeps) -> None:
    """Learn of every user and group that we may see, before something is given to one of them."""
    if deps.nebula is None:
        return
    everybody = deps.nebula.everybody()
    with deps.database.begin() as tx:
        for who in everybody:
            _remember(tx, who)


def _remember(tx: Transaction, who: Known) -> None:
    accounts.remember_group(tx, GroupId(who.gid), who.group)
    if who.name:
        accounts.remember_user(tx, User(UserId(who.uid), who.name, ELSEWHERE, GroupId(who.gid)))


def _principal(who: Known) -> Principal:
    return accounts.principal(User(UserId(who.uid), who.name, ELSEWHERE, GroupId(who.gid)))
