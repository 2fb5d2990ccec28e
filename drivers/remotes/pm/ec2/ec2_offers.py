"""What EC2 offers in a region. Its API knows no list prices: `prices` are those of the spot market now."""

from ec2_api import Api
from ec2_request import SYSTEMS, published
from onecore.drivers.kit import Call
from onecore.drivers.kit.values import Json, at, number, rows, text


def locations(call: Call) -> object:
    found = rows(Api().call("describe_regions"), "Regions")
    return [{"id": text(each, "RegionName"), "name": text(each, "RegionName")} for each in found]


def plans(call: Call) -> object:
    found = Api().every("describe_instance_types", "InstanceTypes")
    return sorted(map(_plan, found), key=lambda plan: str(plan["id"]))


def _plan(found: Json) -> dict[str, object]:
    cpu = int(number(found, "VCpuInfo", "DefaultVCpus"))
    memory = int(number(found, "MemoryInfo", "SizeInMiB"))
    architectures = at(found, "ProcessorInfo", "SupportedArchitectures")
    return {
        "id": text(found, "InstanceType"),
        "name": f"{cpu} cores, {memory} MiB memory",
        "cpu": cpu,
        "memory_mb": memory,
        "architectures": architectures if isinstance(architectures, list) else [],
    }


def images(call: Call) -> object:
    """Those of the account, and the names that stand for the newest image of their makers in this region."""
    api = Api()
    named = [(name, text(image, "Name")) for name, image in published(api, SYSTEMS).items()]
    own = api.every("describe_images", "Images", Owners=["self"])
    return [{"id": name, "name": f"the newest {name}: {image}"} for name, image in named] + [
        {"id": text(each, "ImageId"), "name": text(each, "Name") or text(each, "ImageId")} for each in own
    ]


def prices(call: Call) -> object:
    """The newest of each type; a type has one in each zone."""
    found = Api().every(
        "describe_spot_price_history", "SpotPriceHistory", ProductDescriptions=["Linux/UNIX"], MaxResults=1000
    )
    newest: dict[str, Json] = {}
    for each in found:
        newest.setdefault(f"{text(each, 'InstanceType')}@{text(each, 'AvailabilityZone')}", each)
    return [
        {
            "id": key,
            "name": f"{text(each, 'InstanceType')} on the spot market",
            "plan": text(each, "InstanceType"),
            "zone": text(each, "AvailabilityZone"),
            "price_per_hour": number(each, "SpotPrice"),
            "currency": "USD",
        }
        for key, each in sorted(newest.items())
    ]


ACTIONS = {"locations": locations, "plans": plans, "images": images, "prices": prices}
