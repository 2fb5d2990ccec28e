"""Finds drivers on the search path, and vouches that only root or we can have changed them."""

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import starmap
from pathlib import Path

from onecore.drivers.manifest import ACTIONS, EXTENSIONS, FILE_NAME, Manifest, load_manifest
from onecore.errors import DriverFailed, InvalidInput, NotFound, OneError

BUILT_IN = "built in"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True)
class Driver:
    """A driver that may be run. `path` is its folder inside the registry, `origin` who put it on the path."""

    name: str
    path: Path
    origin: str
    manifest: Manifest

    def executable(self, action: str) -> Path:
        """The program behind an action or a declared extension, safe to run."""
        if action not in ACTIONS and not self.can(action):
            raise DriverFailed(
                f"driver '{self.name}' cannot {action}: it does not declare the extension",
                hint=f"an executable '{action}' is used when {FILE_NAME} lists it under extensions",
            )
        program = self.path / action
        problem = _program_problem(program, self.path.parent)
        if problem:
            raise DriverFailed(f"driver '{self.name}' cannot {action}: {problem}", hint=_hint(problem))
        return program

    def can(self, extension: str) -> bool:
        return extension in self.manifest.extensions

    def problems(self) -> tuple[str, ...]:
        """What keeps the driver from being whole; a machine made with it might not be removable."""
        used = [*ACTIONS, *(name for name in EXTENSIONS if self.can(name))]
        found = (_program_problem(self.path / name, self.path.parent) for name in used)
        return tuple(problem for problem in found if problem)

    def require_whole(self) -> None:
        """To be asked before the first machine is made."""
        problems = self.problems()
        if problems:
            raise DriverFailed(
                f"driver '{self.name}' is not whole: {'; '.join(problems)}",
                hint="every one of " + ", ".join(ACTIONS) + " has to be executable",
            )


@dataclass(frozen=True)
class Entry:
    """A line of the catalog: a driver, or the folder that would be one and why it is not (or not wholly)."""

    name: str
    origin: str
    path: Path
    driver: Driver | None
    problem: str = ""


class Catalog:
    """The drivers on a search path of (origin, folder that holds `pm/`); the first that has a name wins.

    `further` finds the drivers of another kind: those whose names have a '/'.
    """

    def __init__(
        self, search: Sequence[tuple[str, Path]], further: Callable[[str], Driver] | None = None
    ) -> None:
        self._further = further
        self._search = [(origin, Path(os.path.realpath(folder / "pm"))) for origin, folder in search]
        self._manifests: dict[Path, tuple[_Version, Manifest]] = {}

    def get(self, name: str) -> Driver:
        """The driver, checked anew at every call. A broken first match is an error, never passed over."""
        if self._further is not None and _is_of_a_kind(name):
            return self._further(name)
        if not NAME.fullmatch(name):
            raise InvalidInput(
                f"{name[:80]!a} is no driver name",
                hint="a name has letters a-z, digits, '.', '_', '-', and at most 63 of them",
            )
        for origin, registry in self._search:
            if os.path.lexists(registry / name):
                return self._load(name, origin, registry)
        raise NotFound(
            f"there is no driver '{name}'", hint="`oneprovision driver list` shows what there is and where"
        )

    def list(self) -> tuple[Entry, ...]:
        """Every driver in effect by name, the broken ones with their problem."""
        entries: dict[str, Entry] = {}
        for origin, registry in self._search:
            for name in _folders(registry):
                if name not in entries:
                    entries[name] = self._entry(name, origin, registry)
        return tuple(entries[name] for name in sorted(entries))

    def _entry(self, name: str, origin: str, registry: Path) -> Entry:
        path = registry / name
        if not NAME.fullmatch(name):
            return Entry(ascii(name)[1:-1], origin, path, None, "the folder's name is no driver name")
        try:
            driver = self._load(name, origin, registry)
        except OneError as exc:
            return Entry(name, origin, path, None, exc.message)
        return Entry(name, origin, path, driver, "; ".join(driver.problems()))

    def _load(self, name: str, origin: str, registry: Path) -> Driver:
        path = registry / name
        problem = _folder_problem(path, registry)
        if problem:
            raise DriverFailed(f"driver '{name}' is refused: {problem}", hint=_hint(problem))
        return Driver(name, path, origin, self._manifest(path / FILE_NAME, name))

    def _manifest(self, file: Path, name: str) -> Manifest:
        """Reading YAML costs a hundred times more than a look at the file's times."""
        try:
            status = file.stat()
        except FileNotFoundError:
            return Manifest(name)
        if not stat.S_ISREG(status.st_mode):  # to open a pipe would be to wait for ever
            raise DriverFailed(f"driver '{name}' is refused: {file} is not a file")
        version = (status.st_ino, status.st_mtime_ns, status.st_size)
        known = self._manifests.get(file)
        if known is None or known[0] != version:
            known = version, load_manifest(file, name)
            self._manifests[file] = known
        return known[1]


def driver_at(path: Path) -> Driver:
    """The driver in a folder anywhere, for who writes one; the folder above is its registry."""
    whole = Path(os.path.realpath(path))
    if not whole.is_dir():
        raise NotFound(f"there is no driver folder {path}")
    if not NAME.fullmatch(whole.name):
        raise InvalidInput(f"{whole.name!a} is no driver name", hint="rename the folder")
    return Catalog([])._load(whole.name, str(whole.parent), whole.parent)


def search_path(named: Sequence[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """The whole search path: what the user named, the two places of a system, what we bring along."""
    system = [(folder, Path(folder)) for folder in ("/etc/one/remotes", "/var/lib/one/remotes")]
    return [*named, *system, (BUILT_IN, builtin_remotes())]


def builtin_remotes() -> Path:
    """The remotes we bring along: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "remotes"
    return installed if installed.is_dir() else package.parent / "drivers" / "remotes"


def _is_of_a_kind(name: str) -> bool:
    """`<kind>/<name>`, and nothing that could walk the file system."""
    parts = name.split("/")
    return len(parts) == 2 and all(NAME.fullmatch(part) for part in parts)


_Version = tuple[int, int, int]
_WRITABLE = "is writable by group or others"
_FOREIGN = "belongs to neither root nor you"
_NOT_EXECUTABLE = "driver action script not executable"


def _folders(registry: Path) -> Iterator[str]:
    try:
        with os.scandir(registry) as entries:
            names = sorted(
                e.name for e in entries if not e.name.startswith(".") and (e.is_symlink() or e.is_dir())
            )
    except OSError:  # a place on the search path need not exist
        return
    yield from names


def _folder_problem(path: Path, registry: Path) -> str:
    """Everything in the folder counts, because the executables read it (libraries, tables)."""
    if not Path(os.path.realpath(path)).is_relative_to(registry):
        return f"{path} leads out of {registry}"
    if not path.is_dir():
        return f"{path} is not a folder"
    try:
        with os.scandir(path) as entries:
            inside = [(entry.path, entry.stat()) for entry in entries if not entry.is_symlink()]
        # Who can write the registry can put another folder in the driver's place.
        found = (_registry_problem(registry), _trust_problem(path), *starmap(_distrust, inside))
    except OSError as exc:
        return f"{exc.filename}: {exc.strerror}"
    return next((problem for problem in found if problem), "")


def _program_problem(program: Path, registry: Path) -> str:
    if not os.path.lexists(program):
        return f"{program} is missing"
    real = Path(os.path.realpath(program))
    if not real.is_relative_to(registry):
        return f"{program} leads out of {registry}"
    if not real.is_file():
        return f"{program} is not a file"
    if not os.access(real, os.X_OK):
        return f"{_NOT_EXECUTABLE}: {program}"
    return _trust_problem(real)


def _registry_problem(registry: Path) -> str:
    """In a sticky folder, such as /tmp, nobody can replace what belongs to somebody else."""
    return "" if registry.stat().st_mode & stat.S_ISVTX else _trust_problem(registry)


def _trust_problem(path: Path) -> str:
    return _distrust(str(path), path.stat())


def _distrust(path: str, status: os.stat_result) -> str:
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{path} {_WRITABLE}"
    if status.st_uid not in (0, os.geteuid(), _installer()):
        return f"{path} {_FOREIGN}"
    return ""


@cache
def _installer() -> int:
    """Whoever installed this very program is trusted with as much already."""
    return Path(__file__).stat().st_uid


def _hint(problem: str) -> str:
    if _WRITABLE in problem:
        return "take the permission away: chmod go-w"
    if _NOT_EXECUTABLE in problem:
        return "give the permission: chmod 755"
    return "`oneprovision driver list` shows every driver with its problem"
