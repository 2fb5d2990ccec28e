"""What bodies and answers look like; from these the OpenAPI document is made."""

from typing import Final

from oneflow.model.schema import ACTION, ROLE, SERVICE, Schema
from oneflow.model.vm_template import SCHEMA as VM_TEMPLATE

__all__ = ["ACTION", "ROLE", "SERVICE", "VM_TEMPLATE"]

_TEXT: Final[Schema] = {"type": "string"}
_SELECTOR: Final[Schema] = {"type": ["string", "integer"]}
"""A user or group by id or name."""


def _mapping(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {"type": "object", "required": list(required), "properties": properties}


ERROR: Final = _mapping(("error",), error=_mapping(("message",), message=_TEXT, hint=_TEXT))

# -- requests ----------------------------------------------------------------------------------------------

_SIZE: Final[dict[str, Schema]] = {
    "cardinality": {"type": "integer", "minimum": 0},
    "force": {"type": "boolean"},
    "victims": {"type": "array", "items": {"type": "integer"}},
}
SCALE_ROLE: Final = _mapping(("cardinality",), **_SIZE)
SCALE: Final = _mapping(("role_name", "cardinality"), role_name=_TEXT, **_SIZE)
UPDATE: Final = _mapping(append={"type": "boolean"}, template=_TEXT)

OWNER: Final = _mapping(("owner_id",), owner_id=_SELECTOR, group_id=_SELECTOR)
GROUP: Final = _mapping(("group_id",), group_id=_SELECTOR)
OCTET: Final = _mapping(("octet",), octet=_TEXT)
NAME: Final = _mapping(("name",), name=_TEXT)
RECOVER: Final = _mapping(delete={"type": "boolean"})
BATCH: Final = _mapping(
    period={"type": "integer", "minimum": 0}, number={"type": "integer", "minimum": 0}, args=_TEXT
)
INSTANTIATE: Final = _mapping(merge_template={"type": "object"})
_DEPTH: Final[Schema] = {"type": "string", "enum": ["none", "templates", "all"]}
CLONE: Final = _mapping(("name",), name=_TEXT, recursive=_DEPTH)
TEMPLATE_UPDATE: Final = _mapping(template_json=_SELECTOR, template_raw=_TEXT, append={"type": "boolean"})
ADD_ROLE: Final = _mapping(("role",), role={"type": ["string", "object"]})
REMOVE_ROLE: Final = _mapping(("role",), role=_TEXT)
DELETE_TEMPLATE: Final = _mapping(delete_type=_DEPTH)

# -- answers -----------------------------------------------------------------------------------------------

_DOCUMENT: Final = _mapping(
    ("ID", "UID", "GID", "UNAME", "GNAME", "NAME", "TYPE", "PERMISSIONS", "TEMPLATE"),
    **dict.fromkeys(("ID", "UID", "GID", "UNAME", "GNAME", "NAME", "TYPE"), _TEXT),
    PERMISSIONS={"type": "object", "additionalProperties": {"type": "string", "enum": ["0", "1"]}},
    TEMPLATE=_mapping(("BODY",), BODY={"type": "object"}),
)
DOCUMENT: Final = _mapping(("DOCUMENT",), DOCUMENT=_DOCUMENT)
POOL: Final = _mapping(
    ("DOCUMENT_POOL",), DOCUMENT_POOL=_mapping(DOCUMENT={"type": "array", "items": _DOCUMENT})
)
SAID: Final[Schema] = {"type": "array", "prefixItems": [{"type": "boolean"}, {"type": "string"}]}
LOG: Final = _mapping(
    ("log",),
    log={
        "type": "array",
        "items": _mapping(
            ("id", "timestamp", "severity", "message", "reason"),
            id={"type": "integer"},
            timestamp={"type": "number"},
            severity=_TEXT,
            message=_TEXT,
            reason=_TEXT,
        ),
    },
)
EXPLANATION: Final = _mapping(("lines",), lines={"type": "array", "items": _TEXT})
TOKEN: Final = _mapping(("token", "endpoint"), token=_TEXT, endpoint=_TEXT)
VM: Final = _mapping(("VM",), VM={"type": "object"})
GATE_SERVICE: Final = _mapping(("SERVICE",), SERVICE={"type": "object"})
