"""The actions of the driver: machines that exist are used under a name, and given back as they are."""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import ssh_look
from onecore.drivers.kit import Call, Failed, waiting
from onecore.drivers.kit import guest as guests
from onecore.drivers.kit.guest import Guest
from onecore.drivers.kit.surroundings import clock, one_home
from ssh_claims import Claim, Claims
from ssh_request import Place, Request, parsed, wake_place

REBOOT_S = 600.0
SHUTDOWN_S = 120.0
LOOKS = 16


def deploy(call: Call) -> str:
    """The machine that has the name already, else the first one that is free and lets us in."""
    if existing := call.asked("deploy_id"):
        switch_on(claimed(existing))
        return existing
    request, found = parsed(call), claims().of(call.name)
    if found is not None:
        return found.id
    problems = []
    for place in request.places:
        claim = claim_for(call.name, place, request)
        with claims().alone():
            mine = claims().of(call.name)
            if mine is not None:
                return mine.id
            if not claims().make(claim):
                problems.append(f"{claim.id} is in use{_by(claims().get(claim.id))}")
                continue
        try:
            guests.boot_id(guest_of(claim))
        except Failed as exc:
            claims().drop(claim.id)
            problems.append(str(exc))
        else:
            return claim.id
    raise Failed("; ".join(problems))


def cancel(call: Call) -> None:
    """Gives the machine back. It goes on running: what we did not make we do not end."""
    claims().drop(call.deploy_id)


def poll(call: Call) -> dict[str, str]:
    claim = claims().get(call.deploy_id)
    if claim is None:
        return {"STATE": "d"}
    where = {"GUEST_IP_ADDRESSES": claim.address, "SSH_PORT": str(claim.port)}
    try:
        figures = guests.read(guest_of(claim), ssh_look.FIGURES)
    except Failed:
        return {"STATE": "p" if claim.switched_off else "-", **where}
    return {"STATE": "a", **where, **ssh_look.metrics(figures)}


def reboot(call: Call) -> None:
    restart(claimed(call.deploy_id), "reboot")


def reset(call: Call) -> None:
    restart(claimed(call.deploy_id), "reset")


def shutdown(call: Call) -> None:
    if call.lcm_state == "SHUTDOWN":
        cancel(call)
        return
    claim = claimed(call.deploy_id)
    claims().note(claim, switched_off=True)
    if not ssh_look.answers(claim.address, claim.port):
        return
    guests.ask(guest_of(claim), "poweroff")
    if waiting.until(lambda: _silent(claim), clock(), SHUTDOWN_S) is None:
        claims().note(claim, switched_off=False)
        raise Failed(f"{claim.id} was asked to power off, and still answers after {SHUTDOWN_S:.0f} s")


def list_machines(call: Call) -> list[dict[str, object]]:
    every = claims().all()
    with ThreadPoolExecutor(LOOKS) as pool:
        states = list(pool.map(_state, every))
    return [
        {
            "name": claim.name,
            "deploy_id": claim.id,
            "state": state,
            "addresses": [claim.address],
            "metrics": {"SSH_PORT": str(claim.port)},
        }
        for claim, state in zip(every, states, strict=True)
    ]


def locations(call: Call) -> list[dict[str, object]]:
    return [{"id": "yours", "name": "wherever your machines are"}]


def plans(call: Call) -> list[dict[str, object]]:
    return [{"id": "as-it-is", "name": "the machine as it is"}]


def images(call: Call) -> list[dict[str, object]]:
    return [{"id": "as-it-is", "name": "the system that is installed"}]


def prices(call: Call) -> list[dict[str, object]]:
    return [{"id": "as-it-is", "name": "the machine as it is", "plan": "as-it-is", "price_per_hour": 0}]


def claim_for(name: str, place: Place, request: Request) -> Claim:
    return Claim(
        name=name,
        address=place.address,
        port=place.port,
        user=request.user,
        private_key=request.private_key,
        mac=request.mac,
        wake_address=request.wake_address,
    )


def claimed(deploy_id: str) -> Claim:
    found = claims().get(deploy_id)
    if found is None:
        raise Failed(f"machine '{deploy_id}' is not in use here")
    return found


def restart(claim: Claim, verb: str) -> None:
    """Proven by another boot id. A machine that is off, and one that does not listen, is told of."""
    if not guests.reboot(guest_of(claim), clock(), REBOOT_S, verb):
        hint = "; `--hard` does not ask the system" if verb == "reboot" else ""
        raise Failed(f"{claim.id} has not come back with another boot id after {REBOOT_S:.0f} s{hint}")
    claims().note(claim, switched_off=False)


def switch_on(claim: Claim) -> None:
    """By a magic packet, which is all that one can do from here."""
    if not ssh_look.answers(claim.address, claim.port):
        if not claim.mac:
            raise Failed(f"{claim.id} does not answer, and has no `mac` to wake it by: switch it on by hand")
        wake(claim.mac, wake_place(claim.wake_address))
    claims().note(claim, switched_off=False)


def wake(mac: str, place: Place) -> None:
    payload = b"\xff" * 6 + bytes.fromhex(mac.replace(":", "").replace("-", "")) * 16
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.sendto(payload, (place.address, place.port))


def guest_of(claim: Claim) -> Guest:
    return Guest(claim.address, claim.user, claim.port, claim.private_key, one_home() / "known_hosts")


def claims() -> Claims:
    return Claims(one_home() / "ssh")


def _state(claim: Claim) -> str:
    if ssh_look.answers(claim.address, claim.port):
        return "running"
    return "off" if claim.switched_off else "pending"


def _silent(claim: Claim) -> bool | None:
    return None if ssh_look.answers(claim.address, claim.port) else True


def _by(claim: Claim | None) -> str:
    return f" as {claim.name}" if claim else ""


ACTIONS: dict[str, Callable[[Call], object]] = {
    "deploy": deploy,
    "cancel": cancel,
    "poll": poll,
    "reboot": reboot,
    "reset": reset,
    "shutdown": shutdown,
    "list": list_machines,
    "locations": locations,
    "plans": plans,
    "images": images,
    "prices": prices,
}
