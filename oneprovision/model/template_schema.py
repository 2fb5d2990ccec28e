"""The JSON Schema of one template file: what may be written, before files are merged and values put in.

Nothing is required and no default is filled in here: a file may be a part that others extend.
"""

from oneprovision.model.inputs import TYPES

Schema = dict[str, object]


def _integer(**limits: int) -> Schema:
    """A whole number, or text with a marker that will become one."""
    return {
        # Always true: it is there for the coercion of "5" to 5.
        "anyOf": [{"type": "integer"}, {}],
        "if": {"type": "string", "pattern": r"\$\{|<%"},
        "else": {"type": "integer", **limits},
    }


def _mapping(properties: Schema, **more: object) -> Schema:
    return {"type": "object", "properties": properties, **more}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_TEXT: Schema = {"type": "string"}

# A number becomes the text that was written: 010 and 1.10 are account numbers and versions to a driver.
_PARAMETER: Schema = {"type": ["string", "boolean", "array", "object", "null"]}

_PROVISION = _mapping(
    {
        "driver": _TEXT,
        "hostname": _TEXT,
        "count": _integer(minimum=0, maximum=10_000),
    },
    additionalProperties=_PARAMETER,
)

_CONNECTION = _mapping(
    {
        "remote_user": _TEXT,
        "remote_port": _integer(minimum=1, maximum=65_535),
        "public_key": _TEXT,
        "private_key": _TEXT,
    },
    additionalProperties=False,
)

_SECTIONS: Schema = {
    "provision": _PROVISION,
    "connection": _CONNECTION,
    "configuration": {"type": "object"},
}

_MADS: Schema = {"im_mad": _TEXT, "vm_mad": _TEXT, "tm_mad": _TEXT, "ds_mad": _TEXT, "vn_mad": _TEXT}

_RANGE = _mapping({"size": _integer(minimum=0), "ipam_mad": _TEXT, "ip": _TEXT, "type": _TEXT})

_INPUT = _mapping(
    {
        "name": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_-]{0,127}$"},
        "type": {"type": "string", "enum": TYPES},
        "description": _TEXT,
        "mandatory": {"type": "boolean"},
        "min_value": {"type": "number"},
        "max_value": {"type": "number"},
        "min": {"type": "number"},
        "max": {"type": "number"},
    },
    required=["name"],
)

TEMPLATE_SCHEMA: Schema = _mapping(
    {
        "name": _TEXT,
        "version": {"type": "integer", "enum": [1]},
        "description": _TEXT,
        "extends": {"anyOf": [_TEXT, _list(_TEXT)]},
        "playbook": {"anyOf": [_TEXT, _list(_TEXT)]},
        "cleanup": {"anyOf": [_TEXT, _list(_TEXT)]},
        "defaults": _mapping({**_SECTIONS, **_MADS}),
        "cluster": _mapping({"name": _TEXT}),
        "hosts": _list(_mapping({"im_mad": _TEXT, "vm_mad": _TEXT, **_SECTIONS})),
        "datastores": _list(
            _mapping({"name": _TEXT, "tm_mad": _TEXT, "ds_mad": _TEXT, "type": _TEXT}, required=["name"])
        ),
        "networks": _list(_mapping({"name": _TEXT, "vn_mad": _TEXT, "ar": _list(_RANGE)}, required=["name"])),
        "inputs": _list(_INPUT),
    }
)
