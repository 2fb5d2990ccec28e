"""How Vultr is spoken to: address, key, errors, limits, pages."""

import re

from onecore.drivers.kit import pages
from onecore.drivers.kit.http import Account, Api, Provider, patience_s
from onecore.drivers.kit.limiter import Limits, Pace
from onecore.drivers.kit.surroundings import one_home, required, told
from onecore.drivers.kit.values import text

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PAGES = pages.by_cursor(500)
KEY = "the key of the Vultr account"


def _reason(body: object) -> str:
    """`{"error", "status"}`"""
    return text(body, "error")


def _transient(status: int, words: str) -> bool:
    """`Unable to destroy server: … Server is currently locked` comes as a 500, and nothing was done."""
    return status in (400, 409, 500) and "currently locked" in words.lower()


PROVIDER = Provider(
    "vultr",
    "https://api.vultr.com/v2",
    _reason,
    _transient,
    Limits(parallel=8, paces={"": Pace(20, 1)}),
)


def api(action: str, needs_key: bool = True) -> Api:
    """Places, plans and systems are told to anybody."""
    token = required("VULTR_API_KEY", KEY) if needs_key else told("VULTR_API_KEY")
    return Api(PROVIDER, Account(told("VULTR_API_URL"), token), one_home(), patience_s(action))
