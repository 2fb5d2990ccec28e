"""One machine in its folder: prepared, started, stopped and looked at. Who calls holds the folder."""

import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import qemu_process
import qemu_seed
from onecore.drivers.kit import Failed
from qemu_accelerator import Accelerator
from qemu_images import Images, overlay
from qemu_monitor import Silent, monitor
from qemu_request import Forward, Request

RECORD = "machine.json"
STARTED = "started"
SEED = "seed"
OVERLAY = "disk.qcow2"
CONSOLE = "console.log"
PRESS_AGAIN_S = 2.0

RUNNING = frozenset({"running"})
STARTING = frozenset({"prelaunch", "inmigrate", "restore-vm", "finish-migrate", "postmigrate"})
BROKEN = frozenset({"internal-error", "io-error", "guest-panicked", "watchdog"})


@dataclass(frozen=True)
class Machine:
    """What is recorded of a machine. `ports` are (port of its address, port in the guest)."""

    name: str
    address: str
    ports: tuple[Forward, ...]
    mac: str
    cpus: int
    memory_mib: int
    accelerator: str
    cpu_model: str
    disk: str
    kernel: str
    initrd: str
    cmdline: str
    shutdown_s: int

    @property
    def ssh_port(self) -> int:
        return next((forward.port for forward in self.ports if forward.guest_port == 22), 22)


def prepare(folder: Path, request: Request, address: str, ports: tuple[Forward, ...], images: Images) -> None:
    """Everything the machine needs to start; the record comes last."""
    image = images.get(request.image)
    if image.disk:
        overlay(image.disk, folder / OVERLAY, request.disk_mib)
    seed = folder / SEED
    seed.mkdir(mode=0o700)
    for name, text in qemu_seed.files(request, _new_host_key()).items():
        (seed / name).write_text(text)
    machine = Machine(
        name=request.name,
        address=address,
        ports=ports,
        mac=request.mac,
        cpus=request.cpus,
        memory_mib=request.memory_mib,
        accelerator=request.accelerator,
        cpu_model=request.cpu_model,
        disk=OVERLAY if image.disk else "",
        kernel=str(image.kernel.resolve()) if image.kernel else "",
        initrd=str(image.initrd.resolve()) if image.initrd else "",
        cmdline=f"{image.cmdline} {request.boot_arguments}".strip(),
        shutdown_s=request.shutdown_s,
    )
    (folder / RECORD).write_text(json.dumps(asdict(machine)))


def load(folder: Path) -> Machine:
    told = json.loads((folder / RECORD).read_text())
    return Machine(**{**told, "ports": tuple(Forward(**forward) for forward in told["ports"])})


def ever_started(folder: Path) -> bool:
    return (folder / STARTED).exists()


def power_on(folder: Path, accelerator: Accelerator) -> None:
    """Runs afterwards, also when it was paused."""
    if qemu_process.alive(folder):
        with monitor(folder) as qemu:
            if qemu.status() == "paused":
                qemu.ask("cont")
    else:
        machine = load(folder)
        qemu_process.start(folder, arguments(folder, machine, accelerator), lambda: _answers(folder))
    (folder / STARTED).touch()


def power_off(folder: Path) -> None:
    """The power button, pressed until the guest obeys or its time is over; then the plug."""
    until = time.monotonic() + load(folder).shutdown_s
    while qemu_process.alive(folder) and time.monotonic() < until:
        try:
            with monitor(folder) as qemu:
                if qemu.status() == "paused":
                    qemu.ask("cont")
                qemu.ask("system_powerdown")
        except Silent:
            pass  # it ends just now
        # A guest that is still booting does not see the button yet.
        qemu_process.wait_for_end(folder, min(PRESS_AGAIN_S, max(until - time.monotonic(), 0.0)))
    qemu_process.kill(folder)


def reset(folder: Path, accelerator: Accelerator) -> None:
    """The reset button; a machine that is off is started."""
    if not qemu_process.alive(folder):
        power_on(folder, accelerator)
        return
    with monitor(folder) as qemu:
        qemu.ask("system_reset")
        qemu.ask("cont")


def suspend(folder: Path) -> None:
    """The guest stands still; its memory stays where it is."""
    with monitor(folder) as qemu:
        qemu.ask("stop")


def state(folder: Path) -> str:
    """In the words of `list`."""
    if not qemu_process.alive(folder):
        return "off"
    try:
        with monitor(folder) as qemu:
            status = qemu.status()
    except Silent:
        return "pending"
    if status in RUNNING:
        return "running"
    if status in STARTING:
        return "pending"
    return "error" if status in BROKEN else "off"


def metrics(folder: Path) -> Mapping[str, str]:
    """Where SSH answers, memory in KiB, and CPU in percent since the machine was last looked at."""
    told = {"SSH_PORT": str(load(folder).ssh_port)}
    process = Path("/proc", str(qemu_process.pid(folder)))
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return told
    used_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    begun_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    resident = int(fields[21]) * os.sysconf("SC_PAGE_SIZE") // 1024
    return {**told, "MEMORY": str(resident), "CPU": f"{_cpu(folder, used_s, begun_s):.1f}"}


def arguments(folder: Path, machine: Machine, accelerator: Accelerator) -> list[str]:
    """The command line of QEMU, without its program."""
    if platform.machine() not in ("x86_64", "AMD64"):
        raise Failed(
            f"this driver makes x86_64 guests on x86_64 machines, and this one is {platform.machine()}"
        )
    kind = accelerator.choose(machine.accelerator)
    model = machine.cpu_model or ("host" if kind == "kvm" else "Nehalem")
    forwards = "".join(f",hostfwd=tcp:{machine.address}:{f.port}-:{f.guest_port}" for f in machine.ports)
    return [
        *("-name", machine.name, "-machine", "pc", "-accel", kind, "-cpu", model),
        *("-smp", str(machine.cpus), "-m", str(machine.memory_mib)),
        *("-nodefaults", "-no-user-config", "-display", "none"),
        *("-chardev", f"file,id=console,path={CONSOLE},append=on", "-serial", "chardev:console"),
        *("-qmp", "unix:qmp.sock,server=on,wait=off"),
        *("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"),
        *("-netdev", f"user,id=net0{forwards}"),
        *("-device", f"virtio-net-pci,netdev=net0,mac={machine.mac},romfile="),
        *("-device", "virtio-rng-pci"),
        *_disks(folder, machine),
        *_kernel(machine),
    ]


def _new_host_key() -> qemu_seed.HostKey:
    from cryptography.hazmat.primitives import serialization as form  # lazy: only a deploy makes one
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())
    public = key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH)
    return qemu_seed.HostKey(private.decode(), public.decode())


def _answers(folder: Path) -> bool:
    try:
        with monitor(folder) as qemu:
            return bool(qemu.status())
    except Silent:
        return False


def _disks(folder: Path, machine: Machine) -> list[str]:
    seed: dict[str, object] = {
        "driver": "raw",
        "node-name": "seed",
        "read-only": True,
        "file": {"driver": "vvfat", "dir": str(folder / SEED), "label": qemu_seed.LABEL, "read-only": True},
    }
    disk: dict[str, object] = {
        "driver": "qcow2",
        "node-name": "disk",
        "file": {"driver": "file", "filename": str(folder / OVERLAY)},
    }
    drives = [disk, seed] if machine.disk else [seed]
    words: list[str] = []
    for drive in drives:
        words += ["-blockdev", json.dumps(drive)]
        words += ["-device", f"virtio-blk-pci,drive={drive['node-name']}"]
    return words


def _kernel(machine: Machine) -> list[str]:
    if not machine.kernel:
        return []
    initrd = ["-initrd", machine.initrd] if machine.initrd else []
    return ["-kernel", machine.kernel, *initrd, "-append", machine.cmdline]


def _cpu(folder: Path, used_s: float, begun_s: float) -> float:
    """Percent of one core since the last look, which is noted; since the start the first time."""
    note, now = folder / "cpu", time.clock_gettime(time.CLOCK_BOOTTIME)
    try:
        before_used, before = map(float, note.read_text().split())
    except (OSError, ValueError):
        before_used, before = 0.0, begun_s
    if before_used > used_s or before < begun_s:  # it was started anew since
        before_used, before = 0.0, begun_s
    draft = note.with_name(f"cpu.{os.getpid()}")
    draft.write_text(f"{used_s} {now}")
    draft.replace(note)
    return 100.0 * (used_s - before_used) / max(now - before, 0.001)
