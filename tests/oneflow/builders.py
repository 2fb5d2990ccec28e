"""Installations and documents for the tests of OneFlow's use cases."""

from pathlib import Path
from typing import Any

from onecore import config
from onecore.bootstrap import open_deps
from oneflow.bootstrap import flow_deps
from oneflow.deps import FlowDeps
from oneflow.store import SCHEMA

Body = dict[str, Any]


def an_installation(home: Path) -> FlowDeps:
    """A new one in an empty folder; its administrator asks."""
    environ = {"ONE_HOME": str(home), "HOME": str(home), "PATH": "/usr/bin:/bin"}
    return flow_deps(open_deps(config.read(environ), (SCHEMA,)))


def a_role(name: str = "web", **fields: object) -> Body:
    return {"name": name, "vm_template": 0, **fields}


def a_template(*roles: Body, **fields: object) -> Body:
    return {"name": "app", "roles": list(roles) or [a_role()], **fields}


def body_of(document: Any) -> Body:
    found: Body = document["DOCUMENT"]["TEMPLATE"]["BODY"]
    return found
