"""Droplets of DigitalOcean, by its API v2.

A tag of its own names a droplet's owner; names need not be unique, so that the tag is looked for before every
request that makes one. What is peculiar to the API, and how that is known, stands beside the code.
"""

import re

import digitalocean_addresses
import digitalocean_offers
from digitalocean_api import PAGES, api
from onecore.drivers.kit import Call, Failed, pages, waiting
from onecore.drivers.kit.fleet import ERROR, OFF, PENDING, RUNNING, Fleet, Machine, actions, is_ours
from onecore.drivers.kit.http import Api, Refused, Uncertain
from onecore.drivers.kit.memory import Memory
from onecore.drivers.kit.surroundings import one_home
from onecore.drivers.kit.values import Json, at, number, rows, text, texts

DROPLETS = "/droplets"
EVERY = "onesuite"  # the tag of all droplets of ours
TAG = re.compile(r"[A-Za-z0-9:_-]{1,255}")
NAME = re.compile(r"[a-zA-Z0-9]?[a-z0-9A-Z.\-]*[a-z0-9A-Z]")
ORDERLY_S = 120.0
FORCED_S = 120.0

_STATES = {"new": PENDING, "active": RUNNING, "off": OFF, "archive": ERROR}


class DigitalOcean:
    def __init__(self, api: Api, memory: Memory) -> None:
        self._api = api
        self._memory = memory

    def named(self, name: str) -> list[Machine]:
        found = pages.read(self._api, DROPLETS, "droplets", PAGES, {"tag_name": name})
        return [_machine(each) for each in found if name in texts(each, "tags")]

    def get(self, machine_id: str) -> Machine | None:
        found = self._api.find(f"{DROPLETS}/{machine_id}") if machine_id.isdecimal() else None
        return _machine(at(found, "droplet")) if found is not None else None

    def every(self) -> list[Machine]:
        found = pages.read_surely(self._api, DROPLETS, "droplets", PAGES, {"tag_name": EVERY})
        return [machine for machine in map(_machine, found) if machine.name]

    def create(self, call: Call) -> str:
        keys = [*call.list("ssh_keys"), *self._known(call.ssh_public_key)]
        return text(self._api.post(DROPLETS, _wanted(call, keys), "create"), "droplet", "id")

    def remove(self, machine_id: str) -> bool:
        return machine_id.isdecimal() and self._api.delete(f"{DROPLETS}/{machine_id}")

    def power_on(self, machine: Machine) -> None:
        if machine.state != RUNNING and not self._carry_out(machine, "power_on", FORCED_S):
            raise Failed(f"digitalocean: droplet {machine.id} is not on {FORCED_S:.0f} s after power_on")

    def reboot(self, machine: Machine, host: str) -> None:
        """An orderly one; a system that does not listen is restarted the hard way."""
        if not self._carry_out(machine, "reboot", self._orderly_s(host)):
            self.reset(machine)

    def reset(self, machine: Machine) -> None:
        if not self._carry_out(machine, "power_cycle", FORCED_S):
            raise Failed(f"digitalocean: droplet {machine.id} did not restart within {FORCED_S:.0f} s")

    def shutdown(self, machine: Machine, host: str) -> None:
        """`shutdown` guarantees that the command is issued and not that it succeeds; the API itself advises
        to wait and to cut the power then."""
        if machine.state == OFF:
            return
        self._ask(machine, "shutdown")
        if self._goes_off(machine, self._orderly_s(host)):
            return
        self._ask(machine, "power_off")
        if not self._goes_off(machine, FORCED_S):
            raise Failed(
                f"digitalocean: droplet {machine.id} is not off {FORCED_S:.0f} s after its power was cut"
            )

    def snapshot(self, machine: Machine, name: str) -> None:
        """One that exists under the name is not made again."""
        mine = pages.read(self._api, "/images", "images", PAGES, {"private": "true"})
        if any(text(each, "name") == name and text(each, "type") == "snapshot" for each in mine):
            return
        action = self._ask(machine, "snapshot", name=name)
        if not self._completes(action, 540.0):
            raise Failed(
                f"digitalocean: snapshot '{name}' of droplet {machine.id} is not complete after 540 s"
            )

    def _carry_out(self, machine: Machine, verb: str, within_s: float) -> bool:
        return self._completes(self._ask(machine, verb), within_s)

    def _ask(self, machine: Machine, verb: str, **more: str) -> str:
        """The id of the action, which is not done yet."""
        asked = self._api.post(f"{DROPLETS}/{machine.id}/actions", {"type": verb, **more})
        return text(asked, "action", "id")

    def _completes(self, action: str, within_s: float) -> bool:
        def ended() -> str | None:
            status = text(self._api.get(f"/actions/{action}"), "action", "status")
            return status if status in ("completed", "errored") else None

        return waiting.until(ended, self._api.clock, within_s) == "completed"

    def _goes_off(self, machine: Machine, within_s: float) -> bool:
        def off() -> bool | None:
            now = self.get(machine.id)
            return True if now is None or now.state == OFF else None

        return waiting.until(off, self._api.clock, within_s) is True

    def _orderly_s(self, host: str) -> float:
        return number(self._memory.recall(host), "ORDERLY_S") or ORDERLY_S

    def _known(self, public_key: str) -> list[str]:
        """The key's fingerprint, once the account has the key. Without any, a password is mailed that has to
        be changed at the first login, and no program could log in."""
        if not public_key:
            return []
        fingerprint = _fingerprint(public_key)
        if self._api.find(f"/account/keys/{fingerprint}", "keys") is None:
            try:
                self._api.post("/account/keys", {"name": EVERY, "public_key": public_key}, "keys")
            except (Refused, Uncertain) as exc:
                # Somebody else was faster, or the answer was lost; no machine was asked for.
                if self._api.find(f"/account/keys/{fingerprint}", "keys") is None:
                    raise Failed(str(exc)) from exc
        return [fingerprint]


def _fingerprint(public_key: str) -> str:
    """The MD5 of the key, as the account knows it."""
    import base64
    from hashlib import md5

    try:
        raw = base64.b64decode(public_key.split()[1], validate=True)
    except (IndexError, ValueError) as exc:
        raise Failed("the public key of the machine is not one of OpenSSH") from exc
    return md5(raw, usedforsecurity=False).digest().hex(":")


def _machine(found: object) -> Machine:
    state = _STATES.get(text(found, "status"), PENDING)
    v4 = [each for each in rows(found, "networks", "v4") if text(each, "type") == "public"]
    addresses = [text(each, "ip_address") for each in (*v4, *rows(found, "networks", "v6"))]
    owner = next((tag for tag in texts(found, "tags") if is_ours(tag)), "")
    return Machine(
        text(found, "id"), owner, PENDING if state == RUNNING and not addresses else state, tuple(addresses)
    )


def _wanted(call: Call, keys: list[str]) -> Json:
    """The body of the request for a droplet."""
    if not TAG.fullmatch(call.name):
        raise Failed(f"'{call.name}' cannot be a tag of DigitalOcean: letters, digits, ':', '-', '_'")
    size, region = call.asked("plan", call.asked("size")), call.asked("region", call.asked("location"))
    image = call.asked("image")
    for name, value in (("region", region), ("plan", size), ("image", image)):
        if not value:
            raise Failed(
                f"parameter '{name}' is missing; `oneprovision provider {name}s digitalocean` lists them"
            )
    tags = [call.name, EVERY, *call.list("tags"), call.asked("label")]
    body: dict[str, object] = {
        "name": _name(call),
        "region": region,
        "size": size,
        "image": int(image) if image.isdecimal() else image,
        "tags": [tag for tag in dict.fromkeys(tags) if tag],
    }
    further: dict[str, object] = {
        "ssh_keys": [int(key) if key.isdecimal() else key for key in dict.fromkeys(keys)],
        "user_data": call.provision.get("USER_DATA", ""),
        "vpc_uuid": call.asked("vpc_uuid"),
    }
    flags = {name: True for name in ("ipv6", "backups", "monitoring") if _is_true(call.asked(name))}
    return {**body, **{name: value for name, value in further.items() if value}, **flags}


def _name(call: Call) -> str:
    """What the droplet's system calls itself: a host name, without '_'."""
    wanted = call.asked("name", call.asked("hostname"))
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", wanted).strip("-.")[:255]
    return name if NAME.fullmatch(name) else call.name


def _is_true(word: str) -> bool:
    return word.lower() in ("true", "yes", "on", "1", "enabled")


def snapshot(call: Call) -> None:
    cloud = _cloud("snapshot")
    machine = cloud.get(call.deploy_id)
    if machine is None:
        raise Failed(f"there is no machine '{call.deploy_id}' at the provider")
    cloud.snapshot(machine, call.snapshot)


def _cloud(action: str) -> DigitalOcean:
    return DigitalOcean(api(action), Memory(one_home(), "digitalocean"))


def _fleet(action: str) -> Fleet:
    return Fleet(_cloud(action), Memory(one_home(), "digitalocean"))


ACTIONS = {
    **actions(_fleet),
    **digitalocean_addresses.ACTIONS,
    **digitalocean_offers.ACTIONS,
    "snapshot": snapshot,
}
