"""The crash law at the doubles of VPS providers: whatever is killed, nothing is leaked, nothing is doubled.

    python -m tests.clouds.crash            every boundary of create and deprovision, at each provider
    python -m tests.clouds.crash --share 3  a third of them, and every effect at the provider
    python -m tests.clouds.crash --only vultr

What exists is read from the double itself, which the killed process never touches but by its API.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from onecore.drivers.catalog import builtin_remotes
from tests.clouds.calls import FAKES, AnyFake
from tests.clouds.fake import KEY
from tests.clouds.vultr import VultrFake
from tests.scenario.installation import Installation, end

BOTH = (True, False)
DONE = 10
HOSTS = 2
STUCK_AFTER_S = 120.0
# What is real for a provider, and what a double needs: nobody waits for its lists, nobody listens on SSH.
CHANGES = {"list_lag_s: 10": "list_lag_s: 0.5", "idempotent:": "ssh: false\nidempotent:"}
TEMPLATE = """name: web
hosts:
- provision: {{driver: {driver}, count: {hosts}}}
networks: [{networks}]
"""
NETWORK = "{{name: public, vn_mad: elastic, ar: [{{ipam_mad: {driver}, size: 1}}]}}"
CREATE, DEPROVISION, RETRY = ("create",), ("deprovision", "0", "--yes"), ("retry", "0", "--force")


@dataclass(frozen=True)
class Kill:
    """`at`: the n-th boundary of the command, or the n-th effect at the provider, before it is answered.
    `power`: the drivers die with the process; otherwise they go on as orphans."""

    command: tuple[str, ...]
    at: int
    effect: bool = False
    power: bool = True

    def __str__(self) -> str:
        place = f"effect {self.at}" if self.effect else f"boundary {self.at}"
        return f"{self.command[0]} killed at {place}, {'with' if self.power else 'without'} its drivers"


@dataclass
class Site:
    """One double with an installation beside it. `effects`: what was made and removed so far."""

    fake: AnyFake
    here: Installation
    folder: Path
    effects: int = 0
    on_effect: Callable[[int], None] = lambda effects: None

    @property
    def template(self) -> str:
        return str(self.folder / "web.yaml")

    def argv(self, command: tuple[str, ...]) -> list[str]:
        if command != CREATE:
            return list(command)
        sets = [f"defaults.provision.{key}={value}" for key, value in self.fake.parameters.items()]
        return ["create", self.template, *(word for each in sets for word in ("--set", each))]

    def run(self, command: tuple[str, ...]) -> None:
        answer = self.here.run(*self.argv(command), timeout_s=STUCK_AFTER_S)
        if answer.code != 0:
            raise AssertionError(f"{command} ended with {answer.code}: {answer.err}")

    def killed(self, kill: Kill) -> bool:
        """Run its command until the kill; False when it ended before."""
        before = self.effects
        # A driver that is still at work holds these, so that nobody may wait for their end.
        command = [sys.executable, "-m", "tests.clouds.dying", "0" if kill.effect else str(kill.at)]
        with (self.folder / "output").open("ab") as output:
            process = subprocess.Popen(
                [*command, *self.argv(kill.command)],
                env=self.here.environment(),
                cwd=Path(__file__).parents[2],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

        def die(effects: int) -> None:
            if kill.effect and effects - before == kill.at:
                self._die(process, kill.power)

        self.on_effect = die
        try:
            code = process.wait(STUCK_AFTER_S)
        finally:
            end(process)
            self.on_effect = lambda effects: None
        if kill.power:
            self.here.end_drivers()
        return code == -signal.SIGKILL

    def _die(self, process: "subprocess.Popen[bytes]", power: bool) -> None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        if power:
            self.here.end_drivers()

    def violations(self, wanted: int) -> list[str]:
        """What is not as it was asked for, by the double and the records."""
        found = []
        recorded = sorted(self.here.recorded())
        if self.fake.existing != recorded:
            found.append(f"exist {self.fake.existing}, recorded {recorded}")
        if len(self.fake.existing) != wanted:
            found.append(f"{len(self.fake.existing)} machines exist, {wanted} are wanted")
        tags = [address["label"] for address in self.reserved()]
        sql = "SELECT name FROM resource WHERE kind = 'address'"
        addresses = [str(name) for (name,) in self.here.rows(sql)]
        if sorted(tags) != sorted(addresses):
            found.append(f"addresses of {sorted(tags)}, recorded {sorted(addresses)}")
        if left := self.here.rows("SELECT id FROM operation WHERE ended_at IS NULL"):
            found.append(f"{len(left)} operations have no end")
        return found

    def reserved(self) -> list[dict[str, str]]:
        return list(self.fake.reserved.values()) if isinstance(self.fake, VultrFake) else []


@contextmanager
def site(fake_type: type[AnyFake], folder: Path) -> Iterator[Site]:
    fake = fake_type()
    remotes = folder / "remotes" / "pm" / fake.driver
    shutil.copytree(builtin_remotes() / "pm" / fake.driver, remotes)
    manifest = (remotes / "driver.yaml").read_text()
    for old, new in CHANGES.items():
        assert old in manifest, old
        manifest = manifest.replace(old, new, 1)
    (remotes / "driver.yaml").write_text(manifest)
    for path in (folder / "remotes", *(folder / "remotes").rglob("*")):
        path.chmod(path.stat().st_mode & ~0o022)
    networks = NETWORK.format(driver=fake.driver) if isinstance(fake, VultrFake) else ""
    text = TEMPLATE.format(driver=fake.driver, hosts=HOSTS, networks=networks)
    (folder / "web.yaml").write_text(text)
    with fake.running() as url:
        environ = {fake.url_variable: url, fake.variable: KEY, "ONE_REMOTES": str(folder / "remotes")}
        made = Site(fake, Installation(folder / "home", environ), folder)
        fake.on_effect = lambda: _count(made)
        yield made


def _count(made: Site) -> None:
    made.effects += 1
    made.on_effect(made.effects)


def crash(fake_type: type[AnyFake], kill: Kill, folder: Path) -> list[str]:
    """Prepare, kill, recover, judge; then remove everything, and judge again."""
    with site(fake_type, folder) as place:
        if kill.command != CREATE:
            place.run(CREATE)
        place.killed(kill)
        if not place.here.rows("SELECT id FROM provision"):
            return [f"{kill}: {text}" for text in place.violations(0)]
        found: list[str] = []
        if kill.command == CREATE:
            place.run(RETRY)
            found = place.violations(HOSTS)
        if place.here.state() != DONE:
            place.run(DEPROVISION)
        return [f"{kill}: {text}" for text in (*found, *place.violations(0))]


def kills(boundaries: int, effects: int, command: tuple[str, ...], share: int = 1) -> list[Kill]:
    """Every effect, with and without the drivers; then the boundaries, by turns the one and the other."""
    at = [Kill(command, number, power=number % 2 == 0) for number in range(1, boundaries + 1)]
    inside = [Kill(command, number, True, power) for number in range(1, effects + 1) for power in BOTH]
    return [*inside, *at[share - 1 :: share]]


def counted(fake_type: type[AnyFake], folder: Path) -> dict[tuple[str, ...], tuple[int, int]]:
    """How many boundaries and effects the commands have when nobody kills them."""
    with site(fake_type, folder) as place:
        found: dict[tuple[str, ...], tuple[int, int]] = {}
        for command in (CREATE, DEPROVISION):
            before = place.effects
            trace = folder / f"{command[0]}.trace"
            os.environ["CLOUDS_TRACE"] = str(trace)
            place.killed(Kill(command, 0))
            del os.environ["CLOUDS_TRACE"]
            found[command] = len(trace.read_text().splitlines()), place.effects - before
        assert place.violations(0) == []
        return found


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.clouds.crash", description=__doc__)
    parser.add_argument("--share", type=int, default=1, metavar="N", help="one of N boundaries")
    parser.add_argument("--only", metavar="DRIVER", help="at this provider")
    given = parser.parse_args(argv)
    broken = 0
    for fake_type in FAKES:
        if given.only not in (None, fake_type.driver):
            continue
        begun, done = time.monotonic(), 0
        with tempfile.TemporaryDirectory(prefix="clouds-") as folder:
            counts = counted(fake_type, _new(folder, "count"))
            for command, (boundaries, effects) in counts.items():
                for kill in kills(boundaries, effects, command, given.share):
                    found = crash(fake_type, kill, _new(folder, f"kill-{done}"))
                    done, broken = done + 1, broken + bool(found)
                    for text in found:
                        print(f"{fake_type.driver}: {text}", flush=True)
        print(f"{fake_type.driver}: {done} kills in {time.monotonic() - begun:.0f} s", flush=True)
    print(f"{broken} broke the law")
    return 1 if broken else 0


def _new(folder: str, name: str) -> Path:
    made = Path(folder, name)
    made.mkdir()
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
