"""A provider on a virtual clock behind the runner of a real fleet, and a user and rivals who interfere."""

import fcntl
import heapq
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from onecore.machines import record
from onecore.machines.charge import Charge
from onecore.machines.fleet import Fleet
from onecore.machines.model import Resource, RetryPolicy, State, Wanted
from onecore.machines.power import Action
from onecore.process import Command, Ended, Outcome
from onecore.store import lease, resources
from tests.onecore.machines.bench import Bench, a_driver

DRIVER = "simulated"
MANIFEST = "extensions: [list]\nlimits: {parallel: 4, timeouts: {confirm: 3.0, boot: 30.0}}"
POLICY = RetryPolicy(retries=2, sleep_s=0.5)
FORCE = RetryPolicy(retries=2, sleep_s=0.5, force=True)


class Crash(Exception):
    """The process dies here."""


class VirtualClock:
    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    monotonic = now

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class Bell:
    """A waker of nobody."""

    def ring(self) -> None:
        pass


@dataclass
class Provider:
    """`existing`: deploy id by name. `faults`: how many calls may still go wrong."""

    chance: Random
    faults: int = 0
    existing: dict[str, str] = field(default_factory=dict)
    doubled: list[str] = field(default_factory=list)
    made: int = 0

    def call(self, argv: tuple[str, ...]) -> tuple[Ended, int, bytes]:
        """What becomes of a call that ends now."""
        verb = Path(argv[0]).name
        if verb == "list":
            return Ended.EXITED, 0, self._list()
        wrong = self.faults > 0 and self.chance.random() < 0.4
        self.faults -= wrong
        takes_effect = not wrong or self.chance.random() < 0.5
        answer = self._effect(verb, argv) if takes_effect else b""
        if not wrong:
            return Ended.EXITED, 0, answer
        return self.chance.choice([(Ended.EXITED, 1, b""), (Ended.SIGNALLED, -9, b"")])

    def _effect(self, verb: str, argv: tuple[str, ...]) -> bytes:
        if verb == "deploy":
            name = argv[2]
            if name in self.existing:
                self.doubled.append(name)
            self.made += 1
            self.existing[name] = f"id-{self.made}"
            return self.existing[name].encode()
        if verb == "cancel":
            self.existing = {name: known for name, known in self.existing.items() if known != argv[1]}
        return b""

    def _list(self) -> bytes:
        found = [{"name": n, "deploy_id": i, "state": "running"} for n, i in self.existing.items()]
        return json.dumps(found).encode()


class SimulatedRunner:
    """As the runner of programs; a call takes effect when it ends, and holds the lock of its output until
    then."""

    def __init__(self, clock: VirtualClock, provider: Provider) -> None:
        self._clock = clock
        self._provider = provider
        self._calls: list[tuple[float, int, object, Command, int]] = []
        self._number = 0
        self._begun: list[object] = []
        self.started: Callable[[object], None] = lambda key: None

    def __len__(self) -> int:
        return len(self._calls)

    def listen(self) -> Bell:
        return Bell()

    def start(self, key: object, command: Command) -> None:
        self._number += 1
        ends_at = self._clock.time + self._provider.chance.choice([0.01, 0.2, 1.0, 5.0])
        heapq.heappush(self._calls, (ends_at, self._number, key, command, _held(command)))
        self._begun.append(key)

    def gather(self, timeout_s: float, within_s: float) -> list[tuple[object, Outcome]]:
        return self.wait(timeout_s)

    def wait(self, timeout_s: float) -> list[tuple[object, Outcome]]:
        while self._begun:
            self.started(self._begun.pop(0))
        until = self._clock.time + timeout_s
        if not self._calls or self._calls[0][0] > until:
            self._clock.time = until
            return []
        ended = []
        self._clock.time = max(self._clock.time, self._calls[0][0])
        while self._calls and self._calls[0][0] <= self._clock.time:
            _, _, key, command, fd = heapq.heappop(self._calls)
            how, status, answer = self._provider.call(command.argv)
            if fd >= 0:
                os.write(fd, answer)
                os.close(fd)
            ended.append((key, Outcome(how, status, answer, b"it went wrong" if status else b"", 0.1)))
        return ended


def _held(command: Command) -> int:
    if command.output_path is None:
        return -1
    fd = os.open(command.output_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.truncate(fd, 0)
    return fd


class World:
    """Owners, a fleet that drives them, and everybody who interferes. `begun`: owners in order of starts."""

    def __init__(self, bench: Bench, seed: int, owners: int) -> None:
        if not (bench.home / "remotes").exists():
            a_driver(bench.home, DRIVER, MANIFEST, list="")
        bench.database._connection.execute("PRAGMA synchronous = OFF")
        self.bench = bench
        self.chance = Random(seed)
        self.clock = VirtualClock()
        self.provider = Provider(self.chance)
        self.owners = [f"service/{seed}-{number}" for number in range(owners)]
        self.dies_at = ""
        given = {"runner": SimulatedRunner(self.clock, self.provider), "clock": self.clock}
        self.tools = bench.tools(boundary=self._boundary, **given)
        for owner in self.owners:
            self.add(owner, self.chance.randint(1, 4), None)
        self.fleet = self._begin(POLICY)

    # -- what may happen -----------------------------------------------------------------------------------

    def step(self) -> None:
        """One thing, by chance."""
        disturbances = [self.change_mind, self.grow, self.order, self.vanish, self.rival, self.crash]
        happenings = [self.turn, self.come_back, *disturbances]
        happening = self.chance.choices(happenings, [60, 6, 5, 5, 5, 3, 3, 3])[0]
        happening()

    def turn(self, pause_s: float = 2.0) -> None:
        try:
            self.fleet.turn(pause_s)
        except Crash:
            self.dies_at = ""
            self.fleet = self._begin(POLICY)

    def change_mind(self) -> None:
        self.say(self.chance.choice(self.owners), record.unwanted)

    def grow(self) -> None:
        owner = self.chance.choice(self.owners)
        if owner not in self.fleet.lost:
            self.add(owner, 1, self.fleet)

    def order(self) -> None:
        owner = self.chance.choice(self.owners)
        machines = list(self.fleet.records(owner))
        if machines and owner not in self.fleet.lost:
            self.fleet.order(self.chance.choice(machines), self.chance.choice([Action.REBOOT, Action.RESET]))

    def vanish(self) -> None:
        """A machine goes behind our back."""
        if self.provider.existing:
            del self.provider.existing[self.chance.choice(sorted(self.provider.existing))]

    def rival(self) -> None:
        """Another process takes a lease over, and does nothing with it."""
        self._claim(self.chance.choice(self.owners))

    def come_back(self) -> None:
        """What was lost is ours again."""
        for owner in list(self.fleet.lost):
            self.fleet.drop(owner)
            self._take(self.fleet, owner, POLICY)

    def crash(self) -> None:
        """The next boundary of that name is the last one."""
        self.dies_at = self.chance.choice(["before commit", "after commit", "driver started", "driver ended"])

    def say(self, owner: str, word) -> None:
        """A user's word about all machines of an owner."""
        if owner in self.fleet.lost:
            return
        with self.bench.database.begin() as tx:
            said = [word(resource) for resource in resources.of_owner(tx, owner)]
            resources.update(tx, said)
        self.fleet.put(said)

    def add(self, owner: str, count: int, fleet: Fleet | None) -> None:
        added = self.bench.want(count, driver=DRIVER, owner=owner)
        if fleet is not None:
            fleet.put(added)

    # -- the end -------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Nobody interferes any more, and the user asks again where something is not as wanted."""
        self.provider.faults, self.dies_at = 0, ""
        self.fleet = self._begin(FORCE)
        for _ in range(4):
            self.look()
            for owner in self.owners:
                self.say(owner, record.encouraged)
            for _ in range(2000):
                if not any(map(self.fleet.is_busy, self.owners)) and not self.fleet.is_at_work:
                    break
                self.fleet.turn(5.0)
            else:
                raise AssertionError("somebody is never served")

    def look(self) -> None:
        """Long enough for every machine at rest to have been looked at."""
        until = self.clock.now() + 20.0
        while self.clock.now() < until:
            self.fleet.turn(1.0)

    def records(self) -> list[Resource]:
        return [r for owner in self.owners for r in self.stored(owner)]

    def stored(self, owner: str) -> list[Resource]:
        return self.bench.ask(lambda tx: resources.of_owner(tx, owner))

    # -- their parts ---------------------------------------------------------------------------------------

    def _begin(self, policy: RetryPolicy) -> Fleet:
        fleet = Fleet(self.tools, threads=6)
        fleet.watch(3.0)
        for owner in self.owners:
            self._take(fleet, owner, policy)
        return fleet

    def _take(self, fleet: Fleet, owner: str, policy: RetryPolicy) -> None:
        held = self._claim(owner)
        fleet.take(Charge(owner, held, policy), self.stored(owner))
        fleet.recover(owner, self.bench.ask(lambda tx: resources.open_operations(tx, owner)))

    def _claim(self, owner: str) -> lease.Lease:
        with self.bench.database.begin() as tx:
            tx.run("UPDATE lease SET owner = NULL WHERE key = ?", (owner,))
            return lease.claim(tx, owner, "test", self.clock.now(), lease.this_process())

    def _boundary(self, name: str) -> None:
        if name == self.dies_at:
            raise Crash


def wanted(world: World) -> set[str]:
    return {r.name for r in world.records() if r.wanted is Wanted.PRESENT}


def at_rest(world: World) -> bool:
    return all(r.state is State.READY for r in world.records())
