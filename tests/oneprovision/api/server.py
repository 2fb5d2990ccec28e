"""A real `oneprovision serve`, and what tests ask of it again and again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.oneflow.api import server as rest
from tests.oneflow.api.server import REPOSITORY, Reply, Server

BASE = "/api/v1"
EXAMPLE = yaml.safe_load((REPOSITORY / "examples" / "dummy-cluster.yaml").read_text())


@dataclass(frozen=True)
class Form:
    """A server and its state."""

    server: Server

    @property
    def home(self) -> Path:
        return self.server.home

    def ask(self, method: str, path: str, data: object = None, user: str | None = None) -> Reply:
        return self.server.ask(method, BASE + path, data, user)

    def create(self, hosts: int = 2, public_ips: int = 0, name: str = "web", **provision: object) -> int:
        """A provision of the pm driver `dummy`; `provision`: further parameters of its machines."""
        reply = self.ask(
            "POST", "/provisions", {"name": name, "template": a_template(hosts, public_ips, **provision)}
        )
        assert reply.status == 201, reply.body
        return int(reply.json["DOCUMENT"]["ID"])

    def running(self, hosts: int = 2, public_ips: int = 0) -> int:
        number = self.create(hosts, public_ips)
        self.settled(number, "RUNNING")
        return number

    def body(self, number: int) -> Any:
        return self.ask("GET", f"/provisions/{number}").json["DOCUMENT"]["TEMPLATE"]["PROVISION_BODY"]

    def settled(self, number: int, state: str) -> Any:
        """The body once the provision is in that state and nobody works on it any more."""

        def there() -> Any:
            body = self.body(number)
            assert body["state"] == state or not body["state"].endswith("_FAILURE"), body["error"]
            return body["state"] == state and not self.ask("GET", f"/provisions/{number}/jobs").json and body

        return self.server.until(there)

    def machines(self) -> list[str]:
        """What exists, by the files of the dummy cloud alone."""
        folder = self.home / "dummy" / "machines"
        return sorted(each.name for each in folder.iterdir()) if folder.exists() else []

    def addresses(self, number: int) -> list[int]:
        """The address ranges that are leased, each of one address."""
        networks = self.body(number)["one_objects"]["networks"]
        return [each["ar_id"] for network in networks for each in network["ar"] if each.get("ipam_mad")]


def a_template(hosts: int = 2, public_ips: int = 0, **provision: object) -> dict[str, Any]:
    defaults = {"provision": {**EXAMPLE["defaults"]["provision"], **provision}}
    inputs = [{"name": "hosts", "type": "number", "default": hosts}]
    inputs += [{"name": "public_ips", "type": "number", "default": public_ips}]
    return {**EXAMPLE, "inputs": inputs, "defaults": {**EXAMPLE["defaults"], **defaults}}


@contextmanager
def a_form(home: Path) -> Iterator[Form]:
    with rest.a_server(home, product="oneprovision") as server:
        yield Form(server)
