"""What an installation sets for all its services; names as in oneflow-server.conf (reference 8)."""

from dataclasses import dataclass
from datetime import UTC, tzinfo

from oneflow.model.vm import NAME_TEMPLATE

WHOLE = ("port", "default_cooldown", "action_number", "action_period", "watch_s", "late_s", "gate_port")
TEXT = ("host", "shutdown_action", "vm_name_template", "gate_endpoint")


@dataclass(frozen=True)
class FlowSettings:
    """`default_cooldown`, `action_period` in seconds; `watch_s`: how often running machines are looked at, at
    the longest; `late_s`: how long OpenNebula may take for a request whose sender died; `gate_endpoint`:
    where VMs reach OneGate, if not at `host` and `gate_port`. Keys of the file that are not here are those of
    parts that we do not have."""

    host: str = "127.0.0.1"
    port: int = 2474
    gate_port: int = 5030
    gate_endpoint: str = ""
    default_cooldown: int = 300
    shutdown_action: str = "shutdown"
    action_number: int = 1
    action_period: int = 60
    vm_name_template: str = NAME_TEMPLATE
    watch_s: int = 10
    late_s: int = 10
    tz: tzinfo = UTC

    @property
    def gate_url(self) -> str:
        """What VMs are told of OneGate."""
        return self.gate_endpoint or f"http://{self.host}:{self.gate_port}"
