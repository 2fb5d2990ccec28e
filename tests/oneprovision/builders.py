"""Provisions, objects, machines and a whole installation, with sensible defaults for the tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from onecore import config
from onecore.bootstrap import open_deps
from onecore.deps import Deps
from onecore.ids import GroupId, ProvisionId, UserId
from onecore.machines.model import Resource
from onecore.notice import Notice
from onecore.store import lease
from onecore.store.lease import Lease
from oneprovision import store
from oneprovision.model.provision import ObjectKind, Provision, StoredObject
from oneprovision.model.spec import Connection
from oneprovision.model.states import State
from oneprovision.store import SCHEMA
from tests.onecore.store.builders import a_resource
from tests.oneprovision.model.builders import a_template


@contextmanager
def an_installation(home: Path, **changed) -> Iterator[Deps]:
    """Opened in `home`; its drivers are those in the folder `remotes` of it, then our own."""
    environ = {"ONE_HOME": str(home), "PATH": "/usr/bin:/bin", "ONE_REMOTES": str(home / "remotes")}
    deps = open_deps(config.read(environ), (SCHEMA,))
    try:
        yield replace(deps, **changed)
    finally:
        deps.database.close()


def a_provision(**changed) -> Provision:
    given = {
        "id": ProvisionId(0),
        "name": "web",
        "uid": UserId(0),
        "gid": GroupId(0),
        "permissions": 0o640,
        "state": State.RUNNING,
        "provider_id": None,
        "template": a_template(),
        "inputs": {},
    }
    return Provision(**{**given, **changed})


def recorded(deps: Deps, **changed) -> Provision:
    """A provision that is in the store."""
    with deps.database.begin() as tx:
        provision = a_provision(id=ProvisionId(tx.next_id("provision")), **changed)
        store.insert(tx, provision)
    return provision


def claimed(deps: Deps, provision: Provision) -> Lease:
    with deps.database.begin() as tx:
        return lease.claim(tx, provision.key, "test", deps.clock.now(), deps.process)


def an_object(number: int = 0, kind: ObjectKind = ObjectKind.HOST, **changed) -> StoredObject:
    given = {"kind": kind, "id": number, "provision_id": 0, "name": f"web-{number}", "registered": True}
    return StoredObject(**{**given, **changed})


def a_host(number: int = 0, connection: Connection | None = None, **changed) -> StoredObject:
    body = {"index": number, "driver": "dummy", "connection": (connection or Connection()).to_json()}
    return an_object(number, body=changed.pop("body", body), **changed)


def a_machine(number: int = 0, **changed) -> Resource:
    return a_resource(number, label=f"web-{number}", **changed)


class Heard(list[Notice]):
    """Everything that people were told."""

    def texts(self) -> list[str]:
        return [notice.text for notice in self]
