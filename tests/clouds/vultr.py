"""A double of the Vultr API v2, after its official description and what is known of its moods."""

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.clouds.fake import Box, Fake, Handler
from tests.http_server import Reply, Request

REGIONS = [
    ("ams", "Amsterdam", "NL"),
    ("ewr", "New Jersey", "US"),
    ("nrt", "Tokyo", "JP"),
    ("sao", "São Paulo", "BR"),
]
PLANS = [("vc2-1c-1gb", 1, 1024, 5), ("vc2-2c-4gb", 2, 4096, 20), ("vhf-1c-1gb", 1, 1024, 6)]
SYSTEMS = [(2136, "Debian 12 x64 (bookworm)", "debian"), (2284, "Ubuntu 24.04 LTS x64", "ubuntu")]
SYSTEMS += [(2076, "Alpine Linux x64", "alpinelinux")]
PARAMETERS = {"region": "ams", "plan": "vc2-1c-1gb", "image": "2136"}
STARTS = ("os_id", "iso_id", "snapshot_id", "app_id", "image_id")
WHEN = "2026-01-01T00:00:00+00:00"
ID = r"([0-9a-f-]{36})"


class VultrFake(Fake):
    """`address`: what all machines answer at, so that a test can put an SSH server there. Their systems have
    shut down once the file `switched_off` exists."""

    prefix = "/v2"
    public = ("/regions", "/plans", "/os")
    driver = "vultr"
    variable = "VULTR_API_KEY"
    url_variable = "VULTR_API_URL"
    parameters: Mapping[str, str] = PARAMETERS
    places, sizes, systems = len(REGIONS), len(PLANS), len(SYSTEMS)
    address = "127.0.0.1"
    switched_off: Path | None = None

    def __init__(self) -> None:
        super().__init__()
        self.reserved: dict[str, dict[str, Any]] = {}
        self.keys: list[dict[str, str]] = []

    @property
    def address_tags(self) -> list[str]:
        return [address["label"] for address in self.reserved.values()]

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return [
            ("GET", "/regions", lambda r: self._page(r, "regions", [_region(*each) for each in REGIONS])),
            ("GET", "/plans", lambda r: self._page(r, "plans", [_plan(*each) for each in PLANS])),
            ("GET", "/os", lambda r: self._page(r, "os", [_system(*each) for each in SYSTEMS])),
            ("GET", "/ssh-keys", lambda r: self._page(r, "ssh_keys", self.keys)),
            ("POST", "/ssh-keys", self._add_key),
            ("GET", "/instances", self._list),
            ("POST", "/instances", self._create),
            ("GET", f"/instances/{ID}", self._show),
            ("DELETE", f"/instances/{ID}", self._delete),
            ("POST", f"/instances/{ID}/(start|reboot|halt)", self._act),
            ("GET", "/reserved-ips", lambda r: self._page(r, "reserved_ips", list(self.reserved.values()))),
            ("POST", "/reserved-ips", self._reserve),
            ("GET", f"/reserved-ips/{ID}", self._show_address),
            ("DELETE", f"/reserved-ips/{ID}", self._release),
            ("POST", f"/reserved-ips/{ID}/attach", self._attach),
            ("POST", f"/reserved-ips/{ID}/detach", self._detach),
        ]

    def error(self, status: int, words: str, **more: str) -> Reply:
        return Reply(status, {"error": words, "status": status})

    def id_of(self, number: int) -> Any:
        return _uuid(number)

    def busy(self) -> Reply:
        words = "Unable to destroy server: Unable to remove VM: Server is currently locked"
        return self.error(500, words)

    def _page(self, request: Request, key: str, entries: Sequence[Any]) -> Reply:
        size = int(request.query.get("per_page", 100))
        if not 1 <= size <= 500:
            return self.error(400, "per_page must be between 1 and 500")
        page = int(request.query.get("cursor", "bmV4dA-1").rpartition("-")[2])
        shown, pages = self.slice(entries, page, size)
        links = {"next": f"bmV4dA-{page + 1}" if page < pages else "", "prev": ""}
        return Reply(200, {key: list(shown), "meta": {"total": len(entries), "links": links}})

    def _add_key(self, request: Request) -> Reply:
        asked: Any = request.body
        key = {"id": _uuid(900 + len(self.keys)), "date_created": WHEN, **asked}
        self.keys.append(key)
        return Reply(201, {"ssh_key": key})

    def _list(self, request: Request) -> Reply:
        label = request.query.get("label")
        fitting = [box for box in self.listed() if label in (None, box.name)]
        return self._page(request, "instances", [self._instance(box) for box in fitting])

    def _create(self, request: Request) -> Reply:
        asked: Any = request.body
        if asked["region"] not in [each[0] for each in REGIONS]:
            return self.error(400, "Invalid region.")
        if asked["plan"] not in [each[0] for each in PLANS]:
            return self.error(400, "Invalid plan chosen.")
        if len([name for name in STARTS if name in asked]) != 1:
            return self.error(400, "Exactly one of os_id, iso_id, snapshot_id, app_id, image_id is needed.")
        if not all(key in [known["id"] for known in self.keys] for key in asked.get("sshkey_id", [])):
            return self.error(400, "Invalid SSH key.")
        if self.is_full:
            return self.error(400, "Server add failed: You have reached the maximum number of instances.")
        number = next(self.numbers)
        box = self.add(Box(self.id_of(number), asked.get("label", ""), asked, "running", number), "pending")
        return Reply(
            202, {"instance": {**self._instance(box, "pending"), "default_password": "v5{Fkvb#2ycPGwHs"}}
        )

    def _show(self, request: Request, number: str) -> Reply:
        box = self.find(number)
        if box is None:
            return self.error(404, "instance not found")
        return Reply(200, {"instance": self._instance(box)})

    def _delete(self, request: Request, number: str) -> Reply:
        box = self.find(number)
        if box is None:
            return self.error(404, "instance not found")
        if box.removed:
            return self.error(500, "Unable to destroy server: server is already pending destruction")
        if self._next("busy"):
            return self.busy()
        self.remove(box, "running")
        return Reply(204)

    def _act(self, request: Request, number: str, verb: str) -> Reply:
        box = self.find(number)
        if box is None or box.removed:
            return self.error(404, "instance not found")
        if self._next("busy"):
            return self.busy()
        self.verbs.append((verb, box.id))
        box.state = "stopped" if verb == "halt" else "running"
        return Reply(204)

    def _reserve(self, request: Request) -> Reply:
        asked: Any = request.body
        number = next(self.numbers)
        address = {
            "id": _uuid(number),
            "region": asked["region"],
            "ip_type": asked["ip_type"],
            "subnet": f"198.51.100.{number}",
            "subnet_size": 32,
            "label": asked.get("label", ""),
            "instance_id": "",
        }
        self.reserved[address["id"]] = address
        return Reply(201, {"reserved_ip": address})

    def _show_address(self, request: Request, number: str) -> Reply:
        found = self.reserved.get(number)
        return Reply(200, {"reserved_ip": found}) if found else self.error(404, "Invalid reserved IP")

    def _release(self, request: Request, number: str) -> Reply:
        if self.reserved.get(number, {}).get("instance_id"):
            return self.error(400, "The reserved IP is attached: detach it first")
        if self.reserved.pop(number, None) is None:
            return self.error(404, "Invalid reserved IP")
        return Reply(204)

    def _attach(self, request: Request, number: str) -> Reply:
        asked: Any = request.body
        found = self.reserved.get(number)
        if found is None or asked["instance_id"] not in self.boxes:
            return self.error(404, "Invalid reserved IP or instance")
        if found["instance_id"]:
            return self.error(400, "The reserved IP is attached already")
        found["instance_id"] = asked["instance_id"]
        return Reply(204)

    def _detach(self, request: Request, number: str) -> Reply:
        self.reserved[number]["instance_id"] = ""
        return Reply(204)

    def _instance(self, box: Box, state: str = "") -> Any:
        if self.switched_off and self.switched_off.exists():
            box.state = "stopped"
        now = state or box.look()
        pending = now == "pending"
        asked = box.asked
        return {
            "id": box.id,
            "label": box.name,
            "os": "Debian 12 x64 (bookworm)",
            "os_id": asked.get("os_id", 0),
            "app_id": asked.get("app_id", 0),
            "image_id": asked.get("image_id", ""),
            "ram": 1024,
            "disk": 25,
            "vcpu_count": 1,
            "plan": asked["plan"],
            "region": asked["region"],
            "main_ip": "0.0.0.0" if pending else self.address,
            "status": "pending" if pending else "active",
            "power_status": "stopped" if now == "stopped" else "running",
            "server_status": "none" if pending else "installingbooting",
            "date_created": WHEN,
            "allowed_bandwidth": 1000,
            "netmask_v4": "255.255.254.0",
            "gateway_v4": "203.0.113.1",
            "v6_networks": [],
            "hostname": asked.get("hostname", "vultr.guest"),
            "tag": "",
            "tags": list(asked.get("tags", [])),
            "internal_ip": "",
            "kvm": "https://my.vultr.test/console",
            "firewall_group_id": "",
            "features": [],
        }


def _uuid(number: int) -> str:
    return str(uuid.UUID(int=number))


def _region(name: str, city: str, country: str) -> Any:
    return {
        "id": name,
        "city": city,
        "country": country,
        "continent": "Europe",
        "options": ["ddos_protection"],
    }


def _plan(name: str, cpus: int, memory: int, monthly: int) -> Any:
    return {
        "id": name,
        "name": name,
        "vcpu_count": cpus,
        "ram": memory,
        "disk": 25,
        "disk_count": 1,
        "bandwidth": 1024,
        "monthly_cost": monthly,
        "type": name.partition("-")[0],
        "locations": ["ams", "ewr"],
    }


def _system(number: int, name: str, family: str) -> Any:
    return {"id": number, "name": name, "arch": "x64", "family": family}
