"""The OpenAPI document of a server, made from its operations and their schemas."""

import re
from collections.abc import Sequence
from typing import Any

from onecore.http.operation import NUMBERS, QUERY_NUMBERS, Operation, Schema

VERSION = "3.1.0"
Part = dict[str, Any]

ERRORS = {
    "400": "What was asked cannot be done: malformed, or not in this state. Nothing was changed.",
    "401": "No or wrong credentials.",
    "403": "The user may not do that.",
    "404": "There is no such thing.",
    "501": "Not supported.",
}


def document(title: str, version: str, operations: Sequence[Operation[Any]], error: Schema) -> Part:
    """`error`: the schema of the body of a refusal."""
    paths: dict[str, Part] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": VERSION,
        "info": {"title": title, "version": version},
        "security": [{"basic": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
            "schemas": {"Error": dict(error)},
        },
    }


def _operation(operation: Operation[Any]) -> Part:
    part: Part = {
        "operationId": _identifier(operation),
        "summary": operation.summary,
        "parameters": [*_in_path(operation.path), *map(_in_query, operation.query)],
        "responses": {str(operation.status): _answer(operation), **_refusals()},
    }
    if operation.body is not None:
        content = {"application/json": {"schema": dict(operation.body)}}
        part["requestBody"] = {"required": True, "content": content}
    if operation.is_open:
        part["security"] = []
    return part


def _identifier(operation: Operation[Any]) -> str:
    """`get_service_id_role_name`"""
    return "_".join([operation.method.lower(), *re.findall(r"\w+", operation.path)])


def _in_path(path: str) -> list[Part]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer", "minimum": 0} if name in NUMBERS else {"type": "string"},
        }
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _in_query(name: str) -> Part:
    schema = {"type": "integer", "minimum": 0} if name in QUERY_NUMBERS else {"type": "string"}
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _answer(operation: Operation[Any]) -> Part:
    if operation.answer is None:
        return {"description": "Done."}
    return {
        "description": operation.summary,
        "content": {"application/json": {"schema": dict(operation.answer)}},
    }


def _refusals() -> Part:
    schema = {"$ref": "#/components/schemas/Error"}
    content = {"application/json": {"schema": schema}}
    return {code: {"description": text, "content": content} for code, text in ERRORS.items()}
