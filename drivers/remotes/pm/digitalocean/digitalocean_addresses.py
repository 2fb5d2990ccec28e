"""Reserved addresses of DigitalOcean. A project holds each one, and the project's name is its owner tag.

An address has neither name nor tag, but it can be made inside a project, and no two projects of an account
have one name (https://docs.digitalocean.com/reference/api/reference/projects/). A project costs nothing.
"""

import re

from digitalocean_api import PAGES, api
from onecore.drivers.kit import Call, Failed, pages, waiting
from onecore.drivers.kit.addresses import OURS, made_once, region_of, row
from onecore.drivers.kit.fleet import LOST_S
from onecore.drivers.kit.http import Api, Refused, Uncertain
from onecore.drivers.kit.values import Json, at, text

RESERVED, PROJECTS = "/reserved_ips", "/projects"
ADDRESS = re.compile(r"[0-9a-fA-F.:]{3,45}")
ACTION_S = 120.0
EMPTY_S = 60.0


def allocate_ip(call: Call) -> object:
    client = api("allocate_ip")
    project = _project(client, call.tag)
    if project is None:
        region_of(call)  # before a project is made for it
        project = _made(client, call.tag)
    found = _held(client, project) or _reserved(client, region_of(call), project)
    return {"id": text(found, "ip"), "ip": text(found, "ip")}


def release_ip(call: Call) -> None:
    """The address, and then the project that was its tag."""
    client = api("release_ip")
    found = _address(client, call.address_id)
    if found is not None:
        if text(found, "droplet", "id"):
            _act(client, call.address_id, {"type": "unassign"})
        client.delete(f"{RESERVED}/{call.address_id}")
    project = _project(client, call.tag) if OURS.fullmatch(call.tag) else None
    if project is not None and not waiting.until(lambda: _dissolved(client, project), client.clock, EMPTY_S):
        raise Failed(f"the project '{call.tag}' of the address still holds something: look at what it is")


def assign_ip(call: Call) -> None:
    client = api("assign_ip")
    found = _address(client, call.address_id)
    if found is None:
        raise Failed(f"there is no address '{call.address_id}' at the provider")
    holder = text(found, "droplet", "id")
    if holder == call.deploy_id:
        return
    if not call.deploy_id.isdecimal():
        raise Failed(f"'{call.deploy_id[:80]}' is not the id of a droplet")
    if holder:
        _act(client, call.address_id, {"type": "unassign"})
    _act(client, call.address_id, {"type": "assign", "droplet_id": int(call.deploy_id)})


def list_ips(call: Call) -> object:
    """The projects come first: an address whose project is made meanwhile is then of the next look."""
    client = api("list_ips")
    projects = pages.read_surely(client, PROJECTS, "projects", PAGES)
    tags = {text(each, "id"): text(each, "name") for each in projects if OURS.fullmatch(text(each, "name"))}
    found = pages.read_surely(client, RESERVED, "reserved_ips", PAGES)
    return [
        {
            "id": text(each, "ip"),
            "ip": text(each, "ip"),
            "tag": tags[text(each, "project_id")],
            "deploy_id": text(each, "droplet", "id"),
        }
        for each in found
        if text(each, "project_id") in tags
    ]


def _project(client: Api, tag: str) -> str | None:
    """Its id."""
    found = pages.read(client, PROJECTS, "projects", PAGES)
    return next((text(each, "id") for each in found if text(each, "name") == tag), None)


def _made(client: Api, tag: str) -> str:
    wanted = {"name": tag, "purpose": "Service or API", "description": "holds one reserved address"}
    try:
        return text(client.post(PROJECTS, wanted), "project", "id")
    except (Refused, Uncertain) as exc:
        # The name is taken: by a request of ours whose answer nobody heard.
        lost_s = LOST_S if isinstance(exc, Uncertain) else 0.0
        found = waiting.until(lambda: _project(client, tag), client.clock, lost_s)
        if found is None:
            raise
        return found


def _held(client: Api, project: str) -> Json | None:
    found = pages.read(client, RESERVED, "reserved_ips", PAGES)
    return next((each for each in found if text(each, "project_id") == project), None)


def _reserved(client: Api, region: str, project: str) -> Json:
    wanted = {"region": region, "project_id": project}
    return made_once(
        client,
        lambda: at(client.post(RESERVED, wanted, "reserve"), "reserved_ip"),
        lambda: _held(client, project),
        "in its project",
    )


def _address(client: Api, address_id: str) -> Json | None:
    found = client.find(f"{RESERVED}/{address_id}") if ADDRESS.fullmatch(address_id) else None
    return row(at(found, "reserved_ip")) if found is not None else None


def _act(client: Api, address_id: str, wanted: Json) -> None:
    action = text(client.post(f"{RESERVED}/{address_id}/actions", wanted), "action", "id")

    def ended() -> str | None:
        status = text(client.get(f"/actions/{action}"), "action", "status")
        return status if status in ("completed", "errored") else None

    if waiting.until(ended, client.clock, ACTION_S) != "completed":
        raise Failed(f"digitalocean: {wanted['type']} of {address_id} is not done after {ACTION_S:.0f} s")


def _dissolved(client: Api, project: str) -> bool | None:
    """A project that still holds something cannot be removed (412): what was in it is on its way out."""
    try:
        client.delete(f"{PROJECTS}/{project}")
    except Refused as exc:
        if exc.status != 412:
            raise
        return None
    return True


ACTIONS = {
    "allocate_ip": allocate_ip,
    "release_ip": release_ip,
    "assign_ip": assign_ip,
    "list_ips": list_ips,
}
