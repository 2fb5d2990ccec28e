"""What `provider show` prints of a document."""

from collections.abc import Iterator, Mapping
from typing import Any

from onecore.clock import iso


def sections_of(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    body: Mapping[str, Any] = document["TEMPLATE"]["PROVIDER_BODY"]
    yield (
        f"PROVIDER {document['ID']} INFORMATION",
        [
            ("ID", document["ID"]),
            ("NAME", document["NAME"]),
            ("DESCRIPTION", body["description"]),
            ("USER", document["UNAME"]),
            ("GROUP", document["GNAME"]),
            ("DRIVER", body["driver"]),
            ("REGISTRATION TIME", iso(body["registration_time"])),
        ],
    )
    yield "PERMISSIONS", list(_permissions(document["PERMISSIONS"]))
    yield "CONNECTION VALUES", [(key, _text(value)) for key, value in sorted(body["connection"].items())]
    if body["parameters"]:
        yield "PARAMETERS", [(key, _text(value)) for key, value in sorted(body["parameters"].items())]
    yield "ASSOCIATED PROVISIONS", [("IDS", ", ".join(map(str, body["provision_ids"])) or "-")]


def _permissions(bits: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for share in ("OWNER", "GROUP", "OTHER"):
        letters = (letter if bits[f"{share}_{letter.upper()}"] == "1" else "-" for letter in "uma")
        yield share, "".join(letters)


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value)
