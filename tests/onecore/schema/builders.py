"""A schema with one of everything that coercion and defaults have to handle."""

CLUSTER_SCHEMA: dict[str, object] = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$"},
        "hosts": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/host"}},
        "strategy": {"type": "string", "enum": ["none", "straight"], "default": "none"},
        "limits": {
            "type": "object",
            "default": {},
            "properties": {"parallel": {"type": "integer", "default": "8"}, "hard": {"default": [1]}},
        },
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "$defs": {
        "host": {
            "type": "object",
            "required": ["vm_mad"],
            "properties": {
                "vm_mad": {"type": "string"},
                "count": {"type": "integer", "minimum": 1},
                "cpu": {"type": "number"},
                "spot": {"type": "boolean", "default": False},
                "ips": {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "string"}}]},
            },
        }
    },
}
