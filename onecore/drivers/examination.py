"""The steps that take one machine of a driver through its whole life, for `onecore.drivers.conformance`."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from onecore.clock import Clock, SystemClock
from onecore.drivers.call import Calls, Target
from onecore.drivers.cheapest import cheapest
from onecore.drivers.deployment import Deployment, to_xml
from onecore.drivers.manifest import ACTIONS, FILE_NAME
from onecore.drivers.protocol import BEGIN, END, Poll, PollState, act, failure
from onecore.drivers.roles import spellings, unanswered
from onecore.errors import DriverFailed, OneError
from onecore.ids import machine_name


@dataclass(frozen=True)
class Setting:
    """How to examine. `deadline_s` is how long a machine may take to reach a state."""

    base_path: str = "/usr/local/bin:/usr/bin:/bin"
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    connection: Mapping[str, str] = field(default_factory=dict, repr=False)
    ssh_public_key: str = ""
    deadline_s: float = 600.0
    every_s: float = 1.0
    clock: Clock = field(default_factory=SystemClock)
    random_bytes: Callable[[int], bytes] = os.urandom


class NotApplicable(Exception):
    """The driver does not claim to do this."""


class Examination:
    """One machine and what may exist because of it; every step returns a detail or raises."""

    def __init__(self, calls: Calls, file: Path, parameters: Mapping[str, str], setting: Setting) -> None:
        self.calls = calls
        self.driver = calls.driver
        self.setting = setting
        self._file = file
        self._parameters = dict(parameters)
        self._name = machine_name(setting.random_bytes)
        self._deploy_id = ""
        # What may exist at the provider and is not known to be gone.
        self._asked = False
        self._alive: set[str] = set()
        self._addresses: dict[str, str] = {}

    def manifest(self) -> str:
        if not self._declares():
            raise NotApplicable(f"no {FILE_NAME}: the six actions and nothing else are used")
        extensions = ", ".join(sorted(self.driver.manifest.extensions))
        return f"extensions: {extensions or 'none'}"

    def whole(self) -> str:
        self.driver.require_whole()
        return ", ".join((*ACTIONS, *sorted(self.driver.manifest.extensions)))

    def chosen(self) -> str:
        """What is not given of place, size and system is the cheapest that the driver offers."""
        inputs = self.driver.manifest.inputs or {}
        if unanswered(inputs, self._parameters):
            self._parameters |= cheapest(inputs, self._parameters, self._offered)
        missing = [spellings(inputs, role)[0] for role in unanswered(inputs, self._parameters)]
        _require(not missing, f"nothing is on offer; to be given by --set: {', '.join(missing)}")
        told = [f"{name}={value}" for name, value in self._parameters.items()]
        return ", ".join(told) or "nothing has to be said of it"

    def deploy(self) -> str:
        self._asked = True
        self._deploy_id = self.calls.deploy(self._target(), self._file, self._xml())
        self._alive.add(self._deploy_id)
        return self._deploy_id

    def deploy_again(self) -> str:
        if not self.driver.manifest.idempotent:
            raise NotApplicable("not declared idempotent")
        again = self.calls.deploy(self._target(), self._file, self._xml())
        self._alive.add(again)
        _require(again == self._deploy_id, f"'{self._deploy_id}' at first, then '{again}'")
        return again

    def active(self) -> str:
        return self._until_state(PollState.ACTIVE)

    def listed(self) -> str:
        return self._until(lambda: self._list_problem(shown=True))

    def reboot(self) -> str:
        self.calls.act("reboot", self._target())
        return self.active()

    def reset(self) -> str:
        self.calls.act("reset", self._target())
        return self.active()

    def power_off(self) -> str:
        self.calls.shutdown(self._target())
        return self._until_state(PollState.OFF)

    def power_on(self) -> str:
        self.calls.power_on(self._target(), self._file, self._xml({"DEPLOY_ID": self._deploy_id}))
        return self.active()

    def cancel(self) -> str:
        self.calls.act("cancel", self._target())
        return ""

    def gone(self) -> str:
        detail = self._until(lambda: self._gone_problem(self._target()))
        self._alive.discard(self._deploy_id)
        return detail

    def unlisted(self) -> str:
        return self._until(lambda: self._list_problem(shown=False))

    def refusal(self) -> str:
        """A bad deploy id has to fail, and to say why in one of the ways that are read."""
        argv = act(self.driver.executable("reboot"), "no-such-machine", self._name, 0)
        outcome = self.calls.outcome("reboot", argv)
        _require(not outcome.ok, "reboot of an unknown deploy id succeeded")
        marked = BEGIN.encode() in outcome.stderr and END.encode() in outcome.stderr
        said = outcome.stderr.strip() or outcome.stdout.strip()
        _require(bool(said), "no reason was given")
        _require(marked or not self._declares(), f"the reason is not between '{BEGIN}' and '{END}' on stderr")
        return failure(self.driver.name, "reboot", "", outcome, self._hidden).message

    def offers(self) -> str:
        declared = [a for a in ("locations", "plans", "images", "prices") if self.driver.can(a)]
        if not declared:
            raise NotApplicable("not declared")
        return ", ".join(f"{len(self.calls.offers(action))} {action}" for action in declared)

    def addresses(self) -> str:
        self._need("allocate_ip", "release_ip")
        first = self.calls.allocate_ip(self._name, self._xml())
        self._addresses[first.id] = first.ip
        again = self.calls.allocate_ip(self._name, self._xml())
        self._addresses[again.id] = again.ip
        _require(first == again, f"{first.ip} at first, then {again.ip} for the same tag")
        if self.driver.can("list_ips"):
            _require(
                any(a.id == first.id for a in self.calls.list_ips()), f"list_ips does not show {first.ip}"
            )
        return first.ip

    def released(self) -> str:
        self._need("allocate_ip", "release_ip")
        for address_id in list(self._addresses):
            self.calls.release_ip(address_id, self._name)
            self.calls.release_ip(address_id, self._name)
            if self.driver.can("list_ips"):
                left = any(a.id == address_id for a in self.calls.list_ips())
                _require(not left, f"list_ips still shows {self._addresses[address_id]}")
            del self._addresses[address_id]
        return ""

    def clean_up(self) -> str:
        """Also after a deploy that failed, because a driver may fail after it made the machine."""
        if self._asked and not self._deploy_id:
            self._alive |= self._found_by_name()
        left: list[str] = []
        for deploy_id in sorted(self._alive):
            problem = self._removed_problem(deploy_id)
            left += [f"machine '{deploy_id}': {problem}"] if problem else []
        for address_id, ip in self._addresses.items():
            try:
                self.calls.release_ip(address_id, self._name)
            except OneError as exc:
                left.append(f"address {ip}: {exc.message}")
        _require(not left, "; ".join(left))
        return ""

    def _found_by_name(self) -> set[str]:
        if not self.driver.can("list"):
            raise NotApplicable(f"the driver cannot list: look for '{self._name}' at the provider")
        self.setting.clock.sleep(self.driver.manifest.limits.list_lag_s)
        return {machine.deploy_id for machine in self.calls.list() if machine.name == self._name}

    def _removed_problem(self, deploy_id: str) -> str:
        target = Target(self._name, 0, deploy_id)
        try:
            self.calls.act("cancel", target)
            self._until(lambda: self._gone_problem(target))
        except OneError as exc:
            return exc.message
        return ""

    def _offered(self, action: str) -> Sequence[Mapping[str, object]]:
        return self.calls.offers(action) if self.driver.can(action) else ()

    def _target(self) -> Target:
        return Target(self._name, 0, self._deploy_id)

    def _xml(self, more: Mapping[str, str] | None = None) -> str:
        s = self.setting
        provision = {**{name.upper(): value for name, value in self._parameters.items()}, **(more or {})}
        return to_xml(
            Deployment(
                self._name,
                "kvm",
                "kvm",
                self.driver.name,
                provision=provision,
                connection=s.connection,
                ssh_public_key=s.ssh_public_key,
            )
        )

    @property
    def _hidden(self) -> tuple[str, ...]:
        return self.driver.manifest.hidden(self.setting.secrets)

    def _declares(self) -> bool:
        return (self.driver.path / FILE_NAME).exists()

    def _need(self, *extensions: str) -> None:
        missing = [extension for extension in extensions if not self.driver.can(extension)]
        if missing:
            raise NotApplicable(f"not declared: {', '.join(missing)}")

    def _until_state(self, wanted: PollState) -> str:
        def problem() -> str:
            try:
                poll: Poll = self.calls.poll(self._target())
            except DriverFailed as exc:  # some providers do not find a machine for a while after it was made
                return exc.message
            return "" if poll.state is wanted else f"poll says '{poll.state.value}' and not '{wanted.value}'"

        return self._until(problem)

    def _gone_problem(self, target: Target) -> str:
        try:
            poll = self.calls.poll(target)
        except DriverFailed:
            return ""
        return "" if poll.state is PollState.GONE else f"poll still says '{poll.state.value}'"

    def _list_problem(self, shown: bool) -> str:
        self._need("list")
        found = [machine.deploy_id for machine in self.calls.list() if machine.name == self._name]
        if found == ([self._deploy_id] if shown else []):
            return ""
        wanted = f"'{self._deploy_id}'" if shown else "nothing"
        return f"list shows {', '.join(found) or 'nothing'} under the machine's name, and not {wanted}"

    def _until(self, problem: Callable[[], str]) -> str:
        """Ask until there is no problem; the detail is how long that took."""
        clock = self.setting.clock
        begun = clock.monotonic()
        while found := problem():
            if clock.monotonic() - begun >= self.setting.deadline_s:
                raise DriverFailed(f"after {self.setting.deadline_s:g} s: {found}")
            clock.sleep(self.setting.every_s)
        return f"after {clock.monotonic() - begun:.1f} s"


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise DriverFailed(otherwise)
