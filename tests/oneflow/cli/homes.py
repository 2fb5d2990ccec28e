"""Homes for `oneflow` on each of its clouds, with what a test does to the cloud behind its back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.nebula import states
from tests.nebula.server import Nebula
from tests.scenario.command import Home

LATENCY_S = 0.3


@dataclass
class FlowHome(Home):
    """The embedded cloud: machines of the driver dummy."""

    program: str = "oneflow"

    def fail_deploys(self) -> None:
        """From now on no VM can be made."""
        self.rehearse("FAIL=deploy")

    def be_slow(self) -> None:
        """From now on what the cloud is asked takes its time."""
        self.rehearse(f"LATENCY={LATENCY_S}")

    def be_well(self) -> None:
        self.rehearse()

    def stop_one(self) -> None:
        """Somebody powers a VM off."""
        machine = self.cloud / "machines" / min(self.machines())
        machine.write_text(machine.read_text().replace("STATE=running", "STATE=off"))

    def remove_one(self) -> None:
        """Somebody removes a VM."""
        (self.cloud / "machines" / min(self.machines())).unlink()

    def add_user(self, name: str) -> None:
        """A user of the group `users`."""
        self.run("user", "create", name)

    def running(self) -> int:
        """How many VMs run."""
        return sum("STATE=running" in text for text in self.machines().values())


@dataclass
class NebulaHome(FlowHome):
    """The OpenNebula of the tests, which is its own witness."""

    nebula: Nebula = field(kw_only=True)

    @property
    def environment(self) -> Mapping[str, str]:
        return {**super().environment, "ONE_XMLRPC": self.nebula.url}

    def fail_deploys(self) -> None:
        self.nebula.cloud.templates[0].template["SIM_REFUSES"] = "no quota"

    def be_slow(self) -> None:
        self.nebula.faults.slow["*"] = LATENCY_S

    def be_well(self) -> None:
        self.nebula.faults.slow.clear()
        self.nebula.cloud.templates[0].template.pop("SIM_REFUSES", None)

    def stop_one(self) -> None:
        self.nebula.cloud.put(self.nebula.cloud.living()[0].id, (states.POWEROFF, 0))

    def remove_one(self) -> None:
        self.nebula.cloud.put(self.nebula.cloud.living()[0].id, states.ENDED)

    def add_user(self, name: str) -> None:
        self.nebula.cloud.add_user(name, "secret")

    def running(self) -> int:
        return sum(vm.state == (states.ACTIVE, states.RUNNING) for vm in self.nebula.cloud.living())

    def machines(self) -> dict[str, str]:
        return {str(vm.id): vm.name for vm in self.nebula.cloud.living()}
