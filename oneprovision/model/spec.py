"""What a provision shall consist of: the values a template evaluates to, ready to be acted on and stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Self

from oneprovision.model.shapes import list_at, mapping_at, mappings_at, text_of

Attributes = Mapping[str, object]


@dataclass(frozen=True)
class Stored:
    """A value that is kept as plain JSON data: `from_json(to_json())` gives the same value."""

    def to_json(self) -> dict[str, object]:
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}


@dataclass(frozen=True)
class Connection(Stored):
    """How the machine is reached over SSH; `~` is the home of whoever runs the command."""

    remote_user: str = "root"
    remote_port: int = 22
    public_key: str = "~/.ssh/id_rsa.pub"
    private_key: str = "~/.ssh/id_rsa"

    @classmethod
    def from_json(cls, data: Attributes) -> Self:
        return cls(
            remote_user=text_of(data["remote_user"]),
            remote_port=_int(data["remote_port"]),
            public_key=text_of(data["public_key"]),
            private_key=text_of(data["private_key"]),
        )

    def through(self, metrics: Mapping[str, str]) -> "Connection":
        """The same, but for the port where the machine's driver says that SSH answers on another one
        (SSH_PORT of `poll` and `list`)."""
        told = metrics.get("SSH_PORT", "")
        return replace(self, remote_port=int(told)) if told.isdecimal() and 0 < int(told) < 65536 else self


@dataclass(frozen=True)
class HostSpec(Stored):
    """One machine: `index` is its number in the provision, `group` the entry of hosts[] it came from."""

    index: int
    group: int
    name: str
    driver: str
    im_mad: str
    vm_mad: str
    provision: Mapping[str, str]
    connection: Connection
    configuration: Attributes = field(default_factory=dict)
    attributes: Attributes = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Attributes) -> Self:
        return cls(
            index=_int(data["index"]),
            group=_int(data["group"]),
            name=text_of(data["name"]),
            driver=text_of(data["driver"]),
            im_mad=text_of(data["im_mad"]),
            vm_mad=text_of(data["vm_mad"]),
            provision={key: text_of(value) for key, value in _mapping(data, "provision").items()},
            connection=Connection.from_json(_mapping(data, "connection")),
            configuration=_mapping(data, "configuration"),
            attributes=_mapping(data, "attributes"),
        )


@dataclass(frozen=True)
class ClusterSpec(Stored):
    """The cluster that holds everything else."""

    name: str
    attributes: Attributes = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Attributes) -> Self:
        return cls(name=text_of(data["name"]), attributes=_mapping(data, "attributes"))


@dataclass(frozen=True)
class DatastoreSpec(Stored):
    """One datastore; tm_mad and ds_mad or type are among its attributes."""

    name: str
    attributes: Attributes = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Attributes) -> Self:
        return cls(name=text_of(data["name"]), attributes=_mapping(data, "attributes"))


@dataclass(frozen=True)
class NetworkSpec(Stored):
    """One network: `ranges` are its static address ranges, `leased` the patterns of those to be leased.

    `addresses` is how many public addresses are wanted at first, over all of `leased`.
    """

    name: str
    public: bool = False
    addresses: int = 0
    ipam_mad: str = ""
    ranges: tuple[Attributes, ...] = ()
    attributes: Attributes = field(default_factory=dict)
    leased: tuple[Attributes, ...] = ()

    @classmethod
    def from_json(cls, data: Attributes) -> Self:
        return cls(
            name=text_of(data["name"]),
            public=data["public"] is True,
            addresses=_int(data["addresses"]),
            ipam_mad=text_of(data["ipam_mad"]),
            ranges=tuple(mappings_at(data["ranges"], ("ranges",))),
            attributes=_mapping(data, "attributes"),
            leased=tuple(mappings_at(data["leased"], ("leased",))),
        )


@dataclass(frozen=True)
class ProvisionSpec(Stored):
    """The whole provision as it is wanted at first."""

    name: str
    description: str
    playbooks: tuple[str, ...]
    inputs: Attributes
    cluster: ClusterSpec
    hosts: tuple[HostSpec, ...] = ()
    datastores: tuple[DatastoreSpec, ...] = ()
    networks: tuple[NetworkSpec, ...] = ()
    cleanup: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: Attributes) -> Self:
        return cls(
            name=text_of(data["name"]),
            description=text_of(data["description"]),
            playbooks=tuple(text_of(item) for item in list_at(data["playbooks"], ("playbooks",))),
            inputs=_mapping(data, "inputs"),
            cluster=ClusterSpec.from_json(_mapping(data, "cluster")),
            hosts=tuple(HostSpec.from_json(item) for item in mappings_at(data["hosts"], ("hosts",))),
            datastores=tuple(
                DatastoreSpec.from_json(item) for item in mappings_at(data["datastores"], ("datastores",))
            ),
            networks=tuple(
                NetworkSpec.from_json(item) for item in mappings_at(data["networks"], ("networks",))
            ),
            cleanup=tuple(text_of(item) for item in list_at(data["cleanup"], ("cleanup",))),
        )


def _plain(value: object) -> object:
    if isinstance(value, Stored):
        return value.to_json()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _mapping(data: Attributes, key: str) -> Attributes:
    return mapping_at(data[key], (key,))


def _int(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is not an int")
    return value
