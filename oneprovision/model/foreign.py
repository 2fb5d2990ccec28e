"""Documents of OneForm's own server, as values: PROVIDER_BODY of type 103, PROVISION_BODY of type 104."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from onecore.errors import InvalidInput, WrongState
from oneprovision.model.provision import ObjectKind
from oneprovision.model.shapes import text_of
from oneprovision.model.states import State

PROVIDER_BODY, PROVISION_BODY = "PROVIDER_BODY", "PROVISION_BODY"
_LISTS = {ObjectKind.DATASTORE: "datastores", ObjectKind.NETWORK: "networks", ObjectKind.HOST: "hosts"}


@dataclass(frozen=True)
class ForeignProvider:
    driver: str
    description: str
    connection: Mapping[str, str] = field(repr=False)
    created_at: float = 0.0


@dataclass(frozen=True)
class ForeignObject:
    """An object of a provision with its number in OpenNebula; `machine`: what the cloud calls a host."""

    kind: ObjectKind
    number: int
    name: str
    template: Mapping[str, object] = field(default_factory=dict)
    machine: str = ""


@dataclass(frozen=True)
class ForeignProvision:
    """`tofu_state`: as text, secrets included."""

    provider_id: int
    deployment: str
    description: str
    values: Mapping[str, object] = field(repr=False)
    tofu_state: str = field(repr=False)
    objects: tuple[ForeignObject, ...] = ()
    created_at: float = 0.0

    def of_kind(self, kind: ObjectKind) -> list[ForeignObject]:
        return [each for each in self.objects if each.kind is kind]


def provider(text: str) -> ForeignProvider:
    """Raises InvalidInput, KeyError, TypeError or ValueError where it is none."""
    body = _body(text, PROVIDER_BODY)
    return ForeignProvider(
        driver=str(body["driver"]),
        description=text_of(body.get("description")),
        connection={str(name): text_of(value) for name, value in _mapping(body["connection"]).items()},
        created_at=float(text_of(body.get("registration_time")) or 0),
    )


def provision(text: str) -> ForeignProvision:
    """As `provider`. Raises WrongState for what cannot be taken over as it is."""
    body = _body(text, PROVISION_BODY)
    state = _state(body["state"])
    if state is not State.RUNNING:
        raise WrongState(f"it is {state.name} there; only what is RUNNING can be taken over")
    there = _mapping(body["one_objects"])
    objects = [_object(ObjectKind.CLUSTER, there["cluster"])]
    objects += [_object(kind, each) for kind, name in _LISTS.items() for each in _list(there.get(name))]
    return ForeignProvision(
        provider_id=int(text_of(body["provider_id"])),
        deployment=text_of(body["deployment_file"]).removesuffix(".j2"),
        description=text_of(body.get("description")),
        values=_mapping(body["user_inputs_values"]),
        tofu_state=_state_text(body["tfstate"]),
        objects=tuple(objects),
        created_at=float(text_of(body.get("registration_time")) or 0),
    )


def _body(text: str, name: str) -> Mapping[str, object]:
    if not text:
        raise InvalidInput(f"it has no {name}: it is not OneForm's")
    try:
        read = json.loads(text)
    except ValueError:  # what it holds may be secret, and the error would quote it
        raise InvalidInput(f"its {name} is no JSON; administrators see it decrypted") from None
    return _mapping(read)


def _state(said: object) -> State:
    return State[said] if isinstance(said, str) and not said.isdecimal() else State(int(str(said)))


def _state_text(said: object) -> str:
    """Base64 of JSON; an empty object before the first run."""
    if not isinstance(said, str) or not said:
        raise WrongState("it has no OpenTofu state: nothing says which machines are its own")
    try:
        return base64.b64decode(said, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise InvalidInput("its OpenTofu state cannot be read") from None


def _object(kind: ObjectKind, said: object) -> ForeignObject:
    entry = _mapping(said)
    if entry.get("id") is None:
        raise WrongState(f"its {kind} {text_of(entry.get('name'))} is not registered there yet")
    template = entry.get("template")
    return ForeignObject(
        kind=kind,
        number=int(text_of(entry["id"])),
        name=text_of(entry.get("name")),
        template=_mapping(template) if template else {},
        machine=text_of(entry.get("resource_id")),
    )


def ranges(network: ForeignObject) -> list[Mapping[str, object]]:
    """Its static address ranges."""
    return [each for each in _ranges(network) if not _is_leased(each)]


def leased(network: ForeignObject) -> list[int]:
    """The numbers there of the ranges that a cloud leased an address for. Raises WrongState where one has
    none: nothing would say which it is."""
    found = [each for each in _ranges(network) if _is_leased(each)]
    if any(each.get("ar_id") is None for each in found):
        raise WrongState(f"network {network.number} has a leased address range without a number")
    return [int(text_of(each["ar_id"])) for each in found]


def _ranges(network: ForeignObject) -> list[Mapping[str, object]]:
    """One, or a list."""
    said = network.template.get("ar")
    return [_mapping(each) for each in (said if isinstance(said, list) else [said] if said else [])]


def _is_leased(each: Mapping[str, object]) -> bool:
    return bool(each.get("ipam") or each.get("ipam_mad"))


def _list(said: object) -> list[object]:
    return said if isinstance(said, list) else []


def _mapping(said: object) -> Mapping[str, object]:
    if not isinstance(said, Mapping):
        raise InvalidInput("its body is not as OneForm writes it")
    return said
