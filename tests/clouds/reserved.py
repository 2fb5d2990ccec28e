"""The reserved addresses of DigitalOcean and of Linode, as parts of their doubles."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from tests.clouds.fake import Box, Fake, Handler
from tests.http_server import Reply, Request

WHEN = "2026-01-01T00:00:00Z"
GONE = "The resource you were accessing could not be found."
DEFAULT = {"id": str(uuid.UUID(int=1)), "name": "first-project", "is_default": True}


class DigitalOceanAddresses:
    """Each has a project; `region` and `droplet` tell what answers show, `begin` starts an action."""

    def __init__(
        self,
        fake: Fake,
        region: Callable[[str], Any],
        droplet: Callable[[Box], Any],
        begin: Callable[[str, str], Any],
    ) -> None:
        self._fake = fake
        self._region, self._droplet, self._begin = region, droplet, begin
        self.projects: dict[str, dict[str, Any]] = {}
        self.reserved: dict[str, dict[str, Any]] = {}

    @property
    def tags(self) -> list[str]:
        return [self.projects[each["project"]]["name"] for each in self.reserved.values()]

    def routes(self, page: Callable[..., Reply]) -> Sequence[tuple[str, str, Handler]]:
        one = r"/reserved_ips/([0-9.]+)"
        return [
            ("GET", "/projects", lambda r: page(r, "projects", [DEFAULT, *self.projects.values()])),
            ("POST", "/projects", self._add_project),
            ("DELETE", "/projects/([0-9a-f-]+)", self._delete_project),
            (
                "GET",
                "/reserved_ips",
                lambda r: page(r, "reserved_ips", list(map(self._shown, self.reserved))),
            ),
            ("POST", "/reserved_ips", self._reserve),
            ("GET", one, self._show),
            ("DELETE", one, self._release),
            ("POST", f"{one}/actions", self._act),
        ]

    def _add_project(self, request: Request) -> Reply:
        asked: Any = request.body
        if any(each["name"] == asked["name"] for each in self.projects.values()):
            return self._fake.error(409, "name is already in use")
        project = {"id": str(uuid.UUID(int=next(self._fake.numbers))), "is_default": False, **asked}
        self.projects[project["id"]] = project
        return Reply(201, {"project": project})

    def _delete_project(self, request: Request, number: str) -> Reply:
        if number not in self.projects:
            return self._fake.error(404, GONE)
        if any(each["project"] == number for each in self.reserved.values()):
            return self._fake.error(412, "cannot delete a project with resources")
        del self.projects[number]
        return Reply(204)

    def _reserve(self, request: Request) -> Reply:
        asked: Any = request.body
        if asked["project_id"] not in self.projects:
            return self._fake.error(404, "project not found")
        ip = f"198.51.100.{next(self._fake.numbers)}"
        self.reserved[ip] = {"region": asked["region"], "project": asked["project_id"], "box": None}
        return Reply(202, {"reserved_ip": self._shown(ip), "links": {"droplets": [], "actions": []}})

    def _shown(self, ip: str) -> Any:
        found = self.reserved[ip]
        box = self._fake.boxes.get(found["box"])
        return {
            "ip": ip,
            "region": self._region(found["region"]),
            "droplet": self._droplet(box) if box and not box.removed else None,
            "locked": False,
            "project_id": found["project"],
        }

    def _show(self, request: Request, ip: str) -> Reply:
        if ip not in self.reserved:
            return self._fake.error(404, GONE)
        return Reply(200, {"reserved_ip": self._shown(ip)})

    def _release(self, request: Request, ip: str) -> Reply:
        if self.reserved.pop(ip, None) is None:
            return self._fake.error(404, GONE)
        return Reply(204)

    def _act(self, request: Request, ip: str) -> Reply:
        asked: Any = request.body
        found = self.reserved.get(ip)
        if found is None or (asked["type"] == "assign" and asked["droplet_id"] not in self._fake.boxes):
            return self._fake.error(404, GONE)
        if asked["type"] == "assign" and found["box"] is not None:
            return self._fake.error(422, "The reserved IP is assigned already.")
        found["box"] = asked.get("droplet_id")
        return Reply(201, {"action": self._begin(asked["type"], ip)})


class LinodeAddresses:
    """Beside each other in an account, with tags."""

    def __init__(self, fake: Fake) -> None:
        self._fake = fake
        self.reserved: dict[str, dict[str, Any]] = {}

    @property
    def tags(self) -> list[str]:
        """Owner tags as they were written: in parts `one-0-…`, `one-1-…`."""
        every = (sorted(tag for tag in each["tags"] if tag != "onesuite") for each in self.reserved.values())
        return ["".join(tag.split("-", 2)[2] for tag in tags) for tags in every]

    def routes(self, page: Callable[..., Reply]) -> Sequence[tuple[str, str, Handler]]:
        one = r"/networking/reserved/ips/([0-9.]+)"
        at = r"/linode/instances/(\d+)/ips"
        return [
            ("GET", "/networking/reserved/ips", lambda r: page(r, list(self.reserved.values()))),
            ("POST", "/networking/reserved/ips", self._reserve),
            ("GET", one, self._show),
            ("DELETE", one, self._release),
            ("POST", at, self._attach),
            ("DELETE", f"{at}/([0-9.]+)", self._detach),
        ]

    def _reserve(self, request: Request) -> Reply:
        asked: Any = request.body
        if not all(3 <= len(tag) <= 50 for tag in asked["tags"]):
            return self._fake.error(400, "Length must be 3-50 characters", field="tags")
        ip = f"198.51.100.{next(self._fake.numbers)}"
        # The provider promises no order of tags.
        shown = {"address": ip, "region": asked["region"], "tags": asked["tags"][::-1], "linode_id": None}
        self.reserved[ip] = {**shown, "type": "ipv4", "public": True, "reserved": True}
        return Reply(200, self.reserved[ip])

    def _show(self, request: Request, ip: str) -> Reply:
        return Reply(200, self.reserved[ip]) if ip in self.reserved else self._fake.error(404, "Not found")

    def _release(self, request: Request, ip: str) -> Reply:
        if ip not in self.reserved:
            return self._fake.error(404, "Not found")
        if self.reserved[ip]["linode_id"]:
            return self._fake.error(400, "It would stay with its Linode as an ephemeral address")
        del self.reserved[ip]
        return Reply(200, {})

    def _attach(self, request: Request, number: str) -> Reply:
        asked: Any = request.body
        found = self.reserved.get(asked["address"])
        if found is None or int(number) not in self._fake.boxes:
            return self._fake.error(404, "Not found")
        if found["linode_id"]:
            return self._fake.error(400, "Address is already assigned", field="address")
        found["linode_id"] = int(number)
        return Reply(200, found)

    def _detach(self, request: Request, number: str, ip: str) -> Reply:
        found = self.reserved.get(ip)
        if found is None or found["linode_id"] != int(number):
            return self._fake.error(404, "Not found")
        found["linode_id"] = None
        return Reply(200, {})
