"""An installation of OneFlow whose VMs live in the OpenNebula of the tests, driven in this process."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from onecore import config
from onecore.bootstrap import open_deps
from onecore.clock import SystemClock
from onecore.store import resources
from oneflow import store
from oneflow.bootstrap import as_its_user, flow_deps
from oneflow.controller import Controller
from oneflow.deps import FlowDeps
from oneflow.model.document import Kind
from oneflow.model.states import ServiceState
from oneflow.store import SCHEMA
from oneflow.usecases import reading, services, templates
from tests.nebula.cloud import Vm
from tests.nebula.server import Nebula
from tests.oneflow.builders import Body, a_role, a_template, body_of

PATIENCE_S = 60.0


class Quick(SystemClock):
    """Time passes twenty times as fast."""

    begin = SystemClock().now()

    def now(self) -> float:
        return self.begin + 20 * (super().now() - self.begin)


class Site:
    """`nebula`: the server, which is the witness of what exists."""

    def __init__(self, folder: Path, nebula: Nebula, session: str = "oneadmin:secret") -> None:
        self.nebula = nebula
        self.folder = folder
        self.auth = folder / ".one" / "one_auth"
        self.auth.parent.mkdir(exist_ok=True)
        self.auth.write_text(f"{session}\n")
        self.deps = self.opened()

    def opened(self, boundary: Callable[[str], None] = lambda name: None) -> FlowDeps:
        """The tools of a process of its own."""
        environ = {
            "ONE_HOME": str(self.folder / "home"),
            "HOME": str(self.folder),
            "PATH": "/usr/bin:/bin",
            "ONE_XMLRPC": self.nebula.url,
        }
        settings = config.read(environ).in_opennebula()
        return flow_deps(as_its_user(open_deps(settings, (SCHEMA,), boundary=boundary)))

    def service(self, *roles: Body, **fields: object) -> int:
        """A new service of a template with these roles, not driven yet."""
        cold = [{"cooldown": 0, **role} for role in roles or (a_role(),)]
        made: Any = templates.create(self.deps, a_template(*cold, **fields))
        document: Any = templates.instantiate(self.deps, int(made["DOCUMENT"]["ID"]))
        return int(document["DOCUMENT"]["ID"])

    def drive(self, until: Callable[[], object], deps: FlowDeps | None = None) -> None:
        """Work on all services until this holds."""
        end = time.monotonic() + PATIENCE_S

        def enough() -> bool:
            assert time.monotonic() < end, [self.log(n) for n in self.numbers()]
            return bool(until())

        Controller(deps or self.deps).run(enough)

    def reach(self, state: ServiceState, number: int = 0) -> None:
        self.drive(lambda: self.state(number) is state)

    def running(self, *roles: Body, **fields: object) -> int:
        number = self.service(*roles, **fields)
        self.reach(ServiceState.RUNNING, number)
        return number

    def end(self, number: int = 0) -> None:
        services.shutdown(self.deps, number)
        self.reach(ServiceState.DONE, number)

    def watch(self, seconds: float) -> None:
        """From now on VMs at rest are looked at so often."""
        flow: Any = self.deps.flow
        self.deps = replace(self.deps, flow=replace(flow, watch_s=seconds))

    def hurry(self) -> None:
        """From now on pauses and deadlines of ours are short."""
        self.deps = replace(self.deps, clock=Quick())

    # -- what is -------------------------------------------------------------------------------------------

    def numbers(self) -> list[int]:
        with self.deps.database.read() as tx:
            return [service.id for service in store.every(tx, Kind.SERVICE)]

    def state(self, number: int = 0) -> ServiceState:
        with self.deps.database.read() as tx:
            return ServiceState(store.get(tx, Kind.SERVICE, number).body["state"])

    def body(self, number: int = 0) -> Body:
        return body_of(reading.service(self.deps, number))

    def nodes(self, number: int = 0, role: int = 0) -> list[Body]:
        nodes: list[Body] = self.body(number)["roles"][role]["nodes"]
        return nodes

    def log(self, number: int = 0) -> list[str]:
        return [f"{line.action}: {line.text}" for line in reading.log(self.deps, number)]

    def vms(self) -> list[Vm]:
        """What exists."""
        return self.nebula.cloud.living()

    def recorded(self, number: int = 0) -> set[str]:
        """The VMs that the records name."""
        with self.deps.database.read() as tx:
            return {machine.deploy_id for machine in resources.of_owner(tx, f"service/{number}")}
