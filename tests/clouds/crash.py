"""The crash law at every provider: whatever is killed, nothing is leaked, nothing is doubled, nothing stuck.

    python -m tests.clouds.crash            every boundary and every effect of create and deprovision
    python -m tests.clouds.crash --share 5  a fifth of the boundaries, and every effect
    python -m tests.clouds.crash --only vultr --only qemu

A kill ends the command at one of its boundaries, or just when something was made or removed at the provider
and is not answered yet. Then it is recovered. What exists is read from the provider's witness.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clouds.witnesses import PROVIDERS, Provider
from tests.clouds.witnesses import Place as Opening
from tests.scenario import killing, oracle
from tests.scenario.killing import Mode, Place
from tests.scenario.scenarios import DEPROVISION, RETRY

HOSTS = 2
LATE_S = 0.25
CREATE = ("create",)
# Done already, or nothing there to be done.
ENDED_WELL = (0, 5)
TEMPLATE = """name: web
hosts:
- provision: {{driver: {driver}, count: {hosts}}}
networks: [{networks}]
"""
NETWORK = "{{name: public, vn_mad: elastic, ar: [{{ipam_mad: {driver}, size: 1}}]}}"


@dataclass(frozen=True)
class Kill:
    """`at`: the n-th boundary of the command, or its n-th effect at the provider."""

    command: tuple[str, ...]
    at: int
    mode: Mode = Mode.POWER
    effect: bool = False

    def __str__(self) -> str:
        return f"{self.command[0]} killed at {'effect' if self.effect else 'boundary'} {self.at}, {self.mode}"


@dataclass(frozen=True)
class Site:
    """An installation, and the provider it works with."""

    provider: Provider
    place: Place

    def run(self, command: tuple[str, ...], kill: Kill | None = None) -> killing.Run:
        """Its command to the end, or to the kill."""
        dying = killing.Kill(kill.at, kill.mode, LATE_S) if kill and not kill.effect else None
        pid = killing.begun(self.place, self.argv(command), dying, killing.oneprovision)
        if kill and kill.effect:
            self._end_at_effect(pid, kill)
        try:
            return killing.ended(self.place, pid)
        finally:
            if self.provider.effects:
                self.provider.effects.heard = lambda number: None

    def argv(self, command: tuple[str, ...]) -> tuple[str, ...]:
        if command != CREATE:
            return command
        sets = [f"defaults.provision.{name}={value}" for name, value in self.provider.sets.items()]
        sets += [f"defaults.connection.{name}={value}" for name, value in self.provider.login.items()]
        template = str(self.place.folder / "web.yaml")
        return ("create", template, *(word for each in sets for word in ("--set", each)))

    def said(self) -> str:
        return self.place.output.read_text()

    def _end_at_effect(self, pid: int, kill: Kill) -> None:
        effects = self.provider.effects
        assert effects is not None
        before = effects.number

        def heard(number: int) -> None:
            if number - before == kill.at:
                with suppress(ProcessLookupError):
                    killing.end(pid, kill.mode)

        effects.heard = heard

    def violations(self, wanted: int) -> list[str]:
        """What is not as it was asked for, by the witness and the records."""
        store = oracle.read_store(self.place.home)
        machines, recorded = self.provider.machines(self.place.home), store.recorded("machine")
        found = []
        if sorted(machines) != sorted(recorded):
            found.append(f"exist {sorted(machines)}, recorded {sorted(recorded)}")
        if len(machines) != wanted:
            found.append(f"{len(machines)} machines exist, {wanted} are wanted")
        if self.provider.addresses is not None:
            tags, known = sorted(self.provider.addresses()), sorted(store.recorded("address"))
            if tags != known or len(tags) != bool(wanted):
                found.append(f"addresses of {tags}, recorded {known}")
        if store.open_operations:
            found.append(f"{store.open_operations} operations have no end")
        return found


@contextmanager
def site(opening: Opening, folder: Path) -> Iterator[Site]:
    with opening(folder) as provider:
        place = Place(folder, provider.environ)
        place.home.mkdir(parents=True)
        networks = "" if provider.addresses is None else NETWORK.format(driver=provider.driver)
        text = TEMPLATE.format(driver=provider.driver, hosts=HOSTS, networks=networks)
        (folder / "web.yaml").write_text(text)
        yield Site(provider, place)


@dataclass(frozen=True)
class Crash:
    """`killed`: whether it came to that; no two runs have the very same number of boundaries."""

    killed: bool
    violations: tuple[str, ...]


def crash(opening: Opening, kill: Kill, folder: Path) -> Crash:
    """Prepare, kill, recover, judge; then remove everything, and judge again. Every second create is not
    completed but removed at once."""
    with site(opening, folder) as here:
        found = [] if kill.command == CREATE else _done(here, CREATE)
        begun = here.run(kill.command, kill)
        if oracle.read_store(here.place.home).state is not None:
            if kill.command == CREATE and kill.at % 2 == 0:
                found += _done(here, RETRY) + here.violations(HOSTS) + _done(here, ("orphans",))
            found += _done(here, DEPROVISION)
        found += here.violations(0)
        said = (here.said(),) if found else ()
        return Crash(begun.killed, (*(f"{kill}: {text}" for text in found), *said))


def _done(here: Site, command: tuple[str, ...]) -> list[str]:
    ended = here.run(command)
    if ended.stuck:
        return [f"{command[0]} did not end"]
    return [] if ended.exit_code in ENDED_WELL else [f"{command[0]} ended with {ended.exit_code}"]


def kills(opening: Opening, folder: Path, share: int = 1) -> list[Kill]:
    """Every effect, with and without the drivers; and one of `share` boundaries, in each way by turns."""
    found = []
    with site(opening, folder) as here:
        for command in (CREATE, DEPROVISION):
            effects = here.provider.effects
            before = effects.number if effects else 0
            ended = here.run(command)
            assert ended.exit_code == 0, here.said()
            for at in range(1, (effects.number if effects else 0) - before + 1):
                found += [Kill(command, at, mode, effect=True) for mode in (Mode.PROCESS, Mode.POWER)]
            modes = tuple(Mode)
            every = range(share, len(ended.boundaries) + 1, share)
            found += [Kill(command, at, modes[turn % 3]) for turn, at in enumerate(every)]
        assert here.violations(0) == []
    return found


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.clouds.crash")
    parser.add_argument("--share", type=int, default=1, metavar="N", help="one of N boundaries")
    parser.add_argument("--only", action="append", metavar="DRIVER", help="at this provider")
    given = parser.parse_args(argv)
    killing.warm()
    total: Counter[str] = Counter()
    for driver in given.only or PROVIDERS:
        try:
            total += examined(driver, PROVIDERS[driver], given.share)
        except pytest.skip.Exception as exc:
            print(f"{driver}: left out: {exc}", flush=True)
    print(f"{total['kills']} kills, {total['violations']} of them broke the law")
    return 1 if total["violations"] else 0


def examined(driver: str, opening: Opening, share: int) -> Counter[str]:
    start, done = time.monotonic(), Counter({"kills": 0, "violations": 0})
    with tempfile.TemporaryDirectory(prefix="clouds-") as folder:
        for turn, kill in enumerate(kills(opening, _new(folder, "count"), share)):
            found = crash(opening, kill, _new(folder, f"kill-{turn}"))
            done += Counter(kills=found.killed, violations=bool(found.violations))
            for text in found.violations:
                print(f"{driver}: {text}", flush=True)
    took = f"{time.monotonic() - start:.0f} s"
    print(f"{driver}: {done['kills']} kills in {took}, {done['violations']} broke the law", flush=True)
    return done


def _new(folder: str, name: str) -> Path:
    made = Path(folder, name)
    made.mkdir()
    return made


if __name__ == "__main__":
    # An interrupted run has guests and servers to end.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
