"""What other programs keep in an OpenNebula, with whom it belongs to."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lxml.etree import _Element

    from onecore.opennebula.client import Client

BODY: Final = "BODY"
_SHARES = ("OWNER", "GROUP", "OTHER")
_POOL = (-2, -1, -1)


@dataclass(frozen=True)
class Known:
    """A user with his group, by numbers and names."""

    uid: int
    name: str
    gid: int
    group: str


@dataclass(frozen=True)
class Foreign:
    """A document of another program. `permissions`: as bits; `text`: its body, as it is."""

    id: int
    name: str
    who: Known
    permissions: int
    text: str


def every(client: "Client", kind: str, body: str = BODY) -> list[Foreign]:
    """The documents of that type, as far as they are not encrypted."""
    pool = client.document("documentpool.info", *_POOL, int(kind))
    return [_foreign(document, body) for document in pool.findall("DOCUMENT")]


def opened(client: "Client", number: int, body: str = BODY) -> Foreign:
    """One document, decrypted: for administrators."""
    return _foreign(client.document("document.info", number, True), body)


def _foreign(document: "_Element", body: str) -> Foreign:
    def text(path: str, missing: str = "") -> str:
        return str(document.findtext(path, missing))

    who = Known(int(text("UID")), text("UNAME"), int(text("GID")), text("GNAME"))
    bits = [text(f"PERMISSIONS/{share}_{right}", "0") for share in _SHARES for right in "UMA"]
    return Foreign(int(text("ID")), text("NAME"), who, int("".join(bits), 2), text(f"TEMPLATE/{body}"))
