"""Virtual machines for tests: images to boot from, and an independent look at which processes run."""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TINY = ROOT / ".venv" / "guest"


def need_qemu() -> None:
    if shutil.which("qemu-system-x86_64") is None or shutil.which("qemu-img") is None:
        pytest.skip("QEMU is not installed")


def tiny_image() -> Path:
    """A whole system that answers on SSH after a few seconds, also without KVM."""
    need_qemu()
    if not (TINY / "kernel").exists():
        pytest.skip("there is no image for guests")
    return TINY


def blank_disk(folder: Path) -> Path:
    """A machine with this disk runs, but boots nothing."""
    need_qemu()
    disk = folder / "blank.raw"
    disk.write_bytes(bytes(1024 * 1024))
    return disk


def guests_under(home: Path) -> dict[str, int]:
    """The QEMU processes whose machine is kept under this folder, by name: from /proc alone."""
    found = {}
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            ours = (process / "cwd").readlink().is_relative_to(home.resolve())
            if ours and words[0].endswith(b"qemu-system-x86_64"):
                name = words[words.index(b"-name") + 1].decode()
                assert name not in found, f"two processes are {name}"
                found[name] = int(process.name)
    return found
