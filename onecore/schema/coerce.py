"""Makes data fit its schema without changing its meaning: text to numbers and back, defaults filled in."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from onecore.schema.document import Path
from onecore.schema.nodes import MAX_DIGITS

Schema = Mapping[str, object]

# No leading zeros: 0644 and 007 are names or octal numbers, and a guess would be wrong half the time.
_INTEGER = re.compile(rf"-?(0|[1-9][0-9]{{0,{MAX_DIGITS - 1}}})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}


@dataclass(frozen=True)
class Coercer:
    """`fits` answers whether a value is valid for a part of the schema; `sources` is that of Document."""

    root: Schema
    fits: Callable[[object, object], bool]
    sources: Mapping[Path, tuple[object, str]]

    def coerce(self, value: object, schema: object, path: Path = ()) -> object:
        """A new value; `value` is left as it is. What cannot be made to fit is returned unchanged."""
        if not isinstance(schema, Mapping):
            return value
        target = referred(schema, self.root)
        if target is not None:
            value = self.coerce(value, target, path)
        value = coerce_scalar(value, schema, self._source(value, path))
        if not _fits_type(value, schema):
            return value
        if isinstance(value, dict):
            value = self._mapping(value, schema, path)
        elif isinstance(value, list) and "items" in schema:
            value = [self.coerce(item, schema["items"], (*path, at)) for at, item in enumerate(value)]
        return self._combined(value, schema, path)

    def _mapping(self, value: dict[str, object], schema: Schema, path: Path) -> dict[str, object]:
        properties = _mapping_at(schema, "properties")
        result = {key: self.coerce(item, _part_for(key, schema), (*path, key)) for key, item in value.items()}
        for key, part in properties.items():
            default = _MISSING if key in result else self._default(part)
            if default is not _MISSING:
                result[key] = self.coerce(_copied(default), part, (*path, key))
        return result

    def _combined(self, value: object, schema: Schema, path: Path) -> object:
        for part in _list_at(schema, "allOf"):
            value = self.coerce(value, part, path)
        for keyword in ("anyOf", "oneOf"):
            candidates = ((self.coerce(value, part, path), part) for part in _list_at(schema, keyword))
            fitting = (candidate for candidate, part in candidates if self.fits(candidate, part))
            value = next(fitting, value)
        return value

    def _default(self, schema: object) -> object:
        if not isinstance(schema, Mapping):
            return _MISSING
        if "default" in schema:
            return schema["default"]
        return self._default(referred(schema, self.root))

    def _source(self, value: object, path: Path) -> str | None:
        known, text = self.sources.get(path, (None, None))
        # The data may have been changed since it was loaded; then what was written no longer counts.
        return text if type(known) is type(value) and known == value else None


def coerce_scalar(value: object, schema: Schema, source: str | None = None) -> object:
    """The value in the first type of the schema it can take; as it is when it has one of them already."""
    types = types_of(schema)
    if "integer" in types and "number" not in types and _is_whole(value):
        # JSON Schema counts 3.0 as an integer; those who read the data want a real one.
        return int(cast("float", value))
    if not types or any(has_type(value, name) for name in types):
        return value
    for name in types:
        changed = _as_type(value, name, source)
        if changed is not None:
            return changed
    return value


def referred(schema: Schema, root: Schema) -> object:
    """What a local `$ref` points to; the validator complains about any other."""
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    target: object = root
    for part in reference[1:].split("/")[1:]:
        target = below(target, part.replace("~1", "/").replace("~0", "~"))
    return target


def below(schema: object, key: str | int) -> object:
    """The part of a schema under a key or an index, or None."""
    if isinstance(schema, Mapping):
        return schema.get(key)
    if isinstance(schema, list) and str(key).isdecimal() and int(key) < len(schema):
        return cast("object", schema[int(key)])
    return None


def types_of(schema: Schema) -> list[str]:
    declared = schema.get("type", [])
    names = declared if isinstance(declared, list) else [declared]
    return [name for name in names if isinstance(name, str)]


def has_type(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    kind = _PYTHON_TYPES.get(name)
    return kind is not None and isinstance(value, kind)


class _Missing:
    """No default is given; None is a default like any other."""


_MISSING = _Missing()

_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def _is_whole(value: object) -> bool:
    return isinstance(value, float) and value.is_integer() and abs(value) < 10**MAX_DIGITS


def _as_type(value: object, name: str, source: str | None) -> object:
    """The value as another type, or None where that would be guessing."""
    if name == "string" and isinstance(value, bool | int | float):
        return source if source is not None else str(value).lower()
    if not isinstance(value, str):
        return None
    if name == "boolean":
        return _BOOLEANS.get(value.lower())
    if name in ("integer", "number") and _INTEGER.fullmatch(value):
        return int(value)
    if name == "number" and _DECIMAL.fullmatch(value):
        return float(value)
    return None


def _fits_type(value: object, schema: Schema) -> bool:
    types = types_of(schema)
    return not types or any(has_type(value, name) for name in types)


def _mapping_at(schema: Schema, keyword: str) -> Mapping[str, object]:
    found = schema.get(keyword)
    return found if isinstance(found, Mapping) else {}


def _part_for(key: str, schema: Schema) -> object:
    """The part of the schema for the value under `key`."""
    properties = _mapping_at(schema, "properties")
    if key in properties:
        return properties[key]
    patterns = _mapping_at(schema, "patternProperties")
    matching = (part for pattern, part in patterns.items() if re.search(pattern, key))
    return next(matching, schema.get("additionalProperties"))


def _list_at(schema: Schema, keyword: str) -> list[object]:
    found = schema.get(keyword)
    return found if isinstance(found, list) else []


def _copied(value: object) -> object:
    """A default belongs to the schema; two documents must never share it."""
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list | tuple) else value
