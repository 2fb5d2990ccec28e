"""Ask again until something holds: often at first, then more and more rarely."""

from collections.abc import Callable
from typing import TypeVar

from onecore.clock import Clock

T = TypeVar("T")

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0


def pause(turn: int) -> float:
    """How long to wait after the n-th question, counted from 0."""
    return min(FIRST_PAUSE_S * 1.6 ** min(turn, 20), LONGEST_PAUSE_S)


def until(question: Callable[[], T | None], clock: Clock, within_s: float) -> T | None:
    """The first answer that is not None, or None when the time is over. Asks at least once."""
    end, turn = clock.monotonic() + within_s, 0
    while (answer := question()) is None:
        left = end - clock.monotonic()
        if left <= 0:
            return None
        clock.sleep(min(pause(turn), left))
        turn += 1
    return answer
