"""VM templates of the embedded cloud: which driver makes the machine, on which account, with what."""

from collections.abc import Mapping
from typing import Any, Final

from onecore.errors import InvalidInput

SCHEMA: Final[dict[str, object]] = {
    "type": "object",
    "required": ["name", "driver"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "description": {"type": "string"},
        "driver": {"type": "string"},
        "provider": {"type": ["string", "integer"]},
        "provision": {"type": "object"},
        "connection": {"type": "object"},
        "template": {"type": "object"},
        "price": {"type": "number", "minimum": 0},
    },
}


def validated(data: object) -> dict[str, Any]:
    """The template as it is stored, without its name. Raises InvalidInput."""
    from onecore.schema import validate_value  # lazy: brings jsonschema

    if not isinstance(data, Mapping):
        raise InvalidInput("a VM template is a mapping with at least a name and a driver")
    checked: Any = validate_value(dict(data), SCHEMA, "VM template")
    upper = {str(key).upper(): value for key, value in checked.get("template", {}).items()}
    return {**checked, **({"template": upper} if upper else {})}
