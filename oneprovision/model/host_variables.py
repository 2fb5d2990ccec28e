"""The `configuration` of hosts as variables for their playbooks, and which of its values must stay secret."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence

from onecore.log import is_telling
from oneprovision.model.inputs import resolve, secret_names
from oneprovision.model.shapes import mapping_at, mappings_at, text_of


def configuration_variables(deployment: Mapping[str, object]) -> Mapping[str, object]:
    """PROVISION_CONFIGURATION_BASE64 (spec/001) decoded."""
    encoded = str(deployment.get("configuration_base64") or "")
    return mapping_at(json.loads(base64.b64decode(encoded)), ("configuration",)) if encoded else {}


def secret_values(
    template: Mapping[str, object], inputs: Mapping[str, object], variables: Sequence[Mapping[str, object]]
) -> frozenset[str]:
    """The answers to inputs of type password, and whatever has a telling name such as `db_password`."""
    declared = mappings_at(template.get("inputs"), ("inputs",))
    hidden = secret_names(declared)
    answers = resolve(declared, inputs) if hidden else {}
    found = {text_of(answers[name]) for name in hidden if name in answers}
    for each in variables:
        found |= set(_told(each))
    return frozenset(text for text in found if text)


def _told(value: object, name: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _told(part, name if is_telling(name) else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            yield from _told(part, name)
    elif value is not None and not isinstance(value, bool) and is_telling(name):
        yield text_of(value)
