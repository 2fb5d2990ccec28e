"""`oneflow serve`: HTTP in this thread, the controller in another, until somebody says stop."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Event, Thread

from onecore.clock import Clock
from onecore.http import serving
from onecore.http.journal import ServerLog
from onecore.http.keeper import Keeper, refuse_a_second
from onecore.http.server import Door, listener, reachable_url
from onecore.http.workers import Workers
from onecore.log import Redactor
from oneflow.api import app, gate
from oneflow.controller import Controller
from oneflow.deps import FlowDeps

FIRST_REST_S = 0.25
LONGEST_REST_S = 60.0
TURN_S = 0.001
"""How long the controller may go on while a request waits: 5 ms by default, several times a request."""


@dataclass(frozen=True)
class Where:
    """The addresses to listen on; without `gate_port` there is no OneGate."""

    host: str
    port: int
    gate_host: str = ""
    gate_port: int | None = None


def serve(
    open_deps: Callable[[], FlowDeps], where: Where, redactor: Redactor, say: Callable[[str], None]
) -> None:
    """Until SIGTERM or SIGINT. `open_deps` opens the state for the thread that calls it. Raises WrongState
    where another server has this state, InvalidInput for an address that cannot be had."""
    sys.setswitchinterval(TURN_S)
    asyncio.run(_serve(open_deps, where, redactor, say))


async def _serve(
    open_deps: Callable[[], FlowDeps], where: Where, redactor: Redactor, say: Callable[[str], None]
) -> None:
    refuse_a_second(open_deps, "oneflow")
    front = listener(where.host, where.port)
    side = None if where.gate_port is None else listener(where.gate_host, where.gate_port)
    if side is not None:
        open_deps = _telling_of(reachable_url(side), open_deps)
    workers = Workers(open_deps)
    deps = workers.here
    log = ServerLog(deps.settings.log_directory, "oneflow", redactor, deps.clock.now)
    driving = Driving(open_deps, log, deps.clock, say)
    doors = [Door(app.application(workers, log, driving.wake), front, app.SPEAKS)]
    if side is not None:
        doors.append(Door(gate.application(workers, log, driving.wake), side, gate.SPEAKS))
        if deps.flow.gate_url != doors[1].url:
            say(f"VMs are told {deps.flow.gate_url} (conf: gate_endpoint)")
    keeper = Keeper(open_deps, "oneflow", doors[0].url, log)
    await serving.serve(doors, workers, keeper, driving, log, say)


def _telling_of(gate_url: str, open_deps: Callable[[], FlowDeps]) -> Callable[[], FlowDeps]:
    """VMs are told where OneGate listens, unless the settings know better."""

    def opened() -> FlowDeps:
        deps = open_deps()
        return replace(deps, flow=replace(deps.flow, gate_endpoint=deps.flow.gate_endpoint or gate_url))

    return opened


class Driving:
    """The controller in a thread of its own. A bug ends one run of it, not the server: it is logged, and the
    controller begins anew, which is the same as a start after a crash."""

    def __init__(
        self, open_deps: Callable[[], FlowDeps], log: ServerLog, clock: Clock, say: Callable[[str], None]
    ) -> None:
        self._open = open_deps
        self._log = log
        self._clock = clock
        self._say = say
        self._enough = Event()
        self._controller: Controller | None = None
        self._thread = Thread(target=self._run, name="controller")

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        controller = self._controller
        if controller is not None:
            controller.wake()

    def check(self) -> None:
        """Raises when nobody drives any more: a server that only answers would be worse than none."""
        if not self._thread.is_alive() and not self._enough.is_set():
            raise AssertionError("the controller ended by itself")

    def stop(self) -> None:
        """Wait until what was begun is recorded."""
        self._enough.set()
        self.wake()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        rest_s = FIRST_REST_S
        while not self._enough.is_set():
            began = self._clock.monotonic()
            try:
                self._drive()
            except BaseException as exc:  # noqa: BLE001 - the edge of the reconcile loop; nothing exits here
                self._log.bug("controller", "controller", exc)
                with suppress(OSError):
                    name = type(exc).__name__
                    self._say(f"the controller failed and begins anew: {name}; more in {self._log.errors}")
                if self._clock.monotonic() - began > LONGEST_REST_S:
                    rest_s = FIRST_REST_S
                self._enough.wait(rest_s)
                rest_s = min(rest_s * 2, LONGEST_REST_S)

    def _drive(self) -> None:
        deps = replace(self._open(), notify=self._log.noticed, told=self._log.told)
        try:
            self._controller = Controller(deps)
            self._controller.run(self._enough.is_set)
        finally:
            self._controller = None
            deps.database.close()
