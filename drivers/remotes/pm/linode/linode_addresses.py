"""Reserved addresses of Linode. Their tags say whose they are; a tag is too short for an owner tag, so that
it is written in parts.

Not every account may reserve addresses yet; Linode says so itself, and its words are handed on.
"""

import re
from ipaddress import ip_address

from linode_api import PAGES, api
from onecore.drivers.kit import Call, Failed, pages
from onecore.drivers.kit.addresses import OURS, made_once, region_of, row
from onecore.drivers.kit.http import Api
from onecore.drivers.kit.values import Json, text, texts

RESERVED = "/networking/reserved/ips"
EVERY = "onesuite"  # the tag of all addresses of ours
PART = re.compile(r"one-([0-9])-(.+)")
PART_LENGTH = 40  # of at most 50


def allocate_ip(call: Call) -> object:
    client = api("allocate_ip")
    found = _tagged(client, call.tag)
    if found is None:
        wanted = {"region": region_of(call), "tags": [EVERY, *_parts(call.tag)]}
        found = made_once(
            client,
            lambda: client.post(RESERVED, wanted),
            lambda: _tagged(client, call.tag),
            f"with the tag '{call.tag}'",
        )
    return {"id": text(found, "address"), "ip": text(found, "address")}


def release_ip(call: Call) -> None:
    """Taken from its machine first: one that is released there stays with the machine."""
    client = api("release_ip")
    found = _address(client, call.address_id)
    if found is not None:
        _detach(client, found)
        client.delete(f"{RESERVED}/{call.address_id}")


def assign_ip(call: Call) -> None:
    client = api("assign_ip")
    found = _address(client, call.address_id)
    if found is None:
        raise Failed(f"there is no address '{call.address_id}' at the provider")
    if text(found, "linode_id") == call.deploy_id:
        return
    if not call.deploy_id.isdecimal():
        raise Failed(f"'{call.deploy_id[:80]}' is not the id of a Linode")
    _detach(client, found)
    wanted = {"type": "ipv4", "public": True, "address": call.address_id}
    client.post(f"/linode/instances/{call.deploy_id}/ips", wanted)


def list_ips(call: Call) -> object:
    found = pages.read_surely(api("list_ips"), RESERVED, "data", PAGES)
    return [
        {
            "id": text(each, "address"),
            "ip": text(each, "address"),
            "tag": _tag(each),
            "deploy_id": text(each, "linode_id"),
        }
        for each in found
        if EVERY in texts(each, "tags") and OURS.fullmatch(_tag(each))
    ]


def _parts(tag: str) -> list[str]:
    cut = [tag[at : at + PART_LENGTH] for at in range(0, len(tag), PART_LENGTH)]
    return [f"one-{number}-{part}" for number, part in enumerate(cut)]


def _tag(found: Json) -> str:
    """The owner tag; the provider lists its parts in any order."""
    parts = sorted(match.groups() for tag in texts(found, "tags") if (match := PART.fullmatch(tag)))
    return "".join(part for _, part in parts)


def _tagged(client: Api, tag: str) -> Json | None:
    found = pages.read(client, RESERVED, "data", PAGES)
    return next((each for each in found if EVERY in texts(each, "tags") and _tag(each) == tag), None)


def _detach(client: Api, found: Json) -> None:
    if holder := text(found, "linode_id"):
        client.delete(f"/linode/instances/{holder}/ips/{text(found, 'address')}")


def _address(client: Api, address_id: str) -> Json | None:
    try:
        ip_address(address_id)
    except ValueError:
        return None
    found = client.find(f"{RESERVED}/{address_id}")
    return row(found) if found is not None else None


ACTIONS = {
    "allocate_ip": allocate_ip,
    "release_ip": release_ip,
    "assign_ip": assign_ip,
    "list_ips": list_ips,
}
