"""How DigitalOcean is spoken to: address, key, errors, limits, pages."""

from onecore.drivers.kit import pages
from onecore.drivers.kit.http import Account, Api, Provider, patience_s
from onecore.drivers.kit.limiter import Limits, Pace
from onecore.drivers.kit.surroundings import one_home, required, told
from onecore.drivers.kit.values import text

PAGES = pages.linked(200)
KEY = "the token of the DigitalOcean account"


def _reason(body: object) -> str:
    """`{"id", "message"}`"""
    return text(body, "message")


def _transient(status: int, words: str) -> bool:
    """`Droplet already has a pending event.` is a 422 that passes (packer issues 1786, 1814)."""
    return status == 422 and "pending event" in words.lower()


# 250 a minute and 5000 an hour, the keys of an account 10, new reserved addresses 12 a minute.
PROVIDER = Provider(
    "digitalocean",
    "https://api.digitalocean.com/v2",
    _reason,
    _transient,
    Limits(parallel=8, paces={"": Pace(40, 10), "keys": Pace(10, 60), "reserve": Pace(12, 60)}),
)


def api(action: str) -> Api:
    """Every call needs the token, also what only lists offers (spec/002)."""
    token = required("DIGITAL_OCEAN_API_TOKEN", KEY)
    account = Account(told("DIGITAL_OCEAN_API_URL"), token)
    return Api(PROVIDER, account, one_home(), patience_s(action))
