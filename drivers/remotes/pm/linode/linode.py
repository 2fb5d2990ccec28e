"""Machines of Linode (Akamai), by its API v4.

The label of a machine is its owner tag: Linode keeps labels unique in an account, so that a second request
for the same machine is refused. What is peculiar to the API, and how that is known, stands beside the code.
"""

import base64
import re
import secrets
from ipaddress import ip_address

import linode_addresses
from linode_api import PAGES, api, public_api
from onecore.drivers.kit import Call, Failed, pages, waiting
from onecore.drivers.kit.fleet import ERROR, OFF, PENDING, RUNNING, Fleet, Machine, actions, is_ours
from onecore.drivers.kit.http import Api, Refused
from onecore.drivers.kit.memory import Memory
from onecore.drivers.kit.surroundings import one_home
from onecore.drivers.kit.values import Json, number, text, texts

INSTANCES = "/linode/instances"
LABEL = re.compile(r"[a-zA-Z]((?!--|__|\.\.)[a-zA-Z0-9-_.]){2,63}")

# A machine is turned off in order, and by force when its system does not listen: Linode does both by itself.
SHUTDOWN_S = 420.0

_STATES = {"running": RUNNING, "offline": OFF, "stopped": OFF, "billing_suspension": ERROR}


class Linode:
    def __init__(self, api: Api) -> None:
        self._api = api

    def named(self, name: str) -> list[Machine]:
        found = pages.read(self._api, INSTANCES, "data", PAGES)
        return [_machine(each) for each in found if text(each, "label") == name]

    def get(self, machine_id: str) -> Machine | None:
        if not machine_id.isdecimal():
            return None
        found = self._api.find(f"{INSTANCES}/{machine_id}")
        return _machine(found) if found is not None else None

    def every(self) -> list[Machine]:
        found = pages.read_surely(self._api, INSTANCES, "data", PAGES)
        return [_machine(each) for each in found if is_ours(text(each, "label"))]

    def create(self, call: Call) -> str:
        return text(self._api.post(INSTANCES, _wanted(call), "create"), "id")

    def remove(self, machine_id: str) -> bool:
        return machine_id.isdecimal() and self._api.delete(f"{INSTANCES}/{machine_id}")

    def power_on(self, machine: Machine) -> None:
        if machine.state == RUNNING:
            return
        try:
            self._act(machine, "boot")
        except Refused:
            now = self.get(machine.id)
            if now is None or now.state == OFF:
                raise

    def reboot(self, machine: Machine, host: str) -> None:
        self._act(machine, "reboot")

    def reset(self, machine: Machine) -> None:
        """The API has no harder verb than reboot."""
        self._act(machine, "reboot")

    def shutdown(self, machine: Machine, host: str) -> None:
        """By the API and never over SSH: the watchdog starts a machine again that turns itself off."""
        if machine.state != OFF:
            self._act(machine, "shutdown")
        if not waiting.until(lambda: self._is_off(machine), self._api.clock, SHUTDOWN_S):
            raise Failed(f"linode: machine {machine.id} is not off after {SHUTDOWN_S:.0f} s")

    def _act(self, machine: Machine, verb: str) -> None:
        self._api.post(f"{INSTANCES}/{machine.id}/{verb}")

    def _is_off(self, machine: Machine) -> bool | None:
        now = self.get(machine.id)
        return True if now is None or now.state == OFF else None


def _machine(found: object) -> Machine:
    state = _STATES.get(text(found, "status"), PENDING)
    # An address of a private network is listed beside the public one, in no order.
    addresses = sorted(texts(found, "ipv4"), key=lambda address: ip_address(address).is_private)
    addresses += [text(found, "ipv6").partition("/")[0]] if text(found, "ipv6") else []
    return Machine(text(found, "id"), text(found, "label"), state, tuple(addresses))


def _wanted(call: Call) -> Json:
    """The body of the request for a machine."""
    if not LABEL.fullmatch(call.name):
        raise Failed(f"'{call.name}' cannot be the label of a Linode: 3 to 64 letters, digits, '-', '_', '.'")
    plan = call.asked("plan", call.asked("type"))
    region, image = call.asked("region", call.asked("location")), call.asked("image")
    for name, value in (("region", region), ("plan", plan), ("image", image)):
        if not value:
            raise Failed(f"parameter '{name}' is missing; `oneprovision provider {name}s linode` lists them")
    body: dict[str, object] = {"label": call.name, "region": region, "type": plan, "image": image}
    body["booted"] = True
    # Whoever logs in does so with a key: nobody ever learns this password, unless one was asked for.
    body["root_pass"] = call.asked("root_pass", secrets.token_urlsafe(32))
    keys = [*call.list("authorized_keys"), *([call.ssh_public_key] if call.ssh_public_key else [])]
    further: dict[str, object] = {
        "authorized_keys": keys,
        "authorized_users": call.list("authorized_users"),
        "tags": [tag for tag in (*call.list("tags"), call.asked("label")) if 3 <= len(tag) <= 50],
        "metadata": _metadata(call.provision.get("USER_DATA", "")),
        "stackscript_id": int(number(call.asked("stackscript_id"))),
        "firewall_id": int(number(call.asked("firewall_id"))),
    }
    flags = {name: True for name in ("backups_enabled", "private_ip") if _is_true(call.asked(name))}
    return {**body, **{name: value for name, value in further.items() if value}, **flags}


def _metadata(user_data: str) -> Json:
    return {"user_data": base64.b64encode(user_data.encode()).decode()} if user_data else {}


def _is_true(word: str) -> bool:
    return word.lower() in ("true", "yes", "on", "1", "enabled")


def locations(call: Call) -> object:
    found = pages.read(public_api("locations"), "/regions", "data", PAGES)
    return [
        {
            "id": text(each, "id"),
            "name": text(each, "label") or text(each, "id"),
            "country": text(each, "country").upper(),
            "available": text(each, "status") == "ok",
        }
        for each in found
    ]


def plans(call: Call) -> object:
    return [
        {
            "id": text(each, "id"),
            "name": text(each, "label") or text(each, "id"),
            "cpu": int(number(each, "vcpus")),
            "memory_mb": int(number(each, "memory")),
            "disk_gb": int(number(each, "disk")) // 1024,
            "transfer_gb": int(number(each, "transfer")),
            "class": text(each, "class"),
            **_price(each),
        }
        for each in _types("plans")
    ]


def prices(call: Call) -> object:
    return [
        {"id": text(each, "id"), "name": text(each, "label") or text(each, "id"), **_price(each)}
        for each in _types("prices")
    ]


def images(call: Call) -> object:
    """Without a key these are the public ones."""
    found = pages.read(public_api("images"), "/images", "data", PAGES)
    return [
        {
            "id": text(each, "id"),
            "name": text(each, "label") or text(each, "id"),
            "distribution": text(each, "vendor"),
            "deprecated": each.get("deprecated") is True,
        }
        for each in found
    ]


def _types(action: str) -> list[Json]:
    return pages.read(public_api(action), "/linode/types", "data", PAGES)


def _price(each: Json) -> Json:
    return {
        "price_per_hour": number(each, "price", "hourly"),
        "price_per_month": number(each, "price", "monthly"),
        "currency": "USD",
    }


def _fleet(action: str) -> Fleet:
    return Fleet(Linode(api(action)), Memory(one_home(), "linode"))


ACTIONS = {
    **actions(_fleet),
    **linode_addresses.ACTIONS,
    "locations": locations,
    "plans": plans,
    "prices": prices,
    "images": images,
}
