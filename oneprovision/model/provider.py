"""What a person says of a provider, in a file or on the command line: parsed, and checked as far as it can be
without its driver. No message shows a connection value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from onecore.errors import InvalidInput
from oneprovision.model.refusal import known_names, refusal
from oneprovision.model.shapes import mapping_at, text_of

# The connection is looked at by hand below, since whatever stands in its place may be a secret.
SCHEMA: Mapping[str, object] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "driver": {"type": "string"},
        "provider": {"type": "string"},
        "description": {"type": "string"},
        "connection": {"additionalProperties": {"type": "string"}},
    },
}

SHOWN_SECRET = "************"  # noqa: S105 what is shown in the place of one

_KNOWN = ("name", "driver", "provider", "description", "connection", "parameters", "provision", "inputs")
# Of other generations, or written by `provider show`: nothing of it is the user's to say.
_IGNORED = ("plain", "fireedge", "version", "image", "user_inputs", "provision_ids", "registration_time")
_PARAMETERS = ("parameters", "provision", "inputs")


@dataclass(frozen=True)
class ProviderForm:
    """What was said of a provider; None was not said."""

    name: str | None = None
    driver: str | None = None
    description: str | None = None
    connection: Mapping[str, str] = field(default_factory=dict, repr=False)
    parameters: Mapping[str, object] | None = None

    def over(self, other: "ProviderForm") -> "ProviderForm":
        """This, completed with what only the other one says."""
        parameters = {**(other.parameters or {}), **(self.parameters or {})}
        said = self.parameters is not None or other.parameters is not None
        return ProviderForm(
            self.name if self.name is not None else other.name,
            self.driver if self.driver is not None else other.driver,
            self.description if self.description is not None else other.description,
            {**other.connection, **self.connection},
            parameters if said else None,
        )

    def without_masks(self) -> "ProviderForm":
        """A document that was shown and comes back has masks where the secrets are: these say nothing."""
        kept = {key: value for key, value in self.connection.items() if not is_mask(value)}
        return replace(self, connection=kept)


def is_mask(value: str) -> bool:
    return value == "__redacted__" or (len(value) >= 5 and set(value) == {"*"})


def unwrapped(data: Mapping[str, object]) -> Mapping[str, object]:
    """The body, when the whole document was given that `provider show -j` prints."""
    for key in ("DOCUMENT", "TEMPLATE", "PROVIDER_BODY"):
        inner = data.get(key)
        if isinstance(inner, Mapping):
            data = inner
    return data


def parse(data: Mapping[str, object]) -> ProviderForm:
    """The form of a file that fits SCHEMA. `provider` is how 6.x spells `driver`; parameters may be called
    `provision`, or be the defaults of `inputs`."""
    for key in data:
        if key not in (*_KNOWN, *_IGNORED):
            raise refusal((key,), "is not a part of a provider", known_names(key, _KNOWN))
    return ProviderForm(
        name=_text(data, "name"),
        driver=_driver(data),
        description=_text(data, "description"),
        connection=_connection(data.get("connection")),
        parameters=_parameters(data),
    )


def _text(data: Mapping[str, object], key: str) -> str | None:
    return text_of(data[key]) if key in data else None


def _driver(data: Mapping[str, object]) -> str | None:
    said = {text_of(data[key]) for key in ("driver", "provider") if key in data}
    if len(said) > 1:
        raise InvalidInput("'driver' and 'provider' name two drivers", hint="they mean the same; keep one")
    return said.pop() if said else None


def _connection(written: object) -> dict[str, str]:
    if written is None:
        return {}
    if not isinstance(written, Mapping):
        raise InvalidInput("connection: this is not a mapping of names to values", hint="as in: {token: …}")
    return {str(key): text_of(value) for key, value in written.items()}


def _parameters(data: Mapping[str, object]) -> dict[str, object] | None:
    parts = [_defaults(data[key], key) for key in _PARAMETERS if key in data]
    if not parts:
        return None
    return {name: value for part in parts for name, value in part.items()}


def _defaults(written: object, key: str) -> Mapping[str, object]:
    """A mapping of values, or a list of inputs with their defaults."""
    if not isinstance(written, Sequence) or isinstance(written, str):
        return mapping_at(written, (key,))
    entries = [mapping_at(entry, (key, place)) for place, entry in enumerate(written)]
    return {text_of(entry["name"]): _default(entry) for entry in entries if entry.get("name") and _has(entry)}


def _has(entry: Mapping[str, object]) -> bool:
    return entry.get("default") is not None or bool(entry.get("options"))


def _default(entry: Mapping[str, object]) -> object:
    """Without a default, the first of the options: that is what 6.x proposes."""
    if entry.get("default") is not None:
        return entry["default"]
    options = entry["options"]
    return options[0] if isinstance(options, Sequence) and not isinstance(options, str) else options
