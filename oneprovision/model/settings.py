"""What an installation sets for its server and for driver folders; names as in oneform-server.conf (reference
2 and 8)."""

from dataclasses import dataclass

from onecore.errors import InvalidInput

WHOLE = ("port", "concurrency", "command_timeout", "cancel_grace")
TEXT = ("host", "onedeploy_tags")


@dataclass(frozen=True)
class FormSettings:
    """`concurrency`: how many provisions a server works on at a time. `command_timeout` (of OpenTofu, where
    the driver folder says nothing) and `cancel_grace` (until it is killed) in seconds. `onedeploy_tags`:
    those of deployments that name none."""

    host: str = "127.0.0.1"
    port: int = 13013
    concurrency: int = 4
    command_timeout: int = 3600
    cancel_grace: int = 30
    onedeploy_tags: str = ""

    def __post_init__(self) -> None:
        for key in ("concurrency", "command_timeout"):
            if getattr(self, key) < 1:
                raise InvalidInput(f"oneform-server.conf: '{key}' has to be at least 1")
        if self.port > 65535:
            raise InvalidInput(f"oneform-server.conf: there is no port {self.port}")
