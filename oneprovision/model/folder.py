"""A OneForm driver folder as a value: what it asks for, how its clusters look, and where its parts are.

The layout is OneForm's (driver.conf, terraform/, ansible/, optional ipam/ and elastic/). Drivers of
this kind are named `oneform/<name>` wherever a pm driver could have the same name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

PREFIX = "oneform/"
HOSTS = "oneform_hosts"
ONPREM_HOSTS = "oneform_onprem_hosts"
TAGS = "oneform_tags"
PUBLIC_IPS = "oneform_public_ips"
IPAM_SCRIPTS = (
    *("register_address_range", "unregister_address_range"),
    *("allocate_address", "free_address", "get_address"),
)


class HostsBy(StrEnum):
    """What a driver counts its hosts by."""

    AMOUNT = "amount"
    IPS = "ips"


@dataclass(frozen=True)
class Match:
    """Which values an input allows: of `list` one of them, of `number` min and max, of `string` a regular
    expression, of `map` a list for each value of the input `grouped_by`."""

    type: str
    values: object
    grouped_by: str = ""

    def to_document(self) -> dict[str, object]:
        grouped = {"grouped_by": self.grouped_by} if self.grouped_by else {}
        return {"type": self.type, **grouped, "values": self.values}


@dataclass(frozen=True)
class Input:
    """A value that a driver or a deployment asks for. Without a default it is `mandatory`."""

    name: str
    type: str = "string"
    description: str = ""
    default: object = None
    mandatory: bool = False
    sensitive: bool = False
    match: Match | None = None

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Input":
        """What `to_document` wrote, here or at a server."""
        match = document.get("match")
        return cls(
            name=document["name"],
            type=document.get("type", "string"),
            description=document.get("description", ""),
            default=document.get("default"),
            mandatory=bool(document.get("mandatory")),
            sensitive=bool(document.get("sensitive")),
            match=Match(match["type"], match["values"], match.get("grouped_by", "")) if match else None,
        )

    def to_document(self) -> dict[str, object]:
        """As OneForm serves it; what is not said is left out."""
        document: dict[str, object] = {"name": self.name, "type": self.type}
        if self.description:
            document["description"] = self.description
        if self.default is not None:
            document["default"] = self.default
        document |= {"mandatory": self.mandatory, "sensitive": self.sensitive}
        return document | ({"match": self.match.to_document()} if self.match else {})


@dataclass(frozen=True)
class Deployment:
    """One kind of cluster: the inventory template `ansible/templates/<name>.j2` and what its header says."""

    name: str
    path: Path
    text: str = field(repr=False)
    title: str = ""
    description: str = ""
    onedeploy_tags: str = ""
    inputs: tuple[Input, ...] = ()


@dataclass(frozen=True)
class Folder:
    """A driver folder that was read and is whole. `checksum` is of every file in it; `idempotent`: a machine
    whose making was cut short may be made again, the driver makes sure that it is the same one; `ssh`: we are
    to see to it that the hosts can be logged in to, before the driver's playbook does."""

    name: str
    path: Path
    origin: str
    title: str
    description: str
    version: str
    fireedge: Mapping[str, object]
    connection: tuple[Input, ...]
    inputs: tuple[Input, ...]
    deployments: tuple[Deployment, ...]
    checksum: str
    idempotent: bool = False
    ssh: bool = False
    timeout_s: float = 0.0

    @property
    def key(self) -> str:
        """Names the driver apart from pm drivers of the same name."""
        return PREFIX + self.name

    @property
    def terraform(self) -> Path:
        return self.path / "terraform"

    @property
    def ansible(self) -> Path:
        return self.path / "ansible"

    @property
    def site(self) -> Path:
        """The playbook that configures the hosts."""
        return self.ansible / "site.yaml"

    @property
    def ansible_config(self) -> Path:
        return self.ansible / "ansible.cfg"

    @property
    def ipam(self) -> Path | None:
        """Where the scripts are that lease public addresses; None where the driver has none."""
        folder = self.path / "ipam"
        return folder if all((folder / name).is_file() for name in IPAM_SCRIPTS) else None

    @property
    def hosts_by(self) -> HostsBy:
        return HostsBy.IPS if any(i.name == ONPREM_HOSTS for i in self.inputs) else HostsBy.AMOUNT

    @property
    def secret_connection(self) -> frozenset[str]:
        return frozenset(i.name for i in self.connection if i.sensitive)

    def user_inputs(self, deployment: Deployment) -> tuple[Input, ...]:
        """What a provision of this deployment is asked: the driver's inputs and the deployment's own. The
        tags are not among them: every provision gets its own."""
        own = {i.name for i in deployment.inputs}
        common = [i for i in self.inputs if i.name not in own and i.name != TAGS]
        return (*common, *deployment.inputs)


def is_oneform(driver: str) -> bool:
    """Whether the name of a driver means a driver folder."""
    return driver.startswith(PREFIX)


def bare(driver: str) -> str:
    return driver.removeprefix(PREFIX)


def deployment_named(folder: Folder, name: str) -> Deployment | None:
    """By name, in any case; OneForm compares lower-cased names."""
    return next((d for d in folder.deployments if d.name.lower() == name.lower()), None)
