#!/usr/bin/env python3
"""A driver written with the kit: idempotent, and with `list` and public addresses."""

import hashlib
import json
import os
from pathlib import Path

from onecore.drivers.kit import Call, Failed, main

CLOUD = Path(os.environ["ONE_HOME"], "with-kit")


def deploy(call: Call) -> str:
    if reason := call.provision.get("FAIL"):
        raise Failed(reason)
    deploy_id = call.provision.get("DEPLOY_ID") or hashlib.sha256(call.name.encode()).hexdigest()[:16]
    save(deploy_id, call.name, "running")
    return deploy_id


def poll(call: Call) -> dict[str, object]:
    if not record(call.deploy_id).exists():
        return {"STATE": "d"}
    state = "a" if load(call.deploy_id)["state"] == "running" else "p"
    return {"STATE": state, "CPU": 12.5, "GUEST_IP_ADDRESSES": "192.0.2.40,192.0.2.41"}


def start(call: Call) -> None:
    save(call.deploy_id, load(call.deploy_id)["name"], "running")


def shutdown(call: Call) -> None:
    save(call.deploy_id, load(call.deploy_id)["name"], "off")


def cancel(call: Call) -> None:
    record(call.deploy_id).unlink(missing_ok=True)


def list_machines(call: Call) -> list[dict[str, str]]:
    return [load(file.name) for file in CLOUD.glob("machines/*")]


def plans(call: Call) -> list[dict[str, object]]:
    return [{"id": "small", "name": "1 core, 1 GB", "price_per_hour": 0.01}]


def allocate_ip(call: Call) -> dict[str, str]:
    CLOUD.mkdir(exist_ok=True)
    (CLOUD / "address").write_text(call.tag)
    return {"id": "ip-1", "ip": "198.51.100.1"}


def release_ip(call: Call) -> None:
    (CLOUD / "address").unlink(missing_ok=True)


def list_ips(call: Call) -> list[dict[str, str]]:
    return [
        {"id": "ip-1", "ip": "198.51.100.1", "tag": file.read_text(), "deploy_id": ""}
        for file in CLOUD.glob("address")
    ]


def record(deploy_id: str) -> Path:
    return CLOUD / "machines" / deploy_id


def load(deploy_id: str) -> dict[str, str]:
    if not record(deploy_id).exists():
        raise Failed(f"there is no machine '{deploy_id}'")
    machine: dict[str, str] = json.loads(record(deploy_id).read_text())
    return machine


def save(deploy_id: str, name: str, state: str) -> None:
    record(deploy_id).parent.mkdir(parents=True, exist_ok=True)
    record(deploy_id).write_text(json.dumps({"name": name, "deploy_id": deploy_id, "state": state}))


main(
    {
        "deploy": deploy,
        "poll": poll,
        "reboot": start,
        "reset": start,
        "shutdown": shutdown,
        "cancel": cancel,
        "list": list_machines,
        "plans": plans,
        "allocate_ip": allocate_ip,
        "release_ip": release_ip,
        "list_ips": list_ips,
    }
)
