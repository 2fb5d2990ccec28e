"""What bodies and answers look like; from these the OpenAPI document is made."""

from collections.abc import Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_FLAG: Final[Schema] = {"type": "boolean"}
_NUMBER: Final[Schema] = {"type": "integer", "minimum": 0}
_AMOUNT: Final[Schema] = {"type": "integer", "minimum": 1}
_ANY_MAPPING: Final[Schema] = {"type": "object"}
_SELECTOR: Final[Schema] = {"type": ["string", "integer"]}
"""A user, group, host or address, by id or name."""
_SECONDS: Final[Schema] = {"type": "number", "minimum": 0}
_SELECTORS: Final[Schema] = {"type": "array", "items": _SELECTOR}


def _mapping(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {"type": "object", "required": list(required), "properties": properties}


ERROR: Final = _mapping(
    ("err_code", "message"), err_code=_NUMBER, message=_TEXT, context=_ANY_MAPPING, hint=_TEXT
)

# -- requests ----------------------------------------------------------------------------------------------

_COUNT: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": 10_000}
OPTIONS: Final = _mapping(
    threads={**_COUNT, "maximum": 256},
    fail_retry={"type": "integer", "minimum": 0, "maximum": 100},
    fail_sleep_s={**_SECONDS, "maximum": 3600},
    on_failure={"type": "array", "items": {"enum": ["skip", "cleanup", "quit"]}},
    ping_timeout_s={**_SECONDS, "maximum": 3600},
    ping_retries=_COUNT,
    configure_timeout_s={"type": "number", "minimum": 1, "maximum": 1_000_000},
)
"""How hard to try, as the options of the command line say it; ours."""

OCTET: Final = _mapping(("octet",), octet=_TEXT)
OWNER: Final = _mapping(("owner_id",), owner_id=_SELECTOR, group_id=_SELECTOR)
GROUP: Final = _mapping(("group_id",), group_id=_SELECTOR)
NOTHING: Final = _mapping()

_CONNECTION: Final[Schema] = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean"]},
}
CREATE_PROVIDER: Final = _mapping(
    ("driver",),
    driver=_TEXT,
    connection_values=_CONNECTION,
    name=_TEXT,
    description=_TEXT,
    parameters=_ANY_MAPPING,
)
UPDATE_PROVIDER: Final = _mapping(
    name=_TEXT, description=_TEXT, connection=_CONNECTION, parameters=_ANY_MAPPING
)

CREATE: Final = _mapping(
    driver=_TEXT,
    deployment_type=_TEXT,
    provider_id=_NUMBER,
    user_inputs_values=_ANY_MAPPING,
    name=_TEXT,
    description=_TEXT,
    template=_ANY_MAPPING,
    options=OPTIONS,
)
UPDATE: Final = _mapping(name=_TEXT, description=_TEXT, tags=_ANY_MAPPING)

_RESOURCES: Final = _mapping(hosts=_SELECTORS, networks=_SELECTORS, datastores=_SELECTORS)
UNDEPLOY: Final = _mapping(force=_FLAG, resources=_RESOURCES, options=OPTIONS)
RETRY: Final = _mapping(force=_FLAG, options=OPTIONS)
CONFIGURE: Final = _mapping(force=_FLAG)
RECOVER: Final = _mapping(force=_FLAG, recover_state=_TEXT)
SCALE: Final = _mapping(
    ("direction", "nodes"),
    direction={"enum": ["up", "down"]},
    nodes={"type": ["integer", "array", "string"]},
    opts=_mapping(force=_FLAG),
    force=_FLAG,
    options=OPTIONS,
)
ADD_HOSTS: Final = _mapping(amount=_AMOUNT, hosts=_SELECTORS)
ADD_IP: Final = _mapping(amount=_AMOUNT, network=_NUMBER, options=OPTIONS)
REMOVE_IP: Final = _mapping(("ar_id",), ar_id=_NUMBER, network=_NUMBER, options=OPTIONS)

# -- answers -----------------------------------------------------------------------------------------------

DOCUMENT: Final = _mapping(("DOCUMENT",), DOCUMENT=_ANY_MAPPING)
DOCUMENTS: Final[Schema] = {"type": "array", "items": DOCUMENT}
OBJECT: Final = _ANY_MAPPING
OBJECTS: Final[Schema] = {"type": "array", "items": _ANY_MAPPING}
PATH: Final = _mapping(("path",), path=_TEXT)
SYNCED: Final = _mapping(("success", "failed"), success={"type": "array", "items": _TEXT}, failed=OBJECTS)
_LINES: Final[Schema] = {"type": "array", "items": _mapping(("level", "text"), level=_TEXT, text=_TEXT)}
LOGS: Final = _mapping(("meta", "lines"), meta=_ANY_MAPPING, lines=_LINES)
POLLED: Final = _mapping(("pos", "lines"), pos=_NUMBER, lines=_LINES)
