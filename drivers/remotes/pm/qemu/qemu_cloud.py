"""The actions of the driver: a small cloud on this computer, kept under ONE_HOME/qemu."""

import os
from pathlib import Path

import qemu_addresses
import qemu_machine
import qemu_process
from onecore.drivers.kit import Call, Failed
from onecore.drivers.kit.surroundings import one_home
from qemu_accelerator import Accelerator
from qemu_folders import Folders, Missing
from qemu_images import Images
from qemu_request import PLANS, parsed

POWER_LETTERS = {"running": "a", "off": "p", "pending": "-", "error": "e"}


def deploy(call: Call) -> str:
    """Killed before QEMU runs, it leaves what the next look takes back; killed later, it leaves a machine."""
    sweep()
    existing = call.asked("deploy_id")
    if existing:
        with folders().held(existing) as folder:
            qemu_machine.power_on(folder, accelerator())
        return existing
    request, images = parsed(call), Images(root() / "images")

    def fill(folder: Path) -> None:
        address, ports = qemu_addresses.chosen(request, taken_addresses())
        qemu_machine.prepare(folder, request, address, ports, images)

    with folders().made(request.name, fill) as folder:
        if not qemu_machine.ever_started(folder):
            try:
                qemu_machine.power_on(folder, accelerator())
            except Failed:
                folders().discard(folder)
                raise
    return request.name


def cancel(call: Call) -> None:
    sweep()
    try:
        with folders().held(call.deploy_id) as folder:
            qemu_process.kill(folder)
            folders().discard(folder)
    except Missing:
        return  # what is gone already is a success


def poll(call: Call) -> dict[str, str]:
    try:
        folder = folders().path(call.deploy_id)
        machine = qemu_machine.load(folder)
        state, metrics = qemu_machine.state(folder), qemu_machine.metrics(folder)
    except (Missing, FileNotFoundError):
        return {"STATE": "d"}
    return {"STATE": POWER_LETTERS[state], **metrics, "GUEST_IP_ADDRESSES": machine.address}


def reboot(call: Call) -> None:
    with folders().held(call.deploy_id) as folder:
        qemu_machine.power_off(folder)
        qemu_machine.power_on(folder, accelerator())


def reset(call: Call) -> None:
    with folders().held(call.deploy_id) as folder:
        qemu_machine.reset(folder, accelerator())


def shutdown(call: Call) -> None:
    if call.lcm_state == "SHUTDOWN":
        cancel(call)
        return
    with folders().held(call.deploy_id) as folder:
        qemu_machine.power_off(folder)


def suspend(call: Call) -> None:
    with folders().held(call.deploy_id) as folder:
        qemu_machine.suspend(folder)


def resume(call: Call) -> None:
    with folders().held(call.deploy_id) as folder:
        qemu_machine.power_on(folder, accelerator())


def list_machines(call: Call) -> list[dict[str, object]]:
    sweep()
    found: list[dict[str, object]] = []
    for name in folders().names():
        folder = folders().path(name)
        try:
            started, machine = qemu_machine.ever_started(folder), qemu_machine.load(folder)
            state = qemu_machine.state(folder) if started else "pending"
            metrics = qemu_machine.metrics(folder)
        except FileNotFoundError:
            continue  # removed just now
        found.append(
            {
                "name": name,
                "deploy_id": name,
                "state": state,
                "addresses": [machine.address],
                "metrics": metrics,
            }
        )
    return found


def locations(call: Call) -> list[dict[str, object]]:
    return [{"id": "here", "name": "this computer", "cpu": os.cpu_count() or 1}]


def plans(call: Call) -> list[dict[str, object]]:
    return [
        {
            "id": plan.id,
            "name": plan.name,
            "cpu": plan.cpus,
            "memory_mb": plan.memory_mib,
            "disk_gb": plan.disk_mib // 1024,
            "price_per_hour": 0,
        }
        for plan in PLANS.values()
    ]


def prices(call: Call) -> list[dict[str, object]]:
    return [
        {"id": plan.id, "name": plan.name, "plan": plan.id, "price_per_hour": 0} for plan in PLANS.values()
    ]


def images(call: Call) -> list[dict[str, object]]:
    return Images(root() / "images").all()


def sweep() -> None:
    """Take back what a killed deploy prepared and never started; what it did start is a machine."""
    folders().sweep()
    for name in folders().names():
        if qemu_machine.ever_started(folders().path(name)):
            continue
        try:
            with folders().held(name, wait=False) as folder:
                if qemu_machine.ever_started(folder):
                    continue
                if qemu_process.alive(folder):
                    (folder / qemu_machine.STARTED).touch()
                else:
                    folders().discard(folder)
        except (Missing, BlockingIOError):
            continue  # gone, or somebody is at work on it


def taken_addresses() -> set[str]:
    taken = set()
    for name in folders().names():
        try:
            taken.add(qemu_machine.load(folders().path(name)).address)
        except FileNotFoundError:
            continue
    return taken


def root() -> Path:
    return one_home() / "qemu"


def folders() -> Folders:
    return Folders(root())


def accelerator() -> Accelerator:
    return Accelerator(root() / "accelerator", Path("/proc/sys/kernel/random/boot_id").read_text().strip())


ACTIONS = {
    "deploy": deploy,
    "cancel": cancel,
    "poll": poll,
    "reboot": reboot,
    "reset": reset,
    "shutdown": shutdown,
    "suspend": suspend,
    "resume": resume,
    "list": list_machines,
    "locations": locations,
    "plans": plans,
    "prices": prices,
    "images": images,
}
