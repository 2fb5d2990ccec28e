"""Login tokens that are made for users of an OpenNebula."""

import hmac

# A token is used for so long, beginning at any time of its life, and lives for twice as long.
USED_S = 600
TOKEN_S = 2 * USED_S


def token_of(key: bytes, user: str, now: float) -> str:
    """The token of that user at this time (seconds since the epoch): the same for every process that has the
    key, since OpenNebula allows ten for each user, his own among them."""
    text = f"opennebula token {int(now // USED_S)} {user}"
    return hmac.digest(key, text.encode(), "sha256").hex()
