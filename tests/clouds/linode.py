"""A double of the Linode API v4, after its official description and what is known of its moods."""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tests.clouds.fake import Box, Fake, Handler
from tests.clouds.reserved import LinodeAddresses
from tests.http_server import Reply, Request

REGIONS = [
    ("us-east", "Newark, NJ", "us"),
    ("eu-west", "London, UK", "gb"),
    ("ap-south", "Singapore, SG", "sg"),
]
TYPES = [("g6-nanode-1", "Nanode 1GB", 1024, 5.0), ("g6-standard-2", "Linode 4GB", 4096, 24.0)]
TYPES += [("g6-dedicated-2", "Dedicated 4GB", 4096, 36.0)]
IMAGES = [("linode/debian12", "Debian 12", "Debian"), ("linode/ubuntu24.04", "Ubuntu 24.04 LTS", "Ubuntu")]
IMAGES += [("linode/alpine3.20", "Alpine 3.20", "Alpine")]
SCHEDULE = {"day": "Scheduling", "window": "Scheduling"}
PARAMETERS = {"region": "us-east", "plan": "g6-nanode-1", "image": "linode/debian12"}
WHEN = "2026-01-01T00:00:00"
LABEL = re.compile(r"[a-zA-Z]((?!--|__|\.\.)[a-zA-Z0-9-_.])+")


class LinodeFake(Fake):
    prefix = "/v4"
    public = ("/regions", "/linode/types", "/images")
    driver = "linode"
    variable = "LINODE_API_KEY"
    url_variable = "LINODE_API_URL"
    parameters: Mapping[str, str] = PARAMETERS
    places, sizes, systems = len(REGIONS), len(TYPES), len(IMAGES)

    def __init__(self) -> None:
        super().__init__()
        self.addresses = LinodeAddresses(self)

    @property
    def address_tags(self) -> list[str]:
        return self.addresses.tags

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        one = r"/linode/instances/(\d+)"
        return [
            ("GET", "/regions", lambda r: self._page(r, [_region(*each) for each in REGIONS])),
            ("GET", "/linode/types", lambda r: self._page(r, [_type(*each) for each in TYPES])),
            ("GET", "/images", lambda r: self._page(r, [_image(*each) for each in IMAGES])),
            ("GET", "/linode/instances", lambda r: self._page(r, [_instance(b) for b in self.listed()])),
            ("POST", "/linode/instances", self._create),
            ("GET", one, self._show),
            ("DELETE", one, self._delete),
            ("POST", f"{one}/(boot|reboot|shutdown)", self._act),
            *self.addresses.routes(self._page),
        ]

    def error(self, status: int, words: str, **more: str) -> Reply:
        return Reply(status, {"errors": [{"reason": words, **more}]})

    def id_of(self, number: int) -> Any:
        return 1000 + number

    def busy(self) -> Reply:
        return self.error(400, "Linode busy.")

    def _page(self, request: Request, entries: Sequence[Any]) -> Reply:
        page, size = int(request.query.get("page", 1)), int(request.query.get("page_size", 100))
        if not 25 <= size <= 500:
            return self.error(400, "Must be 25-500", field="page_size")
        shown, pages = self.slice(entries, page, size)
        return Reply(200, {"data": list(shown), "page": page, "pages": pages, "results": len(entries)})

    def _create(self, request: Request) -> Reply:
        asked: Any = request.body
        label = asked.get("label", "")
        if not LABEL.fullmatch(label) or not 3 <= len(label) <= 64:
            return self.error(400, "Label is not valid", field="label")
        if any(box.name == label and not box.removed for box in self.boxes.values()):
            return self.error(400, "Label must be unique among your linodes", field="label")
        if asked["region"] not in [each[0] for each in REGIONS]:
            return self.error(400, "region is not valid", field="region")
        if "image" in asked and not (len(asked.get("root_pass", "")) >= 7):
            return self.error(400, "root_pass is required", field="root_pass")
        if self.is_full:
            return self.error(400, "Account limit reached. Please open a support ticket.")
        number = next(self.numbers)
        box = self.add(Box(self.id_of(number), label, asked, "running", number), "provisioning")
        return Reply(200, _instance(box, "provisioning"))

    def _show(self, request: Request, number: str) -> Reply:
        box = self.find(int(number))
        return Reply(200, _instance(box)) if box else self.error(404, "Not found")

    def _delete(self, request: Request, number: str) -> Reply:
        box = self.find(int(number))
        if box is None or box.removed:
            return self.error(404, "Not found")
        if self._next("busy"):
            return self.busy()
        self.remove(box, "deleting")
        return Reply(200, {})

    def _act(self, request: Request, number: str, verb: str) -> Reply:
        box = self.find(int(number))
        if box is None or box.removed:
            return self.error(404, "Not found")
        if self._next("busy") or box.looks:
            return self.busy()
        if verb == "boot" and box.state == "running":
            return self.error(400, f"Linode {number} already booted.")
        self.verbs.append((verb, box.id))
        passing, box.state = {
            "boot": ("booting", "running"),
            "reboot": ("rebooting", "running"),
            "shutdown": ("shutting_down", "offline"),
        }[verb]
        box.looks = [passing]
        return Reply(200, {})


def _region(name: str, label: str, country: str) -> Any:
    return {
        "id": name,
        "label": label,
        "country": country,
        "capabilities": ["Linodes"],
        "status": "ok",
        "site-type": "core",
        "resolvers": {"ipv4": "192.0.2.1,192.0.2.2", "ipv6": "2001:db8::1"},
        "placement_group_limits": {"maximum_linodes_per_pg": 5, "maximum_pgs_per_customer": 100},
    }


def _type(name: str, label: str, memory: int, monthly: float) -> Any:
    price = {"hourly": round(monthly / 666, 4), "monthly": monthly}
    return {
        "id": name,
        "label": label,
        "class": "standard",
        "memory": memory,
        "disk": memory * 20,
        "vcpus": max(1, memory // 2048),
        "gpus": 0,
        "network_out": 1000,
        "transfer": 1000,
        "successor": None,
        "price": price,
        "region_prices": [],
        "addons": {"backups": {"price": {"hourly": 0.003, "monthly": 2.0}, "region_prices": []}},
    }


def _image(name: str, label: str, vendor: str) -> Any:
    return {
        "id": name,
        "label": label,
        "vendor": vendor,
        "created": WHEN,
        "updated": WHEN,
        "created_by": "linode",
        "deprecated": False,
        "description": None,
        "eol": None,
        "expiry": None,
        "is_public": True,
        "size": 1500,
        "status": "available",
        "type": "manual",
        "capabilities": ["cloud-init"],
    }


def _instance(box: Box, state: str = "") -> Any:
    asked = box.asked
    return {
        "id": box.id,
        "label": box.name,
        "status": state or box.look(),
        "region": asked["region"],
        "type": asked["type"],
        "image": asked.get("image"),
        "ipv4": [f"192.168.128.{box.number}", box.address],
        "ipv6": f"2001:db8::{box.number:x}/128",
        "tags": list(asked.get("tags", [])),
        "created": WHEN,
        "updated": WHEN,
        "group": "",
        "hypervisor": "kvm",
        "host_uuid": str(uuid.UUID(int=box.number)),
        "watchdog_enabled": True,
        "has_user_data": "metadata" in asked,
        "lke_cluster_id": None,
        "specs": {"disk": 25600, "memory": 1024, "vcpus": 1, "gpus": 0, "transfer": 1000},
        "alerts": {"cpu": 90, "io": 10000, "network_in": 10, "network_out": 10, "transfer_quota": 80},
        "backups": {"enabled": False, "available": False, "schedule": SCHEDULE},
    }
