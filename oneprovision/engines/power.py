"""Restarts of hosts that a driver folder made: over SSH, by the system inside, proven by another boot id.

OpenTofu has no power actions, and what is off could not be switched on from here: so nothing else is done.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from onecore.clock import Clock
from onecore.errors import OneError
from onecore.machines.model import Resource
from onecore.machines.power import Action

NOT_SUPPORTED = 501
WITHIN_S = 600.0
AT_ONCE = 16
TICK_S = 0.5
VERBS = {Action.REBOOT: "reboot", Action.RESET: "reset"}


def check(driver: str, logs_in: bool, action: Action) -> None:
    """Raises OneError where hosts of this driver folder cannot be asked for that. `logs_in`: if we can."""
    if action not in VERBS:
        raise OneError(
            f"driver folder '{driver}' has no action {action.value}: OpenTofu makes and removes only",
            hint="what SSH can do is: oneprovision host reboot; or log in: oneprovision host ssh",
            http_status=NOT_SUPPORTED,
        )
    if not logs_in:
        raise OneError(
            f"driver folder '{driver}' has no action {action.value}: its hosts offer no SSH to ask for it",
            hint="its driver.conf says no `ssh: true`",
            http_status=NOT_SUPPORTED,
        )


@dataclass(frozen=True)
class Restart:
    """What is asked of each: `verb` is reboot or reset. `home` has the recorded host keys."""

    verb: str
    within_s: float
    home: Path


def restart(
    machines: Sequence[Resource], how: Restart, clock: Clock, tick: Callable[[], None]
) -> dict[int, str]:
    """Restart all of them side by side; returns what went wrong, by machine. `tick` is called again and again
    and ends the waiting by raising."""
    stop = Event()
    stoppable = _Stoppable(clock, stop)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {m.id: pool.submit(_restart, m, how, stoppable) for m in machines}
        try:
            while wait(running.values(), TICK_S).not_done:
                tick()
        except BaseException:
            stop.set()
            raise
    problems = {number: _problem(future) for number, future in running.items()}
    return {number: text for number, text in problems.items() if text}


def _restart(machine: Resource, how: Restart, clock: Clock) -> str:
    from onecore.drivers.kit import guest  # lazy: brings what logs in

    if not machine.addresses:
        return "it has no address to log in to"
    stored = machine.deployment.get("connection")
    connection = {str(k).upper(): str(v) for k, v in stored.items()} if isinstance(stored, Mapping) else {}
    there = guest.guest_at(machine.addresses[0], connection, how.home)
    if guest.reboot(there, clock, how.within_s, how.verb):
        return ""
    return f"it has not come back with another boot id after {how.within_s:.0f} s"


def _problem(future: "Future[str]") -> str:
    from onecore.drivers.kit import Failed

    try:
        return future.result()
    except Failed as exc:
        return str(exc)


class _Stoppable:
    """A clock whose sleep ends, with the wait it is part of, once somebody said stop."""

    def __init__(self, clock: Clock, stop: Event) -> None:
        self._clock = clock
        self._stop = stop

    def now(self) -> float:
        return self._clock.now()

    def monotonic(self) -> float:
        return float("inf") if self._stop.is_set() else self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        self._stop.wait(seconds)
