"""The deployment file: an OpenNebula host as XML, in the shape every pm driver knows."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from onecore.errors import InvalidInput

MASK = "*****"


@dataclass(frozen=True)
class Deployment:
    """One machine to be. `provision` and `connection` become upper-case tags; `extra` holds further host
    attributes (a mapping nests, a list repeats its tag)."""

    name: str
    im_mad: str
    vm_mad: str
    pm_mad: str
    # Out of the repr, because these may hold secrets.
    provision: Mapping[str, str] = field(default_factory=dict, repr=False)
    configuration_base64: str = field(default="", repr=False)
    configuration_status: str = "pending"
    connection: Mapping[str, str] = field(default_factory=dict, repr=False)
    ssh_public_key: str = field(default="", repr=False)
    extra: Mapping[str, object] = field(default_factory=dict, repr=False)


def to_xml(deployment: Deployment, secrets: Collection[str] = (), masked: bool = False) -> str:
    """The text of the file. `masked` hides the values of secret keys, for eyes and logs."""
    d = deployment
    names = frozenset(name.upper() for name in secrets)
    drivers = {"IM_MAD": d.im_mad, "VM_MAD": d.vm_mad, "PM_MAD": d.pm_mad}
    template: dict[str, object] = {
        **drivers,
        "PROVISION": d.provision,
        "PROVISION_CONFIGURATION_BASE64": d.configuration_base64,
        "PROVISION_CONFIGURATION_STATUS": d.configuration_status,
        "PROVISION_CONNECTION": d.connection,
        "CONTEXT": {"SSH_PUBLIC_KEY": d.ssh_public_key},
    }
    for tag, value in _tagged(d.extra, "extra"):
        if tag in template:
            raise InvalidInput(f"host attribute '{tag}' is already part of every deployment file")
        template[tag] = value
    host = {"NAME": d.name, **drivers, "TEMPLATE": template}
    writer = _Writer(names if masked else None)
    writer.element("HOST", host, 0)
    return "\n".join(writer.lines) + "\n"


_TAG = re.compile(r"[A-Z_][A-Z0-9_.-]*")
_MAX_DEPTH = 16
_INDENTS = ["  " * depth for depth in range(_MAX_DEPTH + 1)]
# Everything that XML 1.0 cannot carry, and the control characters that no honest value holds.
_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# What may have to be refused or escaped; most values hold nothing of it, and one search tells.
_SPECIAL = re.compile("[^ !-%'-;=?-~]")
# References for the line ends, so that a value stays on the line of its tag: drivers in sh read by line,
# and an XML parser would turn a bare carriage return into a line feed.
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
_SECRET = re.compile("TOKEN|SECRET|PASSW|PASSPHRASE|ROOT_PASS|CREDENTIAL|KEY")
_ALWAYS_MASKED = ("PROVISION_CONFIGURATION_BASE64", "SSH_PUBLIC_KEY")


class _Writer:
    """Writes elements line by line; `secrets` None writes every value as it is."""

    def __init__(self, secrets: frozenset[str] | None) -> None:
        self.secrets = secrets
        self.lines: list[str] = []

    def element(self, tag: str, value: object, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise InvalidInput(f"host attribute '{tag}' is nested deeper than {_MAX_DEPTH} levels")
        indent = _INDENTS[depth]
        if isinstance(value, str):
            self.lines.append(f"{indent}<{tag}>{self.content(tag, value)}</{tag}>")
        elif isinstance(value, Mapping):
            self.lines.append(f"{indent}<{tag}>")
            for child, content in _tagged(value, tag):
                self.element(child, content, depth + 1)
            self.lines.append(f"{indent}</{tag}>")
        elif isinstance(value, list | tuple):
            for item in value:
                self.element(tag, item, depth + 1 if isinstance(item, list | tuple) else depth)
        else:
            self.lines.append(f"{indent}<{tag}>{self.content(tag, _text(tag, value))}</{tag}>")

    def content(self, tag: str, text: str) -> str:
        if self.secrets is None and not _SPECIAL.search(text):
            return text
        found = _REFUSED.search(text)
        if found:
            raise InvalidInput(
                f"value of '{tag}' holds the character U+{ord(found.group()):04X}, which XML cannot carry",
                hint="encode the value, for example as base64",
            )
        return MASK if self._hidden(tag, text) else text.translate(_ESCAPES)

    def _hidden(self, tag: str, text: str) -> bool:
        if self.secrets is None:
            return False
        if tag in self.secrets or tag in _ALWAYS_MASKED:
            return True
        if tag in ("PUBLIC_KEY", "PRIVATE_KEY"):
            # A path to a key may be seen; the key itself may not.
            return "\n" in text or "-----" in text
        return _SECRET.search(tag) is not None


def _tagged(values: Mapping[str, object], where: str) -> Iterator[tuple[str, object]]:
    seen: dict[str, str] = {}
    for key, value in values.items():
        tag = _tag(str(key))
        if not tag:
            raise InvalidInput(
                f"{str(key)[:80]!a} in {where} cannot be an XML tag",
                hint="use letters, digits, '_', '-' and '.', beginning with a letter or '_'",
            )
        if tag in seen:
            raise InvalidInput(f"'{seen[tag]}' and '{key}' in {where} are the same tag {tag}")
        seen[tag] = str(key)
        yield tag, value


@lru_cache(maxsize=1024)  # a cluster's machines share their keys
def _tag(key: str) -> str:
    """The key as a tag, empty if it cannot be one."""
    # isascii, because some other letters become ASCII ones in upper case.
    return key.upper() if key.isascii() and _TAG.fullmatch(key.upper()) else ""


def _text(tag: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise InvalidInput(f"value of '{tag}' is a {type(value).__name__}, not text, number, list or mapping")
