"""A double of the DigitalOcean API v2, after its official description and what is known of its moods."""

import base64
import re
from collections.abc import Mapping, Sequence
from hashlib import md5
from typing import Any

from tests.clouds.fake import Box, Fake, Handler
from tests.clouds.reserved import DigitalOceanAddresses
from tests.http_server import Reply, Request

REGIONS = [("nyc3", "New York 3"), ("ams3", "Amsterdam 3"), ("sgp1", "Singapore 1")]
SIZES = [("s-1vcpu-1gb", 1, 1024, 6.0), ("s-2vcpu-4gb", 2, 4096, 24.0), ("c-2", 2, 4096, 42.0)]
IMAGES = [(101, "debian-12-x64", "Debian", "12 x64"), (102, "ubuntu-24-04-x64", "Ubuntu", "24.04 (LTS) x64")]
IMAGES += [(103, "fedora-40-x64", "Fedora", "40 x64")]
PARAMETERS = {"region": "ams3", "plan": "s-1vcpu-1gb", "image": "debian-12-x64"}
NAME = re.compile(r"[a-zA-Z0-9]?[a-z0-9A-Z.\-]*[a-z0-9A-Z]")
WHEN = "2026-01-01T00:00:00Z"
# What an action leads to; those that the system has to agree to come first.
ORDERLY = {"reboot": "active", "shutdown": "off"}
FORCED = {"power_cycle": "active", "power_off": "off", "power_on": "active", "snapshot": ""}


class DigitalOceanFake(Fake):
    prefix = "/v2"
    driver = "digitalocean"
    variable = "DIGITAL_OCEAN_API_TOKEN"
    url_variable = "DIGITAL_OCEAN_API_URL"
    parameters: Mapping[str, str] = PARAMETERS
    places, sizes, systems = len(REGIONS), len(SIZES), len(IMAGES)

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, Any] = {}
        self.actions: dict[int, dict[str, Any]] = {}
        self.snapshots: list[Any] = []
        self.addresses = DigitalOceanAddresses(
            self, lambda slug: _region(slug, slug), _droplet, lambda verb, ip: self._begin(None, verb)
        )

    @property
    def address_tags(self) -> list[str]:
        return self.addresses.tags

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return [
            ("GET", "/regions", lambda r: self._page(r, "regions", [_region(*each) for each in REGIONS])),
            ("GET", "/sizes", lambda r: self._page(r, "sizes", [_size(*each) for each in SIZES])),
            ("GET", "/images", self._images),
            ("GET", "/account/keys/(.*)", self._key),
            ("POST", "/account/keys", self._add_key),
            ("GET", "/droplets", self._list),
            ("POST", "/droplets", self._create),
            ("GET", r"/droplets/(\d+)", self._show),
            ("DELETE", r"/droplets/(\d+)", self._delete),
            ("POST", r"/droplets/(\d+)/actions", self._act),
            ("GET", r"/actions/(\d+)", self._action),
            *self.addresses.routes(self._page),
        ]

    def error(self, status: int, words: str, **more: str) -> Reply:
        names = {401: "unauthorized", 404: "not_found", 422: "unprocessable_entity", 429: "too_many_requests"}
        return Reply(status, {"id": names.get(status, "server_error"), "message": words})

    def id_of(self, number: int) -> Any:
        return 3_000_000 + number

    def busy(self) -> Reply:
        return self.error(422, "Droplet already has a pending event.")

    def _page(self, request: Request, key: str, entries: Sequence[Any]) -> Reply:
        page, size = int(request.query.get("page", 1)), int(request.query.get("per_page", 20))
        if not 1 <= size <= 200:
            return self.error(422, "per_page must be between 1 and 200")
        shown, pages = self.slice(entries, page, size)
        links: dict[str, Any] = {}
        if page < pages:
            query = "&".join(f"{n}={v}" for n, v in {**request.query, "page": str(page + 1)}.items())
            links = {"pages": {"next": f"https://api.digitalocean.com{request.path}?{query}", "last": "x"}}
        return Reply(200, {key: list(shown), "links": links, "meta": {"total": len(entries)}})

    def _images(self, request: Request) -> Reply:
        if request.query.get("private") == "true":
            return self._page(request, "images", self.snapshots)
        return self._page(request, "images", [_image(*each) for each in IMAGES])

    def _key(self, request: Request, fingerprint: str) -> Reply:
        found = self.keys.get(fingerprint)
        return Reply(200, {"ssh_key": found}) if found else self.error(404, "The resource was not found.")

    def _add_key(self, request: Request) -> Reply:
        asked: Any = request.body
        raw = base64.b64decode(asked["public_key"].split()[1])
        fingerprint = md5(raw).digest().hex(":")
        if fingerprint in self.keys:
            return self.error(422, "SSH Key is already in use on your account")
        self.keys[fingerprint] = {"id": len(self.keys) + 1, "fingerprint": fingerprint, **asked}
        return Reply(201, {"ssh_key": self.keys[fingerprint]})

    def _list(self, request: Request) -> Reply:
        tag, name = request.query.get("tag_name"), request.query.get("name")
        if tag and name:
            return self.error(422, "tag_name and name cannot be combined")
        fitting = [box for box in self.listed() if tag in (None, *box.asked.get("tags", []))]
        return self._page(request, "droplets", [_droplet(box) for box in fitting])

    def _create(self, request: Request) -> Reply:
        asked: Any = request.body
        if not NAME.fullmatch(asked["name"]):
            return self.error(422, "Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)")
        if asked["region"] not in [each[0] for each in REGIONS]:
            return self.error(422, "You specified an invalid region for Droplet creation.")
        if asked["size"] not in [each[0] for each in SIZES]:
            return self.error(422, "You specified an invalid size for Droplet creation.")
        if not all(key in self.keys for key in asked.get("ssh_keys", [])):
            return self.error(422, "invalid key identifiers for Droplet creation.")
        if self.is_full:
            return self.error(422, "creating this/these droplet(s) will exceed your droplet limit")
        number = next(self.numbers)
        owner = next((tag for tag in asked.get("tags", []) if tag.startswith("provision-")), asked["name"])
        box = self.add(Box(self.id_of(number), owner, asked, "active", number), "new")
        action = self._begin(box, "create")
        link = {
            "id": action["id"],
            "rel": "create",
            "href": f"https://api.digitalocean.com/v2/actions/{action['id']}",
        }
        return Reply(202, {"droplet": _droplet(box, "new"), "links": {"actions": [link]}})

    def _show(self, request: Request, number: str) -> Reply:
        box = self.find(int(number))
        if box is None:
            return self.error(404, "The resource you were accessing could not be found.")
        return Reply(200, {"droplet": _droplet(box)})

    def _delete(self, request: Request, number: str) -> Reply:
        box = self.find(int(number))
        if box is None or box.removed:
            return self.error(404, "The resource you were accessing could not be found.")
        if self._next("busy"):
            return self.busy()
        self.remove(box, "active")
        return Reply(204)

    def _act(self, request: Request, number: str) -> Reply:
        asked: Any = request.body
        box = self.find(int(number))
        if box is None or box.removed:
            return self.error(404, "The resource you were accessing could not be found.")
        if self._next("busy"):
            return self.busy()
        verb = asked["type"]
        self.verbs.append((verb, box.id))
        if verb == "snapshot":
            self.snapshots.append(
                {**_image(500 + len(self.snapshots), None, "Debian", asked["name"]), "type": "snapshot"}
            )
        listens = verb in FORCED or not self.trouble.deaf
        box.state = ({**ORDERLY, **FORCED}[verb] or box.state) if listens else box.state
        # A command that was issued and not obeyed: "completed" for a shutdown, "errored" for a reboot.
        return Reply(
            201, {"action": self._begin(box, verb, "errored" if verb == "reboot" and not listens else "")}
        )

    def _begin(self, box: Box | None, verb: str, end: str = "") -> dict[str, Any]:
        number = 36_804_000 + len(self.actions)
        action = _an_action(number, box.id if box else None, verb)
        self.actions[number] = {**action, "end": end or "completed", "looks": 1}
        return action

    def _action(self, request: Request, number: str) -> Reply:
        found = self.actions.get(int(number))
        if found is None:
            return self.error(404, "The resource you were accessing could not be found.")
        found["looks"] -= 1
        status = found["end"] if found["looks"] < 0 else "in-progress"
        shown = {key: value for key, value in found.items() if key not in ("end", "looks")}
        ended = WHEN if found["looks"] < 0 else None
        return Reply(200, {"action": {**shown, "status": status, "completed_at": ended}})


def _an_action(number: int, droplet: int | None, verb: str) -> dict[str, Any]:
    return {
        "id": number,
        "status": "in-progress",
        "type": verb,
        "started_at": WHEN,
        "completed_at": None,
        "resource_id": droplet,
        "resource_type": "droplet" if droplet else "reserved_ip",
        "region": _region("ams3", "Amsterdam 3"),
        "region_slug": "ams3",
    }


def _region(slug: str, name: str) -> Any:
    return {"slug": slug, "name": name, "features": ["ipv6"], "available": True, "sizes": ["s-1vcpu-1gb"]}


def _size(slug: str, cpus: int, memory: int, monthly: float) -> Any:
    return {
        "slug": slug,
        "memory": memory,
        "vcpus": cpus,
        "disk": 25,
        "transfer": 1.0,
        "price_monthly": monthly,
        "price_hourly": round(monthly / 672, 5),
        "regions": ["ams3", "nyc3"],
        "available": True,
        "description": "Basic",
    }


def _image(number: int, slug: str | None, distribution: str, name: str) -> Any:
    return {
        "id": number,
        "name": name,
        "type": "base",
        "distribution": distribution,
        "slug": slug,
        "public": slug is not None,
        "regions": ["ams3", "nyc3"],
        "created_at": WHEN,
        "min_disk_size": 7,
        "size_gigabytes": 0.6,
        "description": "",
        "tags": [],
        "status": "available",
        "error_message": "",
    }


def _droplet(box: Box, state: str = "") -> Any:
    now = state or box.look()
    public = {
        "ip_address": box.address,
        "netmask": "255.255.240.0",
        "gateway": "203.0.113.1",
        "type": "public",
    }
    private = {
        "ip_address": f"10.110.0.{box.number}",
        "netmask": "255.255.240.0",
        "gateway": "",
        "type": "private",
    }
    asked = box.asked
    return {
        "id": box.id,
        "name": asked["name"],
        "memory": 1024,
        "vcpus": 1,
        "disk": 25,
        "locked": False,
        "status": now,
        "kernel": None,
        "created_at": WHEN,
        "features": ["private_networking"],
        "backup_ids": [],
        "next_backup_window": None,
        "snapshot_ids": [],
        "image": _image(101, "debian-12-x64", "Debian", "12 x64"),
        "volume_ids": [],
        "size": _size(*SIZES[0]),
        "size_slug": asked["size"],
        "networks": {"v4": [] if now == "new" else [private, public], "v6": []},
        "region": _region(asked["region"], "Amsterdam 3"),
        "tags": list(asked.get("tags", [])),
        "vpc_uuid": "760e09ef-dc84-11e8-981e-3cfdfeaae000",
    }
