"""Whether the processor can help: KVM where it really works, else emulation (TCG).

A present /dev/kvm proves little: inside some virtual machines it is there and guests hang. So the firmware is
run to its end with and without it, once after each boot of this computer, and the faster way wins.
"""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from onecore.drivers.kit import Failed
from qemu_process import program

KVM = Path("/dev/kvm")
TRIAL_S = 10.0
# With no disk to boot from the firmware asks for a reboot, and `-no-reboot` makes an end of that.
TRIAL = "-machine pc -m 16 -nodefaults -display none -no-reboot -boot reboot-timeout=1".split()


def run_firmware(kind: str) -> float:
    """Seconds until the firmware has ended; for ever when it does not."""
    begun = time.monotonic()
    try:
        done = subprocess.run(
            [program(), "-accel", kind, *TRIAL], capture_output=True, timeout=TRIAL_S, check=False
        )
    except subprocess.TimeoutExpired:
        return float("inf")
    return time.monotonic() - begun if done.returncode == 0 else float("inf")


@dataclass(frozen=True)
class Accelerator:
    """Chooses, and remembers its choice in a file until the computer boots anew."""

    note: Path
    boot_id: str
    trial: Callable[[str], float] = run_firmware
    device: Path = KVM

    def choose(self, asked: str) -> str:
        """`kvm` or `tcg`."""
        usable = os.access(self.device, os.R_OK | os.W_OK)
        if asked == "kvm" and not usable:
            raise Failed(
                f"accelerator 'kvm' is asked for, but {self.device} is not there or not open to this user"
            )
        if asked != "auto":
            return asked
        return self._known() or self._tried() if usable else "tcg"

    def _known(self) -> str:
        try:
            boot_id, kind = self.note.read_text().split()
        except (OSError, ValueError):
            return ""
        return kind if boot_id == self.boot_id and kind in ("kvm", "tcg") else ""

    def _tried(self) -> str:
        kind = "kvm" if self.trial("kvm") < self.trial("tcg") else "tcg"
        draft = self.note.with_name(f"{self.note.name}.{os.getpid()}")
        draft.write_text(f"{self.boot_id} {kind}\n")
        draft.replace(self.note)
        return kind
