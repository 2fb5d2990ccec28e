"""Waits for an OpenNebula that nobody can reach, or that does not know our token any more."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import TypeVar

from onecore.opennebula.client import Unauthenticated, Unreachable

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 10.0

T = TypeVar("T")


@dataclass
class Patience:
    """`said`: what people who wait are told, oldest first; any thread adds to it."""

    said: deque[str] = field(default_factory=deque)
    _waiting: bool = False

    def call(self, ask: Callable[[], T], stopping: Event) -> T:
        """What `ask` returns. It is repeated for as long as nobody heard it: nothing was done then. Once
        somebody wants to stop, the reason is raised."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                answer = ask()
            except (Unreachable, Unauthenticated) as exc:
                self._say(f"waiting for OpenNebula: {exc.message}", waiting=True)
                if stopping.wait(pause_s):
                    raise
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            else:
                self._say("OpenNebula answers again", waiting=False)
                return answer

    def _say(self, text: str, waiting: bool) -> None:
        """Once for all calls that wait."""
        if waiting != self._waiting:
            self._waiting = waiting
            self.said.append(text)
