"""Runs functions in a few threads of their own, for one thread that waits for them like for programs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from time import monotonic
from typing import TypeVar

from onecore.crew import Crew
from onecore.errors import OneError

THREADS = 8
LINGER_S = 30.0

Key = TypeVar("Key")


class Unknown(OneError):
    """What the task did is not known."""


@dataclass(frozen=True)
class Task:
    """Something to do that is no program. `work` returns its answer; it raises Unknown where nobody can tell
    what was done, another OneError where nothing was. It ends soon after `stopping` is set."""

    work: Callable[[Event], object]
    stopping: Event = field(default_factory=Event, compare=False)


@dataclass(frozen=True)
class Done:
    """`error` None: `answer` is what the task returned."""

    answer: object
    error: Exception | None
    duration_s: float


def crew() -> Crew[Key, Task, Done]:
    """At most THREADS tasks at a time; the others wait for their turn."""
    return Crew("task", THREADS, LINGER_S, _done)


def _done(task: Task) -> Done:
    begun = monotonic()
    try:
        answer = task.work(task.stopping)
    except Exception as exc:  # noqa: BLE001 whoever collects it decides what it means
        return Done(None, exc, monotonic() - begun)
    return Done(answer, None, monotonic() - begun)
