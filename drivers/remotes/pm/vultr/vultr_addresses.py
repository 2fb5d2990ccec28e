"""Reserved addresses of Vultr. The label of one is its owner tag."""

from onecore.drivers.kit import Call, Failed, pages
from onecore.drivers.kit.addresses import OURS, made_once, region_of, row
from onecore.drivers.kit.http import Api
from onecore.drivers.kit.values import Json, at, text
from vultr_api import ID, PAGES, api

RESERVED = "/reserved-ips"


def allocate_ip(call: Call) -> object:
    client = api("allocate_ip")
    found = _tagged(client, call.tag)
    if found is None:
        wanted = {"region": region_of(call), "ip_type": "v4", "label": call.tag}
        found = made_once(
            client,
            lambda: at(client.post(RESERVED, wanted), "reserved_ip"),
            lambda: _tagged(client, call.tag),
            f"with the tag '{call.tag}'",
        )
    return {"id": text(found, "id"), "ip": text(found, "subnet")}


def release_ip(call: Call) -> None:
    client = api("release_ip")
    found = _address(client, call.address_id)
    if found is None:
        return
    if text(found, "instance_id"):
        client.post(f"{RESERVED}/{call.address_id}/detach")
    client.delete(f"{RESERVED}/{call.address_id}")


def assign_ip(call: Call) -> None:
    client = api("assign_ip")
    found = _address(client, call.address_id)
    if found is None:
        raise Failed(f"there is no address '{call.address_id}' at the provider")
    holder = text(found, "instance_id")
    if holder == call.deploy_id:
        return
    if holder:
        client.post(f"{RESERVED}/{call.address_id}/detach")
    client.post(f"{RESERVED}/{call.address_id}/attach", {"instance_id": call.deploy_id})


def list_ips(call: Call) -> object:
    found = pages.read_surely(api("list_ips"), RESERVED, "reserved_ips", PAGES)
    return [
        {
            "id": text(each, "id"),
            "ip": text(each, "subnet"),
            "tag": text(each, "label"),
            "deploy_id": text(each, "instance_id"),
        }
        for each in found
        if OURS.fullmatch(text(each, "label"))
    ]


def _tagged(client: Api, tag: str) -> Json | None:
    found = pages.read(client, RESERVED, "reserved_ips", PAGES)
    return next((each for each in found if text(each, "label") == tag), None)


def _address(client: Api, address_id: str) -> Json | None:
    found = client.find(f"{RESERVED}/{address_id}") if ID.fullmatch(address_id) else None
    return row(at(found, "reserved_ip")) if found is not None else None


ACTIONS = {
    "allocate_ip": allocate_ip,
    "release_ip": release_ip,
    "assign_ip": assign_ip,
    "list_ips": list_ips,
}
