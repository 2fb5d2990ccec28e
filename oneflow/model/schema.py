"""The JSON Schemas of service templates (spec/003, Service Schema), in both vocabularies of OneFlow."""

from typing import Final

Schema = dict[str, object]

_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_SHUTDOWN: Final[Schema] = {
    "type": "string",
    "enum": ["shutdown", "shutdown-hard", "terminate", "terminate-hard"],
}
_ADJUSTMENT: Final[Schema] = {
    "type": {"type": "string", "enum": ["CHANGE", "CARDINALITY", "PERCENTAGE_CHANGE"]},
    "adjust": {"type": "integer"},
    "min_adjust_step": {"type": "integer", "minimum": 1},
}

ELASTICITY_POLICY: Final[Schema] = {
    "type": "object",
    "required": ["type", "adjust", "expression"],
    "properties": {
        **_ADJUSTMENT,
        "period_number": _COUNT,
        "period": _COUNT,
        "expression": {"type": "string"},
        "cooldown": _COUNT,
    },
}

SCHEDULED_POLICY: Final[Schema] = {
    "type": "object",
    "required": ["type", "adjust"],
    "properties": {
        **_ADJUSTMENT,
        "start_time": {"type": ["string", "integer"]},
        "recurrence": {"type": "string"},
        "cooldown": _COUNT,
    },
}

ROLE: Final[Schema] = {
    "type": "object",
    "required": ["name", "vm_template"],
    "properties": {
        "name": {"type": "string"},
        "type": {"type": "string", "enum": ["vm", "vr"]},
        "cardinality": {**_COUNT, "default": 1},
        "vm_template": _COUNT,
        "vm_template_contents": {"type": ["string", "object"]},
        "parents": {"type": "array", "items": {"type": "string"}},
        "shutdown_action": _SHUTDOWN,
        "min_vms": _COUNT,
        "max_vms": _COUNT,
        "cooldown": _COUNT,
        "on_hold": {"type": "boolean"},
        "victims": {"type": "string", "enum": ["oldest", "newest", "least_busy", "most_expensive"]},
        "drain_timeout": _COUNT,
        "elasticity_policies": {"type": "array", "items": ELASTICITY_POLICY},
        "scheduled_policies": {"type": "array", "items": SCHEDULED_POLICY},
    },
}

SERVICE: Final[Schema] = {
    "type": "object",
    "required": ["name", "roles"],
    "properties": {
        "name": {"type": "string"},
        "description": {"type": "string"},
        "deployment": {"type": "string", "enum": ["none", "straight"], "default": "none"},
        "shutdown_action": _SHUTDOWN,
        "roles": {"type": "array", "items": ROLE},
        "custom_attrs": {"type": "object"},
        "ready_status_gate": {"type": "boolean"},
        "automatic_deletion": {"type": "boolean"},
        "on_hold": {"type": "boolean"},
        "deploy_timeout": _COUNT,
        "scale_timeout": _COUNT,
        "undeploy_timeout": _COUNT,
    },
}

ACTION: Final[Schema] = {
    "type": "object",
    "required": ["action"],
    "properties": {
        "action": {
            "type": "object",
            "required": ["perform"],
            "properties": {"perform": {"type": "string"}, "params": {"type": "object"}},
        }
    },
}
