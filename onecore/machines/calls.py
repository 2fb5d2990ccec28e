"""From a resource to the driver call that serves it, and from the driver's answer to what it means."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from onecore.drivers import protocol, secrecy
from onecore.drivers.catalog import Driver
from onecore.drivers.deployment import Deployment, to_xml
from onecore.drivers.manifest import FILE_NAME
from onecore.drivers.protocol import ListState, PollState
from onecore.errors import DriverFailed, OneError
from onecore.machines.decide import Facts, Health
from onecore.machines.model import Kind, Resource
from onecore.process import Command, Outcome, Work

T = TypeVar("T")

LIST_LIMIT = 32 * 1024 * 1024
DEPLOY_ID = "deploy_id"


@dataclass(frozen=True)
class Seen:
    """One thing that exists at the provider, by its owner tag. Not `told`: the driver says nothing of its
    health, only that it exists."""

    name: str
    deploy_id: str
    health: Health
    addresses: tuple[str, ...] = ()
    metrics: Mapping[str, str] = field(default_factory=dict)
    told: bool = True


@dataclass(frozen=True)
class Verbs:
    """The actions of a driver that make, remove and list one kind of resource."""

    create: str
    destroy: str
    list: str


VERBS = {
    Kind.MACHINE: Verbs("deploy", "cancel", "list"),
    Kind.ADDRESS: Verbs("allocate_ip", "release_ip", "list_ips"),
}


@dataclass(frozen=True)
class Binding:
    """A driver with the account it works on. `secrets` are by environment variable; settings of the account,
    which may be shown, are among them."""

    driver: Driver
    secrets: Mapping[str, str]
    home: Path
    base_path: str
    _executables: dict[str, Path] = field(default_factory=dict, repr=False, compare=False)
    _environment: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def hidden(self) -> tuple[str, ...]:
        """What has to stay secret of the account."""
        return self.driver.manifest.hidden(self.secrets)

    def facts(self, kind: Kind) -> Facts:
        manifest = self.driver.manifest
        return Facts(
            can_list=VERBS[kind].list in manifest.extensions,
            idempotent=manifest.idempotent,
            confirm_s=manifest.limits.timeouts.get("confirm", 15.0),
            boot_s=manifest.limits.timeouts.get("boot", 600.0),
        )

    def create(self, resource: Resource, run_file: Callable[[str], Path]) -> Work:
        """The call that makes it. Writes the deployment file."""
        verb = VERBS[resource.kind].create
        if resource.kind is Kind.ADDRESS:
            argv = protocol.allocate_ip(self._executable(verb), resource.name)
            return self._command(verb, argv, _parameters(resource).encode(), run_file("out"))
        return self._deploy(resource, run_file, {})

    def destroy(self, resource: Resource, run_file: Callable[[str], Path]) -> Work:
        verb = VERBS[resource.kind].destroy
        executable = self._executable(verb)
        if resource.kind is Kind.ADDRESS:
            argv = protocol.release_ip(executable, resource.deploy_id, resource.name)
        else:
            argv = protocol.act(executable, resource.deploy_id, resource.name, resource.number)
        return self._command(verb, argv, output_path=run_file("out"))

    def act(self, resource: Resource, verb: str, run_file: Callable[[str], Path]) -> Work:
        """The power actions: reboot, reset, shutdown (power off), suspend, and deploy: one that names a
        machine starts it. That one writes the deployment file."""
        if verb == "deploy":
            return self._deploy(resource, run_file, {DEPLOY_ID: resource.deploy_id})
        executable = self._executable(verb)
        argv = protocol.act(executable, resource.deploy_id, resource.name, resource.number)
        if verb == "shutdown":
            argv = protocol.shutdown(executable, resource.deploy_id, resource.name, resource.number)
        return self._command(verb, argv, output_path=run_file("out"))

    def poll(self, resource: Resource) -> Work:
        executable = self._executable("poll")
        argv = protocol.act(executable, resource.deploy_id, resource.name, resource.number)
        return self._command("poll", argv)

    def list(self, kind: Kind) -> Work:
        verb = VERBS[kind].list
        command = self._command(verb, protocol.ask(self._executable(verb)))
        return replace(command, output_limit=LIST_LIMIT)

    def created_id(self, resource: Resource, outcome: Outcome) -> tuple[str, tuple[str, ...]]:
        """The id (and address) that a successful create answered."""
        if resource.kind is Kind.ADDRESS:
            address = self._read(protocol.parse_allocated, outcome)
            return self.harmless(address.id), (address.ip,)
        return self.harmless(self._read(protocol.parse_deploy_id, outcome)), ()

    def printed_id(self, kind: Kind, text: str) -> str:
        """The id in what a creating driver printed before anybody heard of its end."""
        return printed_id(kind, text)

    def harmless(self, identifier: str) -> str:
        """The id that a driver answered, unless it is a secret: ids are stored, shown and put into argv."""
        if secrecy.betrays(identifier, self.hidden):
            raise DriverFailed(
                f"{self.driver.name} answered an id that holds a connection value of its provider",
                hint="what it made may exist all the same; the driver is at fault",
            )
        return identifier

    def listed(self, kind: Kind, outcome: Outcome) -> dict[str, Seen]:
        if kind is Kind.ADDRESS:
            found = self._read(protocol.parse_addresses, outcome)
            return {a.tag: Seen(a.tag, self.harmless(a.id), Health.RUNNING, (a.ip,)) for a in found}
        return {
            m.name: self._without_secrets(
                Seen(m.name, self.harmless(m.deploy_id), _LISTED[m.state], m.addresses, m.metrics)
            )
            for m in self._read(protocol.parse_list, outcome)
        }

    def polled(self, resource: Resource, outcome: Outcome) -> Seen:
        answer = protocol.parse_poll(outcome.stdout)
        # Drivers of the old tool may print no state: a poll that succeeds was all that it asked for.
        told = answer.state is not PollState.UNKNOWN or (self.driver.path / FILE_NAME).exists()
        health = _POLLED[answer.state] if told else Health.RUNNING
        seen = Seen(resource.name, resource.deploy_id, health, answer.addresses, answer.metrics, told)
        return self._without_secrets(seen)

    def failure(self, verb: str, label: str, outcome: Outcome) -> OneError:
        return protocol.failure(self.driver.name, verb, label, outcome, self.hidden)

    def _executable(self, action: str) -> Path:
        """Checked once per command, not once per machine."""
        if action not in self._executables:
            self._executables[action] = self.driver.executable(action)
        return self._executables[action]

    def _read(self, parse: Callable[[bytes], T], outcome: Outcome) -> T:
        return secrecy.read(parse, outcome.stdout, self.hidden)

    def _without_secrets(self, seen: Seen) -> Seen:
        secrets = self.hidden
        if not secrets:
            return seen
        metrics = {
            secrecy.masked_text(key, secrets): secrecy.masked_text(value, secrets)
            for key, value in seen.metrics.items()
        }
        addresses = tuple(a for a in seen.addresses if not secrecy.betrays(a, secrets))
        return replace(seen, addresses=addresses, metrics=metrics)

    def _deploy(
        self, resource: Resource, run_file: Callable[[str], Path], further: Mapping[str, str]
    ) -> Command:
        deployment = Deployment(**resource.deployment)  # type: ignore[arg-type]  # stored by asdict
        # A driver that finds this parameter makes nothing, so it is never there by accident.
        asked = {key: text for key, text in deployment.provision.items() if key.lower() != DEPLOY_ID}
        xml = to_xml(replace(deployment, provision={**asked, **further}))
        file = run_file("xml")
        argv = protocol.deploy(self._executable("deploy"), file, resource.name, resource.number)
        protocol.write_deployment(file, xml)
        return self._command("deploy", argv, xml.encode(), run_file("out"))

    def _command(
        self, verb: str, argv: tuple[str, ...], stdin: bytes = b"", output_path: Path | None = None
    ) -> Command:
        if not self._environment:  # made once per command, not once per machine
            self._environment.update(protocol.environment(self.home, self.secrets, self.base_path))
        return Command(
            argv,
            self._environment,
            stdin,
            timeout_s=self.driver.manifest.limits.timeout_for(verb),
            output_path=output_path,
        )


def _parameters(resource: Resource) -> str:
    """What an address is to be like, in the shape of a deployment file."""
    given = resource.deployment.get("provision", {})
    provision = {str(key): str(value) for key, value in given.items()} if isinstance(given, Mapping) else {}
    return to_xml(Deployment(resource.name, "", "", resource.driver, provision))


def printed_id(kind: Kind, text: str) -> str:
    """Raises ValueError, LookupError or TypeError where there is none."""
    return str(json.loads(text)["id"]) if kind is Kind.ADDRESS else text


_LISTED = {
    ListState.RUNNING: Health.RUNNING,
    ListState.OFF: Health.OFF,
    ListState.PENDING: Health.PENDING,
    ListState.ERROR: Health.ERROR,
}
_POLLED = {
    PollState.ACTIVE: Health.RUNNING,
    PollState.OFF: Health.OFF,
    PollState.ERROR: Health.ERROR,
    PollState.GONE: Health.GONE,
    PollState.UNKNOWN: Health.PENDING,
}
