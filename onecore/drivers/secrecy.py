"""Keeps the secrets of a provider out of everything that is made of a driver's answer."""

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import TypeVar

from onecore.errors import DriverFailed
from onecore.log import SHORTEST_SECRET, Redactor

T = TypeVar("T")

# A shorter connection value (a region, a user) may rightly be a part of an id or an address.
SURELY_SECRET = 16


def masked(output: bytes, secrets: Collection[str]) -> bytes:
    """A secret of many lines (a private key) is also masked where only a line of it is shown."""
    parts = {part for secret in secrets for part in (secret, *secret.splitlines())}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= SHORTEST_SECRET:
            output = output.replace(part.encode("utf-8", "replace"), b"*****")
    return output


def masked_text(text: str, secrets: Collection[str]) -> str:
    """The text without the secrets, in whatever spelling, and without what looks like one."""
    return _redactor(tuple(secrets)).text(text)


def betrays(text: str, secrets: Collection[str]) -> bool:
    """Whether the text holds what can only be a secret."""
    return any(
        len(secret) >= SHORTEST_SECRET
        and (text == secret or (len(secret) >= SURELY_SECRET and secret in text))
        for secret in secrets
    )


def read(parse: Callable[[bytes], T], stdout: bytes, secrets: Collection[str]) -> T:
    """What the parser makes of the answer; if it cannot, the reason it gives shows no secret."""
    try:
        return parse(stdout)
    except DriverFailed:
        clean = masked(stdout, secrets)
        if clean == stdout:
            raise
    # Masked first and quoted then: a quotation is cut, and half a secret would not be recognised.
    parse(clean)
    raise DriverFailed("a driver gave an answer that cannot be used", hint="it holds what must stay secret")


@lru_cache(maxsize=64)
def _redactor(secrets: tuple[str, ...]) -> Redactor:
    """Many calls of one provider fail alike, and gathering the spellings takes longer than masking them."""
    return Redactor(secrets)
