"""How long a provider wants us to wait, as it says in an answer 429, and never longer than is sensible."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from onecore.drivers.kit import waiting

LONGEST_S = 60.0


def retry_after(headers: Mapping[str, str], now: float, turn: int) -> float:
    """Seconds to wait. `Retry-After` has seconds or a date; Linode was seen to send negative seconds
    (linode_api4 issue 72), DigitalOcean sends it for bursts only and else the epoch in `ratelimit-reset`.
    What makes no sense, or is missing, is replaced by a pause that grows with the turn."""
    given = {name.lower(): value.strip() for name, value in headers.items()}
    for seconds in (_seconds(given.get("retry-after", ""), now), _until(given, now)):
        if seconds is not None and seconds >= 0:
            return min(seconds, LONGEST_S)
    return waiting.pause(turn + 4)


def _seconds(text: str, now: float) -> float | None:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text).timestamp() - now
    except (TypeError, ValueError):
        return None


def _until(given: Mapping[str, str], now: float) -> float | None:
    try:
        return float(given["ratelimit-reset"]) - now
    except (KeyError, ValueError):
        return None
