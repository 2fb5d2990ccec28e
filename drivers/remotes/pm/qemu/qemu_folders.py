"""Where machines are kept: a folder each, complete or not there, and held by one program at a time.

A folder is filled under `making/` and then moved to `machines/`, and moved back there to be removed; what a
program that was killed left under `making/` is swept away by the next one. The lock of a folder is dropped by
the kernel when its holder dies.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from tempfile import mkdtemp

from onecore.drivers.kit import Failed


class Missing(Failed):
    """There is no such machine."""


class Folders:
    """All folders of one local cloud."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._machines = root / "machines"
        self._making = root / "making"

    def names(self) -> list[str]:
        try:
            return sorted(folder.name for folder in self._machines.iterdir())
        except FileNotFoundError:
            return []

    def path(self, name: str) -> Path:
        if not name or name.startswith(".") or "/" in name:
            raise Missing(f"there is no machine '{name}'")
        return self._machines / name

    @contextmanager
    def held(self, name: str, wait: bool = True) -> Iterator[Path]:
        """The folder of the machine, for us alone. Raises Missing, and BlockingIOError unless we may wait."""
        fd = _hold(self.path(name), wait)
        if fd is None:
            raise Missing(f"there is no machine '{name}'")
        try:
            yield self.path(name)
        finally:
            os.close(fd)

    @contextmanager
    def made(self, name: str, fill: Callable[[Path], None]) -> Iterator[Path]:
        """The same, but filled first where there is none: by one of any number of programs."""
        fd = None
        while fd is None:
            fd = _hold(self.path(name), wait=True) or self._make(name, fill)
        try:
            yield self.path(name)
        finally:
            os.close(fd)

    def discard(self, folder: Path) -> None:
        """Remove a folder that is held."""
        self._making.mkdir(mode=0o700, parents=True, exist_ok=True)
        away = self._making / f"{folder.name}.gone.{token_hex(8)}"
        folder.rename(away)
        shutil.rmtree(away)

    def sweep(self) -> None:
        """Remove what killed programs left behind."""
        for folder in self._making.glob("*"):
            try:
                fd = _hold(folder, wait=False)
            except BlockingIOError:
                continue  # somebody is at work in it
            if fd is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(fd)

    def _make(self, name: str, fill: Callable[[Path], None]) -> int | None:
        """The lock of the new folder; None when somebody else was faster, or swept it away too early."""
        self._making.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._machines.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = Path(mkdtemp(prefix=f"{name}.", dir=self._making))
        fd = _hold(draft, wait=True)
        if fd is None:
            return None
        try:
            fill(draft)
            draft.rename(self.path(name))
        except BaseException as exc:
            shutil.rmtree(draft, ignore_errors=True)
            os.close(fd)
            if isinstance(exc, OSError) and self.path(name).exists():
                return None
            raise
        return fd


def _hold(folder: Path, wait: bool) -> int | None:
    """The descriptor that holds the lock; None when the folder is not there."""
    while True:
        try:
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            os.close(fd)
            raise
        if _is_still(folder, fd):
            return fd
        os.close(fd)  # while we waited it was removed, and perhaps made anew


def _is_still(folder: Path, fd: int) -> bool:
    try:
        return os.path.samestat(folder.stat(), os.fstat(fd))
    except FileNotFoundError:
        return False
