"""How Linode is spoken to: address, key, errors, limits, pages."""

from onecore.drivers.kit import pages
from onecore.drivers.kit.http import Account, Api, Provider, patience_s
from onecore.drivers.kit.limiter import Limits, Pace
from onecore.drivers.kit.surroundings import one_home, required, told
from onecore.drivers.kit.values import rows, text

PAGES = pages.numbered(500)
KEY = "the key of the Linode account"


def _reason(body: object) -> str:
    """`{"errors": [{"reason", "field"}]}`"""
    return "; ".join(
        " ".join(filter(None, (text(e, "field"), text(e, "reason")))) for e in rows(body, "errors")
    )


def _transient(status: int, words: str) -> bool:
    """`Linode busy.`: actions that run have to be completed first. 408: `Please try again` was seen."""
    return (status == 400 and "busy" in words.lower()) or (status == 408 and "try again" in words.lower())


PROVIDER = Provider(
    "linode",
    "https://api.linode.com/v4",
    _reason,
    _transient,
    Limits(parallel=8, paces={"": Pace(40, 6), "create": Pace(10, 30), "images": Pace(20, 60)}),
)


def api(action: str) -> Api:
    """For whoever works on the account."""
    return _api(action, required("LINODE_API_KEY", KEY))


def public_api(action: str) -> Api:
    """For what Linode tells without a key, too."""
    return _api(action, told("LINODE_API_KEY"))


def _api(action: str, token: str) -> Api:
    return Api(PROVIDER, Account(told("LINODE_API_URL"), token), one_home(), patience_s(action))
