"""What the doubles have in common: machines that change as they are looked at, and trouble on demand."""

import itertools
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tests.http_server import Reply, Request, serving

KEY = "k3y-of-the-account-0123456789"
Handler = Callable[..., Reply]


@dataclass
class Trouble:
    """What goes wrong, and how often. Numbers of "next" requests count down to 0."""

    quota: int = 100
    page: int = 2  # the most entries that a page has
    looks_until_running: int = 1  # so often a new machine is shown as being made
    looks_until_found: int = 0  # so often a new machine is asked for by its id in vain
    looks_until_listed: int = 0
    looks_until_gone: int = 0  # so often a removed machine is still shown
    slow_down: int = 0  # the next requests that are answered 429
    retry_after: str = "0"
    stumble: int = 0  # the next requests that are answered 503
    busy: int = 0  # the next actions on machines that are answered "not now"
    lose: int = 0  # the next POSTs that are done and never answered
    deaf: bool = False  # systems do not listen to an orderly shutdown or reboot
    latency_s: float = 0.0


@dataclass
class Box:
    """One machine. `looks`: states to be shown before the present one, one look each."""

    id: Any
    name: str
    asked: Mapping[str, Any]
    state: str
    number: int
    looks: list[str] = field(default_factory=list)
    hidden: int = 0
    unlisted: int = 0
    removed: bool = False

    @property
    def address(self) -> str:
        return f"203.0.{113 + self.number // 250}.{1 + self.number % 250}"

    def look(self) -> str:
        return self.looks.pop(0) if self.looks else self.state


class Fake:
    """A double of one API. `prefix`: of every path. `public`: paths that need no key."""

    prefix = ""
    public: Sequence[str] = ()

    def __init__(self) -> None:
        self.trouble = Trouble()
        self.boxes: dict[Any, Box] = {}
        self.made: list[str] = []
        self.verbs: list[tuple[str, Any]] = []
        self.exchanges: list[tuple[Request, Reply]] = []
        self.numbers = itertools.count(1)
        self.stumbles_over_making = False
        self.on_effect: Callable[[], None] = lambda: None
        self._lock = threading.RLock()

    @contextmanager
    def running(self) -> Iterator[str]:
        """The base address of the API."""
        with serving(self) as url:
            yield url + self.prefix

    def __call__(self, request: Request) -> Reply:
        time.sleep(self.trouble.latency_s / 2)
        with self._lock:
            reply = self._answer(request)
            self.exchanges.append((request, reply))
            lost = request.method == "POST" and reply.status < 300 and self._next("lose")
        if request.method != "GET" and reply.status < 300:
            self.on_effect()
        time.sleep(self.trouble.latency_s / 2)
        return replace(reply, lost=True) if lost else reply

    # -- the witness -----------------------------------------------------------------------------------------

    @property
    def existing(self) -> list[str]:
        """The names of the machines that exist, each as often as it does."""
        return sorted(box.name for box in self.boxes.values() if not box.removed)

    @property
    def address_tags(self) -> list[str]:
        """The owner tags of the reserved addresses that exist."""
        raise NotImplementedError

    def asked_for(self, method: str, path: str) -> list[Request]:
        """The requests whose path fits."""
        fits = re.compile(self.prefix + path)
        return [r for r, _ in self.exchanges if r.method == method and fits.fullmatch(r.path)]

    def twin(self, box: Box, number: int, name: str) -> None:
        """Another machine like it, of any name."""
        asked = {**box.asked, "tags": [name, "onesuite"]} if "tags" in box.asked else box.asked
        twin = replace(box, id=self.id_of(number), name=name, number=number, asked=asked, looks=[])
        self.boxes[twin.id] = twin

    def id_of(self, number: int) -> Any:
        raise NotImplementedError

    def makes(self, path: str) -> bool:
        """Whether a POST to the path asks for a machine."""
        return path.endswith(("/instances", "/droplets"))

    # -- for the doubles -------------------------------------------------------------------------------------

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        raise NotImplementedError

    def error(self, status: int, words: str, **more: str) -> Reply:
        raise NotImplementedError

    def busy(self) -> Reply:
        raise NotImplementedError

    def _answer(self, request: Request) -> Reply:
        path = request.path.removeprefix(self.prefix)
        if self._next("slow_down"):
            slower = self.error(429, "Too many requests")
            return replace(slower, headers={"Retry-After": self.trouble.retry_after})
        if self._next("stumble"):
            return self.error(503, "Service unavailable")
        if self.stumbles_over_making and request.method == "POST" and self.makes(path):
            return self.error(503, "Service unavailable")
        if path not in self.public and request.headers.get("authorization") != f"Bearer {KEY}":
            return self.error(401, "Invalid API token")
        for method, pattern, handler in self.routes():
            found = re.fullmatch(pattern, path)
            if method == request.method and found:
                return handler(request, *found.groups())
        return self.error(404, f"no such path {path}")

    def _next(self, name: str) -> bool:
        left: int = getattr(self.trouble, name)
        setattr(self.trouble, name, max(left - 1, 0))
        return left > 0

    def add(self, box: Box, making: str) -> Box:
        """A new machine, shown as being made for a while."""
        box.looks = [making] * self.trouble.looks_until_running
        box.hidden, box.unlisted = self.trouble.looks_until_found, self.trouble.looks_until_listed
        self.boxes[box.id] = box
        self.made.append(box.name)
        return box

    def find(self, number: Any) -> Box | None:
        box = self.boxes.get(number)
        if box is None or (box.removed and not box.looks):
            return None
        box.hidden -= 1
        return None if box.hidden >= 0 else box

    def listed(self) -> list[Box]:
        shown = []
        for box in list(self.boxes.values()):
            box.unlisted -= 1
            if box.unlisted < 0 and not (box.removed and not box.looks):
                shown.append(box)
        return shown

    def remove(self, box: Box, leaving: str) -> None:
        box.removed = True
        box.looks = [leaving] * self.trouble.looks_until_gone

    @property
    def is_full(self) -> bool:
        return len(self.existing) >= self.trouble.quota

    def slice(self, entries: Sequence[Any], page: int, size: int) -> tuple[Sequence[Any], int]:
        """One page, and how many there are."""
        size = min(size, self.trouble.page)
        return entries[(page - 1) * size : page * size], max(1, -(-len(entries) // size))
