"""Holds the lease of a server while it runs, and writes its log."""

from collections.abc import Callable

from onecore import serving
from onecore.deps import Deps
from onecore.errors import OneError, WrongState
from onecore.http.journal import ServerLog

RENEW_S = 20.0


def refuse_a_second(open_deps: Callable[[], Deps], product: str) -> None:
    """Before anything of this one is heard of; the lease decides between two that begin at once."""
    deps = open_deps()
    try:
        serving.require_none(deps, product)
    finally:
        deps.database.close()


class Keeper:
    """The server of `product` for a state. Raises WrongState where another one is."""

    def __init__(self, open_deps: Callable[[], Deps], product: str, url: str, log: ServerLog) -> None:
        self._open = open_deps
        self._log = log
        deps = open_deps()
        self._clock = deps.clock
        self._held = serving.take(deps, product, url)
        deps.database.close()
        self._renew_at = self._clock.monotonic() + RENEW_S

    def tick(self) -> None:
        """Raises WrongState when another server has taken over."""
        try:
            self._log.flush()
        except Exception as exc:  # noqa: BLE001 - a line that cannot be written ends no server
            self._log.bug("log", "server", exc)
        if self._clock.monotonic() < self._renew_at:
            return
        self._renew_at = self._clock.monotonic() + RENEW_S
        try:
            self._keep()
        except WrongState:
            raise
        except OneError as exc:  # a full disk may have room again before the lease ends
            self._renew_at = self._clock.monotonic()
            self._log.bug("lease", "server", exc)

    def _keep(self) -> None:
        deps = self._open()
        try:
            serving.keep(deps, self._held)
        finally:
            deps.database.close()

    def leave(self) -> None:
        deps = self._open()
        serving.leave(deps, self._held)
        deps.database.close()
