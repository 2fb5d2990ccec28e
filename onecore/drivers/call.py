"""One call of a driver: typed arguments in, a typed answer out, DriverFailed for everything else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from onecore.drivers import protocol, secrecy
from onecore.drivers.catalog import Driver
from onecore.process import Command, Outcome

Run = Callable[[Command], Outcome]
T = TypeVar("T")


@dataclass(frozen=True)
class Surroundings:
    """What a driver sees besides its arguments. `secrets` are by environment variable."""

    one_home: Path
    base_path: str = "/usr/local/bin:/usr/bin:/bin"
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    home: str | None = None


@dataclass(frozen=True)
class Target:
    """The machine a call is about; it has no deploy id before it is deployed."""

    host: str
    host_id: int | str = 0
    deploy_id: str = ""


class Calls:
    """The actions and extensions of one driver."""

    def __init__(self, driver: Driver, surroundings: Surroundings, run: Run) -> None:
        self.driver = driver
        self._surroundings = surroundings
        self._run = run

    def deploy(self, target: Target, file: Path, xml: str) -> str:
        """Makes the machine in `xml`, which is written to `file` and piped; answers its deploy id."""
        return self._read(protocol.parse_deploy_id, self._deploy(target, file, xml))

    def power_on(self, target: Target, file: Path, xml: str) -> None:
        """Like deploy, for a machine whose DEPLOY_ID is in `xml`; what is printed does not matter."""
        self._deploy(target, file, xml)

    def act(self, action: str, target: Target) -> None:
        """For cancel, reboot, reset, suspend and resume."""
        self._act(action, target)

    def poll(self, target: Target) -> protocol.Poll:
        return protocol.parse_poll(self._act("poll", target).stdout)

    def shutdown(self, target: Target, lcm_state: str = protocol.POWEROFF) -> None:
        program = self.driver.executable("shutdown")
        argv = protocol.shutdown(program, target.deploy_id, target.host, target.host_id, lcm_state)
        self.checked("shutdown", argv, target.host)

    def list(self) -> tuple[protocol.Listed, ...]:
        return self._read(protocol.parse_list, self._ask("list"))

    def offers(self, action: str) -> tuple[Mapping[str, object], ...]:
        """For locations, plans, images and prices."""
        return self._read(lambda stdout: protocol.parse_offers(stdout, action), self._ask(action))

    def list_ips(self) -> tuple[protocol.Address, ...]:
        return self._read(protocol.parse_addresses, self._ask("list_ips"))

    def allocate_ip(self, tag: str, xml: str = "") -> protocol.Address:
        argv = protocol.allocate_ip(self.driver.executable("allocate_ip"), tag)
        return self._read(protocol.parse_allocated, self.checked("allocate_ip", argv, stdin=xml.encode()))

    def release_ip(self, address_id: str, tag: str) -> None:
        argv = protocol.release_ip(self.driver.executable("release_ip"), address_id, tag)
        self.checked("release_ip", argv)

    def assign_ip(self, address_id: str, deploy_id: str) -> None:
        argv = protocol.assign_ip(self.driver.executable("assign_ip"), address_id, deploy_id)
        self.checked("assign_ip", argv)

    def command(self, action: str, argv: tuple[str, ...], stdin: bytes = b"") -> Command:
        """For who runs many calls at once."""
        s = self._surroundings
        env = protocol.environment(s.one_home, s.secrets, s.base_path, s.home)
        return Command(argv, env, stdin, self.driver.manifest.limits.timeout_for(action))

    def outcome(self, action: str, argv: tuple[str, ...]) -> Outcome:
        """What became of the call, whether good or bad."""
        return self._run(self.command(action, argv))

    def checked(self, action: str, argv: tuple[str, ...], host: str = "", stdin: bytes = b"") -> Outcome:
        outcome = self._run(self.command(action, argv, stdin))
        if not outcome.ok:
            raise protocol.failure(self.driver.name, action, host, outcome, self._hidden)
        return outcome

    def _deploy(self, target: Target, file: Path, xml: str) -> Outcome:
        argv = protocol.deploy(self.driver.executable("deploy"), file, target.host, target.host_id)
        protocol.write_deployment(file, xml)
        return self.checked("deploy", argv, target.host, xml.encode())

    def _act(self, action: str, target: Target) -> Outcome:
        program = self.driver.executable(action)
        argv = protocol.act(program, target.deploy_id, target.host, target.host_id)
        return self.checked(action, argv, target.host)

    def _ask(self, action: str) -> Outcome:
        return self.checked(action, protocol.ask(self.driver.executable(action)))

    def _read(self, parse: Callable[[bytes], T], outcome: Outcome) -> T:
        return secrecy.read(parse, outcome.stdout, self._hidden)

    @property
    def _hidden(self) -> tuple[str, ...]:
        return self.driver.manifest.hidden(self._surroundings.secrets)
