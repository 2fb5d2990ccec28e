"""What a deployment asks for, checked and typed: a pure function of its parameters."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from onecore.drivers.kit import Call, Failed

MIB_OF = {"": 1, "M": 1, "MB": 1, "MIB": 1, "G": 1024, "GB": 1024, "GIB": 1024}
ACCELERATORS = ("auto", "kvm", "tcg")


@dataclass(frozen=True)
class Plan:
    """A size of machine."""

    id: str
    cpus: int
    memory_mib: int
    disk_mib: int

    @property
    def name(self) -> str:
        cores = "1 core" if self.cpus == 1 else f"{self.cpus} cores"
        return f"{cores}, {self.memory_mib} MiB memory, {self.disk_mib // 1024} GiB disk"


PLANS = {
    plan.id: plan
    for plan in (
        Plan("tiny", 1, 256, 4 * 1024),
        Plan("small", 1, 1024, 10 * 1024),
        Plan("medium", 2, 2048, 20 * 1024),
        Plan("large", 4, 4096, 40 * 1024),
    )
}


@dataclass(frozen=True)
class Forward:
    """A port of the machine's address and where it leads in the guest."""

    port: int
    guest_port: int


@dataclass(frozen=True)
class Request:
    """`ssh_port` is where SSH should answer; `disk_mib` is the size the disk has at least."""

    name: str
    hostname: str
    image: str
    cpus: int
    memory_mib: int
    disk_mib: int
    accelerator: str
    cpu_model: str
    boot_arguments: str
    forwards: tuple[Forward, ...]
    ssh_port: int
    user: str
    public_key: str
    user_data: str
    shutdown_s: int

    @property
    def mac(self) -> str:
        """Of the machine's own, since guests name their network card after it."""
        tail = hashlib.sha256(self.name.encode()).digest()[:3]
        return "52:54:00:" + ":".join(f"{byte:02x}" for byte in tail)


def parsed(call: Call) -> Request:
    """What is asked for; raises Failed naming the parameter that cannot be used."""
    plan = PLANS.get(call.asked("plan", "small"))
    if plan is None:
        raise Failed(f"there is no plan '{call.asked('plan')}'; the plans are {', '.join(PLANS)}")
    accelerator = call.asked("accelerator", "auto")
    if accelerator not in ACCELERATORS:
        raise Failed(f"accelerator '{accelerator}' is none of {', '.join(ACCELERATORS)}")
    return Request(
        name=_checked(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", call.name or call.host, "the name"),
        hostname=_checked(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}", call.asked("hostname", "guest"), "hostname"),
        image=call.asked("image", "debian-12"),
        cpus=_number(call, "cpus", plan.cpus, 1, 512),
        memory_mib=_mib(call, "memory", plan.memory_mib),
        disk_mib=_mib(call, "disk", plan.disk_mib),
        accelerator=accelerator,
        cpu_model=_checked(r"[A-Za-z0-9_.,+=-]{0,256}", call.asked("cpu_model"), "cpu_model"),
        boot_arguments=_checked(r"[ -~]{0,1024}", call.asked("boot_arguments"), "boot_arguments"),
        forwards=tuple(_forwards(call.list("forward"))),
        ssh_port=_port(call.connection.get("REMOTE_PORT") or "22", "remote_port"),
        user=_checked(r"[a-z_][a-z0-9_-]{0,31}", call.connection.get("REMOTE_USER") or "root", "remote_user"),
        public_key=call.ssh_public_key.strip(),
        user_data=call.asked("user_data"),
        shutdown_s=_number(call, "shutdown_timeout", 90, 0, 3600),
    )


def _forwards(words: Iterable[str]) -> Iterable[Forward]:
    for word in words:
        port, colon, guest = word.partition(":")
        yield Forward(_port(port, "forward"), _port(guest if colon else port, "forward"))


def _port(text: str, name: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) < 65536:
        raise Failed(f"{name}: '{text}' is not a port, or two of them with a colon between")
    return int(text)


def _mib(call: Call, name: str, otherwise: int) -> int:
    text = call.asked(name)
    if not text:
        return otherwise
    found = re.fullmatch(r"([0-9]{1,9})\s*([A-Za-z]*)", text)
    if not found or found.group(2).upper() not in MIB_OF or int(found.group(1)) == 0:
        raise Failed(f"{name}: '{text}' is not a size; write 512M or 2G")
    return int(found.group(1)) * MIB_OF[found.group(2).upper()]


def _number(call: Call, name: str, otherwise: int, least: int, most: int) -> int:
    text = call.asked(name, str(otherwise))
    if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise Failed(f"{name}: '{text}' is not a number from {least} to {most}")
    return int(text)


def _checked(pattern: str, text: str, name: str) -> str:
    if not re.fullmatch(pattern, text):
        raise Failed(f"{name}: '{text[:80]}' cannot be used")
    return text
