"""Elastic IP addresses. The tag `onesuite:name` is the owner tag, given in the request that makes one."""

from ec2_api import Api
from ec2_request import NAME
from onecore.drivers.kit import Call, Failed, waiting
from onecore.drivers.kit.fleet import LOST_S
from onecore.drivers.kit.http import Uncertain
from onecore.drivers.kit.surroundings import clock
from onecore.drivers.kit.values import Json, rows, text


def allocate_ip(call: Call) -> object:
    api = Api()
    found = _tagged(api, call.tag)
    if found is None:
        tags = [{"ResourceType": "elastic-ip", "Tags": [{"Key": NAME, "Value": call.tag}]}]
        try:
            # The request knows no client token, so it is never sent twice.
            found = Api(repeats=False).call("allocate_address", Domain="vpc", TagSpecifications=tags)
        except Uncertain as exc:
            found = waiting.until(lambda: _tagged(api, call.tag), clock(), LOST_S)
            if found is None:
                raise Failed(f"{exc}; no address with the tag '{call.tag}' has shown up since") from exc
    return {"id": text(found, "AllocationId"), "ip": text(found, "PublicIp")}


def release_ip(call: Call) -> None:
    """Taken from its machine first: outside of a default network EC2 demands it."""
    api = Api()
    found = _address(api, call.address_id)
    if found is None:
        return
    if text(found, "AssociationId"):
        api.call("disassociate_address", AssociationId=text(found, "AssociationId"))
    api.find("release_address", AllocationId=call.address_id)


def assign_ip(call: Call) -> None:
    api = Api()
    if _address(api, call.address_id) is None:
        raise Failed(f"there is no address '{call.address_id}' at the provider")
    api.call(
        "associate_address",
        AllocationId=call.address_id,
        InstanceId=call.deploy_id,
        AllowReassociation=True,
    )


def list_ips(call: Call) -> object:
    found = rows(_described(Api(), "tag-key", NAME), "Addresses")
    return [
        {
            "id": text(each, "AllocationId"),
            "ip": text(each, "PublicIp"),
            "tag": _tag(each),
            "deploy_id": text(each, "InstanceId"),
        }
        for each in found
    ]


def _tagged(api: Api, tag: str) -> Json | None:
    found = rows(_described(api, f"tag:{NAME}", tag), "Addresses")
    if len(found) > 1:
        raise Failed(f"{len(found)} addresses carry the tag '{tag}'; release all but one")
    return found[0] if found else None


def _described(api: Api, name: str, value: str) -> Json:
    return api.call("describe_addresses", Filters=[{"Name": name, "Values": [value]}])


def _address(api: Api, address_id: str) -> Json | None:
    found = rows(api.find("describe_addresses", AllocationIds=[address_id]), "Addresses")
    return found[0] if found else None


def _tag(address: Json) -> str:
    return next((text(tag, "Value") for tag in rows(address, "Tags") if text(tag, "Key") == NAME), "")


ACTIONS = {
    "allocate_ip": allocate_ip,
    "release_ip": release_ip,
    "assign_ip": assign_ip,
    "list_ips": list_ips,
}
