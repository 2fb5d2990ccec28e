"""What is kept as a document: services, service templates, VM templates; and how it is served."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from onecore.document import Document, envelope
from oneflow.model.vocabulary import as_given

Body = dict[str, Any]


class Kind(StrEnum):
    """By the document type of OpenNebula (spec/003); VM templates are no documents there."""

    SERVICE = "100"
    TEMPLATE = "101"
    VM_TEMPLATE = "vm"

    @property
    def noun(self) -> str:
        return _NOUNS[self]


_NOUNS = {Kind.SERVICE: "service", Kind.TEMPLATE: "service template", Kind.VM_TEMPLATE: "VM template"}

DEFAULT_BITS = 0o600
"""`um- --- ---`, as every new document has."""


@dataclass(frozen=True)
class Stored:
    """One document. `state` is a service's; `version` grows with every change, over all documents."""

    kind: Kind
    id: int
    name: str
    uid: int
    gid: int
    permissions: int
    body: Body
    state: int | None = None
    version: int = 0
    created_at: float = 0.0

    @property
    def key(self) -> str:
        """What its log, lease and machines are filed under: `service/5`."""
        return f"{self.kind.noun.replace(' ', '-').lower()}/{self.id}"

    def served(self, names: "Names", body: Mapping[str, object] | None = None) -> Document:
        """The enveloped document; `body` in place of the stored one."""
        owner = (self.uid, names.users.get(self.uid, ""), self.gid, names.groups.get(self.gid, ""))
        inner = {"BODY": as_given(self.body if body is None else body)}
        return envelope(self.id, self.kind.value, owner, self.permissions, self.name, inner)


@dataclass(frozen=True)
class Names:
    """Users and groups by id."""

    users: Mapping[int, str]
    groups: Mapping[int, str]


def service_key(service_id: int) -> str:
    return f"service/{service_id}"
