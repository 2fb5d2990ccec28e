"""Carries out what was asked for: a few provisions at a time, each in a thread of its own.

It looks at nothing but what is stored, so that a request, the start of the server, and a provision that a
killed process left behind are one and the same.
"""

from collections.abc import Callable
from dataclasses import replace
from threading import Event, Lock, Thread

from onecore.deps import Deps
from onecore.errors import Interrupted, WrongState
from onecore.http.journal import ServerLog
from oneprovision.usecases import work

LOOK_S = 2.0
LONGEST_REST_S = 60.0
STOPPING = "the server stops"


class Driving:
    """At most `most` provisions are worked on; the others wait for their turn, the oldest first."""

    def __init__(self, open_deps: Callable[[], Deps], log: ServerLog, most: int) -> None:
        self._open = open_deps
        self._log = log
        self._most = most
        self._enough = Event()
        self._rung = Event()
        self._lock = Lock()
        self._workers: dict[int, Thread] = {}
        self._rest_until: dict[int, tuple[float, float]] = {}
        self._looking = Thread(target=self._look_again_and_again, name="driving")

    def start(self) -> None:
        self._looking.start()

    def wake(self) -> None:
        self._rung.set()

    def check(self) -> None:
        """Raises when nobody looks any more: a server that only answers would be worse than none."""
        if not self._looking.is_alive() and not self._enough.is_set():
            raise AssertionError("the thread that carries out what was asked for ended by itself")

    def reason_to_stop(self) -> str:
        return STOPPING if self._enough.is_set() else ""

    def stop(self) -> None:
        """Wait until what was begun is recorded."""
        self._enough.set()
        self.wake()
        if self._looking.ident is not None:
            self._looking.join()
        with self._lock:
            workers = list(self._workers.values())
        for worker in workers:
            worker.join()

    def _look_again_and_again(self) -> None:
        deps: Deps | None = None
        while not self._enough.is_set():
            self._rung.clear()
            try:
                deps = deps or self._open()
                self._begin(deps)
            except Exception as exc:  # noqa: BLE001 - the edge of the reconcile loop
                self._log.bug("driving", "driving", exc)
            self._rung.wait(LOOK_S)
        if deps is not None:
            deps.database.close()

    def _begin(self, deps: Deps) -> None:
        now = deps.clock.monotonic()
        with self._lock:
            busy = set(self._workers)
        for number in work.unattended(deps):
            if len(busy) >= self._most or self._enough.is_set():
                return
            if number in busy or self._rest_until.get(number, (0.0, 0.0))[0] > now:
                continue
            busy.add(number)
            thread = Thread(target=self._work_on, args=(number,), name=f"provision {number}")
            with self._lock:
                self._workers[number] = thread
            thread.start()

    def _work_on(self, number: int) -> None:
        try:
            self._carry_on(number)
            self._rest_until.pop(number, None)
        except (Interrupted, WrongState):
            pass  # the next start carries on, or somebody else does
        except Exception as exc:  # noqa: BLE001 - a bug ends one run, not the server
            self._log.bug(f"provision-{number}", f"provision {number}", exc)
        finally:
            with self._lock:
                del self._workers[number]
            self.wake()

    def _carry_on(self, number: int) -> None:
        opened = self._open()
        deps = replace(opened, notify=self._log.noticed, told=self._log.told, interrupted=self.reason_to_stop)
        try:
            work.carry_on(deps, number)
        except (Interrupted, WrongState):
            raise
        except Exception:
            self._rest(number, deps.clock.monotonic())
            raise
        finally:
            deps.database.close()

    def _rest(self, number: int, now: float) -> None:
        """What cannot be carried on now is tried again later and later."""
        rest_s = min(self._rest_until.get(number, (0.0, 0.5))[1] * 2, LONGEST_REST_S)
        self._rest_until[number] = (now + rest_s, rest_s)
