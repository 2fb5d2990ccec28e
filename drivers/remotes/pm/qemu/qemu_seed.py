"""The cloud-init seed of a guest (data source NoCloud), as texts by file name; pure.

JSON is YAML, and every value stands on a line of its own, so that a guest without cloud-init can read it too.
"""

import json
from dataclasses import dataclass

from qemu_request import Request

LABEL = "CIDATA"


@dataclass(frozen=True)
class HostKey:
    """By which a guest is recognised, in the formats of OpenSSH."""

    private: str
    public: str


def files(request: Request, host_key: HostKey) -> dict[str, str]:
    """What we have to say goes below what the user says: then it is the vendor's data."""
    ours = "#cloud-config\n" + _lines(_configuration(request, host_key))
    seed = {"meta-data": _lines(_identity(request))}
    if request.user_data:
        return {**seed, "user-data": request.user_data + "\n", "vendor-data": ours}
    return {**seed, "user-data": ours}


def _identity(request: Request) -> dict[str, object]:
    return {
        "instance-id": request.name,
        "local-hostname": request.hostname,
        "public-keys": [request.public_key] if request.public_key else [],
    }


def _configuration(request: Request, host_key: HostKey) -> dict[str, object]:
    keys = [request.public_key] if request.public_key else []
    configuration: dict[str, object] = {
        "disable_root": False,
        "ssh_pwauth": False,
        "ssh_authorized_keys": keys,
        # Ours, so that a guest without a disk of its own is the same one after each boot.
        "ssh_keys": {"ed25519_private": host_key.private, "ed25519_public": host_key.public},
    }
    if request.user != "root":
        user = {
            "name": request.user,
            "sudo": "ALL=(ALL) NOPASSWD:ALL",
            "shell": "/bin/bash",
            "lock_passwd": True,
            "ssh_authorized_keys": keys,
        }
        configuration["users"] = ["default", user]
    return configuration


def _lines(value: dict[str, object]) -> str:
    return json.dumps(value, indent=1) + "\n"
