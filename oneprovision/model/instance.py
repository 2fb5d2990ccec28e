"""A single machine as the tool of spec/002 describes it, in `key: value` lines or YAML, as a template; pure.

An instance is a provision of one host without networks and datastores, so that everything that keeps a
provision from leaking keeps an instance, too.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from onecore.errors import InvalidInput
from oneprovision.model.provision import Provision
from oneprovision.model.shapes import text_of

MARK = "instance"

# Spellings of the tool of spec/002.
_DRIVERS = {"digital_ocean": "digitalocean", "digital ocean": "digitalocean"}
_CREATE = "createInstance"
_NAMES = ("name", "label", "hostname")
# Parameters of our drivers that let somebody log in.
WAYS_IN = ("root_pass", "authorized_keys", "authorized_users", "ssh_keys", "sshkey_id", "user_data")
_CONNECTION = ("remote_user", "remote_port", "private_key", "public_key")

_LINE = re.compile(r"([A-Za-z][A-Za-z0-9_]*)\s*:(?:\s+(.*))?")
# What begins like this is YAML and means something else than it says.
_YAML = re.compile(r"[\[{|>&*!\"'%@`]")


class WaitType(StrEnum):
    """When `create` is done: accepted by the provider, its address known, or running."""

    IMMEDIATE = "immediate"
    CREATED = "created"
    FINALISED = "finalised"


_WAIT_TYPES = {
    "returnimmediately": WaitType.IMMEDIATE,
    "waitforresourcecreation": WaitType.CREATED,
    "waitforresourcefinalised": WaitType.FINALISED,
    "waitforresourcefinalized": WaitType.FINALISED,
    **{kind.value: kind for kind in WaitType},
}


@dataclass(frozen=True)
class InstanceForm:
    """What was said of an instance; what is empty was not said. `provider` is a provider or a driver."""

    provider: str = ""
    name: str = ""
    wait: WaitType | None = None
    parameters: Mapping[str, object] = field(default_factory=dict, repr=False)
    connection: Mapping[str, object] = field(default_factory=dict, repr=False)

    def over(self, other: "InstanceForm") -> "InstanceForm":
        """This, completed with what only the other one says."""
        return InstanceForm(
            self.provider or other.provider,
            self.name or other.name,
            self.wait or other.wait,
            {**other.parameters, **self.parameters},
            {**other.connection, **self.connection},
        )


def wait_type(word: str) -> WaitType:
    """By our name or by that of the tool of spec/002."""
    found = _WAIT_TYPES.get(word.strip().lower())
    if found is None:
        raise InvalidInput(
            f"'{word}' is no way to wait",
            hint=f"known: {', '.join(WaitType)}, or returnImmediately, waitForResourceCreation, "
            "waitForResourceFinalised",
        )
    return found


def parse_lines(text: str) -> dict[str, object] | None:
    """The `key: value` lines of the tool of spec/002: `#` begins a comment line, a repeated key makes a list.
    None when something else is in the text, as in YAML of any depth."""
    found: dict[str, object] = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.rstrip())
        value = (match.group(2) or "").strip() if match else ""
        if match is None or not value or _YAML.match(value):
            return None
        key = match.group(1)
        before = found.get(key)
        found[key] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    return found


def parse(data: Mapping[str, object]) -> InstanceForm:
    """The form of what a file says. Lists become text with commas, as the drivers take them."""
    rest = {key: value for key, value in data.items() if value is not None}
    action = text_of(rest.pop("action", _CREATE))
    if action != _CREATE:
        raise InvalidInput(
            f"the file asks for '{action}', and this command creates",
            hint="to remove one: oneprovision instance delete NAME",
        )
    waits = [text_of(rest.pop(key)) for key in list(rest) if key.lower() in ("waittype", "wait_type", "wait")]
    connection = {key: rest.pop(key) for key in _CONNECTION if key in rest}
    provider = text_of(rest.pop("provider", ""))
    name = next((text_of(rest[key]) for key in _NAMES if key in rest), "")
    rest.pop("name", None)
    return InstanceForm(
        provider=_DRIVERS.get(provider.lower(), provider),
        name=name,
        wait=wait_type(waits[-1]) if waits else None,
        parameters={key: _joined(key, value) for key, value in rest.items()},
        connection=connection,
    )


def template_of(form: InstanceForm, driver: str) -> dict[str, object]:
    """The template of a provision that is this one machine."""
    parameters = {key: _literal(value) for key, value in form.parameters.items()}
    provision = {**parameters, "driver": driver, "hostname": form.name}
    host: dict[str, object] = {"provision": provision}
    if form.connection:
        host["connection"] = dict(form.connection)
    return {"name": form.name, MARK: True, "hosts": [host]}


def is_instance(provision: Provision) -> bool:
    return provision.template.get(MARK) is True


def _literal(value: object) -> object:
    """No value of an instance is a marker to be replaced, whatever it holds."""
    return value.replace("${", "$${") if isinstance(value, str) else value


def _joined(key: str, value: object) -> object:
    if isinstance(value, Mapping):
        raise InvalidInput(f"{key}: an instance has no nested values", hint="write a template for `create`")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(text_of(each) for each in value)
    return text_of(value)
