"""The envelope that every document wears: OpenNebula's, with all scalars outside the body as strings."""

from collections.abc import Mapping, Sequence
from typing import Any

from onecore.access import Permissions

Document = dict[str, Any]


def envelope(
    number: int, kind: str, owner: tuple[int, str, int, str], permissions: int, name: str, template: Document
) -> Document:
    """`{"DOCUMENT": …}` around `template`. `kind`: document type ("100"); `owner`: uid, user, gid, group."""
    uid, user, gid, group = owner
    return {
        "DOCUMENT": {
            "ID": str(number),
            "UID": str(uid),
            "GID": str(gid),
            "UNAME": user,
            "GNAME": group,
            "NAME": name,
            "TYPE": kind,
            "PERMISSIONS": Permissions(permissions).to_document(),
            "TEMPLATE": template,
        }
    }


def pool(documents: Sequence[Mapping[str, object]]) -> Document:
    """`{"DOCUMENT_POOL": {"DOCUMENT": […]}}` of enveloped documents; the inner key only if there are any."""
    inner = [document["DOCUMENT"] for document in documents]
    return {"DOCUMENT_POOL": {"DOCUMENT": inner} if inner else {}}
