"""What a deployment asks for, as the arguments of RunInstances."""

import json
from collections.abc import Iterable
from fnmatch import fnmatchcase

from ec2_api import Api
from onecore.drivers.kit import Call, Failed
from onecore.drivers.kit.values import Json, rows, text

NAME = "onesuite:name"
# The newest image of each name is taken: owner and pattern as their makers publish them.
SYSTEMS = {
    "debian-12": ("136693071363", "debian-12-amd64-*"),
    "debian-13": ("136693071363", "debian-13-amd64-*"),
    "ubuntu-24.04": ("099720109477", "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*"),
    "amazon-linux-2023": ("137112412989", "al2023-ami-2023.*-x86_64"),
}


def wanted(call: Call, api: Api) -> dict[str, object]:
    """Everything but the client token. Raises Failed naming the parameter that is missing."""
    plan = call.asked("type", call.asked("plan") or call.asked("instance_type"))
    if not plan:
        raise Failed("parameter 'plan' is missing; `oneprovision provider plans` lists them")
    image = image_id(call.asked("ami", call.asked("image")), api)
    tags = {NAME: call.name, "Name": call.asked("hostname", call.name)}
    arguments: dict[str, object] = {
        "ImageId": image,
        "InstanceType": plan,
        "MinCount": 1,
        "MaxCount": 1,
        "UserData": call.provision.get("USER_DATA", "") or cloud_config(call),
        "TagSpecifications": [
            {"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
            for kind in ("instance", "volume")
        ],
    }
    further: dict[str, object] = {
        "KeyName": call.asked("key_name"),
        "SubnetId": call.asked("subnet"),
        "SecurityGroupIds": call.list("security_groups"),
        "Placement": {"AvailabilityZone": call.asked("zone")} if call.asked("zone") else {},
        "BlockDeviceMappings": _disk(call, image, api),
    }
    return {**arguments, **{name: value for name, value in further.items() if value}}


def image_id(image: str, api: Api) -> str:
    """The id, found by name where the image is one of SYSTEMS."""
    if not image:
        raise Failed(f"parameter 'image' is missing: an ami-…, or one of {', '.join(SYSTEMS)}")
    if image.startswith("ami-"):
        return image
    if image not in SYSTEMS:
        raise Failed(f"image '{image}' is neither an ami-… nor one of {', '.join(SYSTEMS)}")
    found = published(api, [image])
    if not found:
        raise Failed(f"this region has no image '{image}'")
    return text(found[image], "ImageId")


def published(api: Api, names: Iterable[str]) -> dict[str, Json]:
    """The newest image of each of these names of SYSTEMS, in their order, as far as the region has one."""
    makers = {name: SYSTEMS[name] for name in names}
    owners = sorted({owner for owner, _ in makers.values()})
    patterns = [pattern for _, pattern in makers.values()]
    filters = [{"Name": "name", "Values": patterns}]
    found = api.every("describe_images", "Images", Owners=owners, Filters=filters)
    by_age = sorted(found, key=lambda each: text(each, "CreationDate"))
    return {
        name: newest
        for name, (owner, pattern) in makers.items()
        for newest in [each for each in by_age if _is_of(each, owner, pattern)][-1:]
    }


def _is_of(image: Json, owner: str, pattern: str) -> bool:
    return text(image, "OwnerId") == owner and fnmatchcase(text(image, "Name"), pattern)


def cloud_config(call: Call) -> str:
    """Lets the given key in, as whoever the connection names."""
    keys = [call.ssh_public_key.strip()] if call.ssh_public_key.strip() else []
    user = call.connection.get("REMOTE_USER") or "root"
    config: dict[str, object] = {"disable_root": False, "ssh_authorized_keys": keys}
    if user != "root":
        new = {
            "name": user,
            "sudo": "ALL=(ALL) NOPASSWD:ALL",
            "shell": "/bin/bash",
            "ssh_authorized_keys": keys,
        }
        config["users"] = ["default", new]
    return "#cloud-config\n" + json.dumps(config)  # JSON is YAML


def _disk(call: Call, image: str, api: Api) -> list[dict[str, object]]:
    """A larger root disk has to be named as the image names it."""
    size = call.asked("disk").upper().removesuffix("B").removesuffix("G")
    if not size:
        return []
    if not size.isdecimal():
        raise Failed(f"disk: '{call.asked('disk')}' is not a size in GB")
    found = rows(api.call("describe_images", ImageIds=[image]), "Images")
    device = text(found[0], "RootDeviceName") if found else ""
    return [
        {"DeviceName": device or "/dev/xvda", "Ebs": {"VolumeSize": int(size), "DeleteOnTermination": True}}
    ]
