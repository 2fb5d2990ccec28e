"""What guests boot from: disk images and kernels, found by name or path, or fetched once from their makers.

An image is a disk in a file (qcow2 or raw), or a folder with `kernel`, `initrd`, `cmdline` and perhaps a
`disk.qcow2`. Under ONE_HOME/qemu/images they have names.
"""

import fcntl
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from onecore.drivers.kit import Failed
from qemu_process import program

SUFFIXES = (".qcow2", ".img", ".raw")
DISK = "disk.qcow2"
FETCH_S = 60.0
CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Image:
    """A disk, or a kernel with what belongs to it, or both."""

    disk: Path | None = None
    kernel: Path | None = None
    initrd: Path | None = None
    cmdline: str = ""


@dataclass(frozen=True)
class Published:
    """An image that its maker publishes, beside a list of checksums as sha256sum and sha512sum print it."""

    name: str
    url: str
    sums: str
    algorithm: str


_DEBIAN = "https://cloud.debian.org/images/cloud/"
_UBUNTU = "https://cloud-images.ubuntu.com/releases/"
PUBLISHED = {
    "debian-12": Published(
        "Debian 12 (bookworm)",
        f"{_DEBIAN}bookworm/latest/debian-12-genericcloud-amd64.qcow2",
        f"{_DEBIAN}bookworm/latest/SHA512SUMS",
        "sha512",
    ),
    "debian-13": Published(
        "Debian 13 (trixie)",
        f"{_DEBIAN}trixie/latest/debian-13-genericcloud-amd64.qcow2",
        f"{_DEBIAN}trixie/latest/SHA512SUMS",
        "sha512",
    ),
    "ubuntu-24.04": Published(
        "Ubuntu 24.04 LTS",
        f"{_UBUNTU}24.04/release/ubuntu-24.04-server-cloudimg-amd64.img",
        f"{_UBUNTU}24.04/release/SHA256SUMS",
        "sha256",
    ),
}


class Images:
    """The images of one local cloud."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[dict[str, object]]:
        """Those that are here, and those that would be fetched."""
        here = {_stem(path): path for path in sorted(self._folder.glob("*")) if _is_image(path)}
        found: list[dict[str, object]] = [
            {"id": name, "name": name, "fetched": True, "path": str(path)} for name, path in here.items()
        ]
        for name, published in PUBLISHED.items():
            if name not in here:
                found.append({"id": name, "name": published.name, "fetched": False, "url": published.url})
        return found

    def get(self, name: str) -> Image:
        """The image, fetched if need be; raises Failed when there is none of that name."""
        path = Path(name) if name.startswith("/") else self._named(name)
        if path is None:
            if name not in PUBLISHED:
                known = ", ".join(str(image["id"]) for image in self.all())
                raise Failed(f"there is no image '{name}' in {self._folder}; known are {known}")
            path = self._fetched(name, PUBLISHED[name])
        if not path.exists():
            raise Failed(f"there is no image {path}")
        return _folder_image(path) if path.is_dir() else Image(disk=path)

    def _named(self, name: str) -> Path | None:
        if "/" in name or name.startswith("."):
            raise Failed(f"image '{name}' is neither a name nor an absolute path")
        candidates = (self._folder / f"{name}{suffix}" for suffix in ("", *SUFFIXES))
        return next((path for path in candidates if _is_image(path)), None)

    def _fetched(self, name: str, published: Published) -> Path:
        """One program fetches, the others wait for it; what is there is whole and has the right checksum."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self._folder / f"{name}.qcow2"
        with _lock(self._folder / f".{name}.lock"):
            if not target.exists():
                part = self._folder / f".{name}.part"
                fetch(published, part)
                part.rename(target)
        return target


def fetch(published: Published, target: Path) -> None:
    """Download the image and compare its checksum with the published one."""
    import requests  # lazy: only a first deploy comes here

    try:
        with requests.get(published.sums, timeout=FETCH_S) as sums:
            sums.raise_for_status()
            wanted = _checksum(sums.text, published.url.rpartition("/")[2])
        digest = hashlib.new(published.algorithm)
        with requests.get(published.url, stream=True, timeout=FETCH_S) as answer, target.open("wb") as file:
            answer.raise_for_status()
            for chunk in answer.iter_content(CHUNK):
                digest.update(chunk)
                file.write(chunk)
    except requests.RequestException as exc:
        raise Failed(f"{published.url} cannot be fetched: {exc}") from exc
    if digest.hexdigest() != wanted:
        target.unlink()
        raise Failed(f"{published.url} has not the checksum that {published.sums} says; try again later")


def overlay(disk: Path, target: Path, disk_mib: int) -> None:
    """A disk that begins as a copy of the other, which is never written to; at least so many MiB large."""
    tool = program("qemu-img", "qemu-utils")
    told = json.loads(_run([tool, "info", "--output=json", str(disk)]))
    size = max(int(told["virtual-size"]), disk_mib * 1024 * 1024)
    options = ["-f", "qcow2", "-F", str(told["format"]), "-b", str(disk.resolve())]
    _run([tool, "create", "-q", *options, str(target), str(size)])


def _run(argv: list[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=FETCH_S, check=False)
    if done.returncode != 0:
        raise Failed(done.stderr.strip() or f"{argv[0]} ended with status {done.returncode}")
    return done.stdout


def _folder_image(folder: Path) -> Image:
    def present(name: str) -> Path | None:
        return folder / name if (folder / name).exists() else None

    cmdline = folder / "cmdline"
    return Image(
        disk=present(DISK),
        kernel=present("kernel"),
        initrd=present("initrd"),
        cmdline=cmdline.read_text().strip() if cmdline.exists() else "",
    )


def _is_image(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    return path.suffix in SUFFIXES if path.is_file() else (path / "kernel").exists() or (path / DISK).exists()


def _stem(path: Path) -> str:
    return path.stem if path.suffix in SUFFIXES else path.name


def _checksum(sums: str, file: str) -> str:
    for line in sums.splitlines():
        checksum, _, name = line.partition(" ")
        if name.strip().lstrip("*") == file:
            return checksum
    raise Failed(f"the list of checksums does not name {file}")


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
