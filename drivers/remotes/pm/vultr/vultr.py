"""Machines of Vultr, by its API v2.

The label of a machine is its owner tag; labels need not be unique at Vultr, so that it is looked for before
every request that makes one. What is peculiar to the API, and how that is known, stands beside the code.
"""

import base64
import re

import vultr_addresses
import vultr_offers
from onecore.drivers.kit import Call, Failed, guest, pages, waiting
from onecore.drivers.kit.fleet import ERROR, OFF, PENDING, RUNNING, Fleet, Machine, actions, is_ours
from onecore.drivers.kit.http import Api, Refused, Uncertain
from onecore.drivers.kit.memory import Memory
from onecore.drivers.kit.surroundings import one_home
from onecore.drivers.kit.values import Json, at, text
from vultr_api import ID, PAGES, api

INSTANCES = "/instances"
ORDERLY_S = 120.0
FORCED_S = 120.0
NO_ADDRESS = "0.0.0.0"  # noqa: S104  nothing is bound here


class Vultr:
    def __init__(self, api: Api, memory: Memory) -> None:
        self._api = api
        self._memory = memory

    def named(self, name: str) -> list[Machine]:
        found = pages.read(self._api, INSTANCES, "instances", PAGES, {"label": name})
        return [_machine(each) for each in found if text(each, "label") == name]

    def get(self, machine_id: str) -> Machine | None:
        found = self._api.find(f"{INSTANCES}/{machine_id}") if ID.fullmatch(machine_id) else None
        return _machine(at(found, "instance")) if found is not None else None

    def every(self) -> list[Machine]:
        """Of all labels, because the filter by tag is deprecated."""
        found = pages.read_surely(self._api, INSTANCES, "instances", PAGES)
        return [_machine(each) for each in found if is_ours(text(each, "label"))]

    def create(self, call: Call) -> str:
        keys = [*call.list("sshkey_id"), *self._key_ids(call.ssh_public_key)]
        made = self._api.post(INSTANCES, _wanted(call, keys), "create")
        return text(made, "instance", "id")

    def remove(self, machine_id: str) -> bool:
        """`Server is currently locked` (while it installs) passes by itself (ansible-collection-vultr issue
        113) and is waited for; `already pending destruction` is what was asked for."""
        if not ID.fullmatch(machine_id):
            return False
        try:
            return self._api.delete(f"{INSTANCES}/{machine_id}")
        except Refused as exc:
            if "pending destruction" in str(exc):
                return True
            raise

    def power_on(self, machine: Machine) -> None:
        if machine.state != RUNNING:
            self._act(machine, "start")

    def reboot(self, machine: Machine, host: str) -> None:
        """The API's own reboot is a hard one (docs.vultr.com), so that the system is asked over SSH first."""
        try:
            restarted = guest.reboot(self._guest(machine, host), self._api.clock, self._orderly_s(host))
        except Failed:
            restarted = False
        if not restarted:
            self.reset(machine)

    def reset(self, machine: Machine) -> None:
        self._act(machine, "reboot")

    def shutdown(self, machine: Machine, host: str) -> None:
        """The API's `halt` cuts the power: only after the system was asked over SSH and did not do it."""
        if machine.state == OFF:
            return
        try:
            guest.ask(self._guest(machine, host), "poweroff")
            off = self._goes_off(machine, self._orderly_s(host))
        except Failed:
            off = False
        if off:
            return
        self._act(machine, "halt")
        if not self._goes_off(machine, FORCED_S):
            raise Failed(f"vultr: machine {machine.id} is not off {FORCED_S:.0f} s after its power was cut")

    def _goes_off(self, machine: Machine, within_s: float) -> bool:
        def off() -> bool | None:
            now = self.get(machine.id)
            return True if now is None or now.state == OFF else None

        return waiting.until(off, self._api.clock, within_s) is True

    def _act(self, machine: Machine, verb: str) -> None:
        self._api.post(f"{INSTANCES}/{machine.id}/{verb}")

    def _guest(self, machine: Machine, host: str) -> guest.Guest:
        if not machine.addresses:
            raise Failed(f"machine {machine.id} has no address")
        return guest.guest_at(machine.addresses[0], self._memory.recall(host), one_home())

    def _orderly_s(self, host: str) -> float:
        try:
            return float(self._memory.recall(host)["ORDERLY_S"])
        except (KeyError, ValueError):
            return ORDERLY_S

    def _key_ids(self, public_key: str) -> list[str]:
        """The id of the key in the account, where it is put when it is not there yet."""
        if not public_key:
            return []
        if found := self._key_id(public_key):
            return [found]
        try:
            made = self._api.post("/ssh-keys", {"name": "onesuite", "ssh_key": public_key})
        except Uncertain as exc:
            if found := self._key_id(public_key):
                return [found]
            # Of the key alone nobody is certain: no machine was asked for.
            raise Failed(str(exc)) from exc
        return [text(made, "ssh_key", "id")]

    def _key_id(self, public_key: str) -> str:
        known = pages.read(self._api, "/ssh-keys", "ssh_keys", PAGES)
        same = (text(each, "id") for each in known if _body(text(each, "ssh_key")) == _body(public_key))
        return next(same, "")


def _body(public_key: str) -> str:
    """Kind and key, without the comment."""
    return " ".join(public_key.split()[:2])


def _machine(found: object) -> Machine:
    address = text(found, "main_ip")
    addresses = [address] if address not in ("", NO_ADDRESS) else []
    addresses += [text(found, "v6_main_ip")] if text(found, "v6_main_ip") else []
    return Machine(text(found, "id"), text(found, "label"), _state(found, bool(addresses)), tuple(addresses))


def _state(found: object, has_address: bool) -> str:
    """`server_status` is not looked at: it stays `installingbooting` for minutes after SSH answers (so the
    source of the tool of spec/002)."""
    status, power = text(found, "status"), text(found, "power_status")
    if status == "suspended":
        return ERROR
    if status != "active" or not has_address:
        return PENDING
    return RUNNING if power == "running" else OFF


def _wanted(call: Call, keys: list[str]) -> Json:
    """The body of the request for a machine."""
    plan, region = call.asked("plan"), call.asked("region", call.asked("location"))
    for name, value in (("region", region), ("plan", plan)):
        if not value:
            raise Failed(f"parameter '{name}' is missing; `oneprovision provider {name}s vultr` lists them")
    body: dict[str, object] = {"region": region, "plan": plan, "label": call.name, **_system(call)}
    body["activation_email"] = False
    body["backups"] = "enabled" if _is_true(call.asked("backups")) else "disabled"
    tags = [*call.list("tags"), call.asked("label"), call.asked("tag")]
    further: dict[str, object] = {
        "hostname": re.sub(r"[^A-Za-z0-9.-]", "-", call.asked("hostname")).strip("-."),
        "sshkey_id": list(dict.fromkeys(keys)),
        "tags": [tag for tag in tags if tag],
        "user_data": base64.b64encode(call.provision.get("USER_DATA", "").encode()).decode(),
        "enable_ipv6": _is_true(call.asked("enable_ipv6", call.asked("ipv6"))),
        "script_id": call.asked("script_id"),
        "firewall_group_id": call.asked("firewall_group_id"),
    }
    return {**body, **{name: value for name, value in further.items() if value}}


def _system(call: Call) -> Json:
    """Exactly one of the five ways to say what the machine starts with. `os_id` is an integer."""
    image = call.asked("image", call.asked("os"))
    given = {name: call.asked(name) for name in ("os_id", "snapshot_id", "iso_id", "app_id", "image_id")}
    if image:
        given["os_id" if image.isdecimal() else "snapshot_id" if ID.fullmatch(image) else "image_id"] = image
    chosen = {name: value for name, value in given.items() if value}
    if len(chosen) != 1:
        said = ", ".join(chosen) or "nothing"
        raise Failed(
            f"exactly one of image, os_id, snapshot_id, iso_id, app_id and image_id is needed, not {said}; "
            "`oneprovision provider images vultr` lists the numbers of systems"
        )
    ((name, value),) = chosen.items()
    if name in ("os_id", "app_id"):
        if not value.isdecimal():
            raise Failed(f"{name} '{value}' is not a number")
        return {name: int(value)}
    return {name: value}


def _is_true(word: str) -> bool:
    return word.lower() in ("true", "yes", "on", "1", "enabled")


def _fleet(action: str) -> Fleet:
    memory = Memory(one_home(), "vultr")
    return Fleet(Vultr(api(action), memory), memory)


ACTIONS = {**actions(_fleet), **vultr_addresses.ACTIONS, **vultr_offers.ACTIONS}
