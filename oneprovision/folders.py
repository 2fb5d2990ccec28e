"""Finds and reads OneForm driver folders; whatever is wrong with one is said with its file."""

import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from onecore.config import Settings
from onecore.drivers.catalog import BUILT_IN, NAME, Catalog, Driver
from onecore.drivers.catalog import search_path as pm_search_path
from onecore.drivers.manifest import Limits, Manifest
from onecore.errors import DriverFailed, InvalidInput, NotFound, OneError
from oneprovision.model import hcl, jinja
from oneprovision.model.folder import IPAM_SCRIPTS, Deployment, Folder, Input, bare, is_oneform
from oneprovision.model.settings import FormSettings
from oneprovision.model.shapes import mapping_at, text_of

REQUIRED = (
    "driver.conf",
    *(f"terraform/{name}.tf" for name in ("main", "outputs", "provider", "variables")),
    *(f"ansible/{name}" for name in ("ansible.cfg", "inventory.yaml", "site.yaml")),
)
OUTPUT = "provisioned_hosts"
LARGEST = 1024 * 1024


@dataclass(frozen=True)
class Found:
    """A folder on the search path: the driver in it, or why it is none."""

    name: str
    origin: str
    path: Path
    folder: Folder | None
    problem: str = ""


@dataclass(frozen=True)
class FolderDriver(Driver):
    """A driver folder in the place of a pm driver: what is asked of every driver has an answer."""

    folder: Folder

    def executable(self, action: str) -> Path:
        raise DriverFailed(f"driver '{self.name}' is a folder and has no program for {action}")

    def can(self, extension: str) -> bool:
        return extension == "allocate_ip" and self.folder.ipam is not None

    def problems(self) -> tuple[str, ...]:
        """None: a folder that is not whole is refused when it is read."""
        return ()


class Folders:
    """The driver folders on a search path of (origin, folder of folders); the first that has a name wins."""

    def __init__(self, search: Sequence[tuple[str, Path]]) -> None:
        self._search = search
        self._read: dict[str, Folder] = {}

    def get(self, name: str) -> Folder:
        """The driver, by its name with or without `oneform/`; raises NotFound, or what is wrong with it."""
        if "/" in name and not is_oneform(name):
            raise InvalidInput(f"{name[:80]!a} is no driver name", hint="see: oneprovision driver list")
        name = bare(name)
        if name not in self._read:
            self._read[name] = self._find(name)
        return self._read[name]

    def has(self, name: str) -> bool:
        return any((place / bare(name)).is_dir() for _, place in self._search)

    def list(self) -> tuple[Found, ...]:
        """Every driver in effect by name, the broken ones with their problem."""
        found: dict[str, Found] = {}
        for origin, place in self._search:
            for path in sorted(place.iterdir()) if place.is_dir() else ():
                if path.is_dir() and not path.name.startswith(".") and path.name not in found:
                    found[path.name] = _found(path, origin)
        return tuple(found[name] for name in sorted(found))

    def _find(self, name: str) -> Folder:
        if not NAME.fullmatch(name):
            raise InvalidInput(f"{name[:80]!a} is no driver name")
        for origin, place in self._search:
            if (place / name).is_dir():
                return read_folder(place / name, origin)
        raise NotFound(f"there is no OneForm driver '{name}'", hint="see: oneprovision driver list")


def search_path(named: Sequence[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """Beside `pm/` in each place for drivers; where OneForm keeps them; what we bring along."""
    beside = [(origin, folder / "oneform") for origin, folder in named]
    system = [Path("/etc/one/oneform"), Path("/usr/lib/one/oneform/drivers")]
    registries = sorted(_folders_in(Path("/var/lib/one/oneform/drivers")))
    return [*beside, *((str(p), p) for p in (*system, *registries)), (BUILT_IN, builtin())]


def builtin() -> Path:
    """The folders we bring along: inside the installed package, or beside it in a checkout."""
    import onecore

    package = Path(onecore.__file__).resolve().parent
    installed = package / "oneform"
    return installed if installed.is_dir() else package.parent / "drivers" / "oneform"


def open_catalog(settings: Settings, first: Sequence[tuple[str, Path]] = ()) -> Catalog:
    """The pm drivers, and under `oneform/<name>` the driver folders; those in `first` before any other."""
    folders = Folders([*first, *search_path(settings.remotes)])
    return Catalog(pm_search_path(settings.remotes), lambda name: as_driver(folders.get(name)))


def as_driver(folder: Folder) -> FolderDriver:
    manifest = Manifest(
        name=folder.key,
        description=folder.description,
        ssh=folder.ssh,
        idempotent=folder.idempotent,
        limits=Limits(timeout_s=folder.timeout_s or FormSettings.command_timeout),
    )
    return FolderDriver(folder.key, folder.path, folder.origin, manifest, folder)


def read_folder(path: Path, origin: str) -> Folder:
    """The driver in a folder; raises DriverFailed or InvalidInput with what is wrong and where."""
    path = Path(os.path.realpath(path))
    _refuse_incomplete(path)
    _refuse_writable(path)
    conf = mapping_at(_yaml(path / "driver.conf"), ("driver.conf",))
    ours = mapping_at(conf.get("onesuite"), ("driver.conf", "onesuite"))
    inputs, connection = _inputs(path)
    return Folder(
        name=path.name,
        path=path,
        origin=origin,
        title=text_of(conf.get("name")) or path.name,
        description=text_of(conf.get("description")),
        version=text_of(conf.get("version")),
        fireedge=mapping_at(conf.get("fireedge"), ("driver.conf", "fireedge")),
        connection=connection,
        inputs=inputs,
        deployments=_deployments(path),
        checksum=checksum(path),
        idempotent=ours.get("idempotent") is True,
        ssh=ours.get("ssh") is True,
        timeout_s=float(text_of(ours.get("timeout")) or 0.0),
    )


def checksum(path: Path) -> str:
    """Of the names, modes and contents of every file in a folder."""
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        executable = bool(file.stat().st_mode & stat.S_IXUSR)
        digest.update(f"{file.relative_to(path)}\0{int(executable)}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _found(path: Path, origin: str) -> Found:
    try:
        if not NAME.fullmatch(path.name):
            return Found(ascii(path.name)[1:-1], origin, path, None, "the folder's name is no driver name")
        return Found(path.name, origin, path, read_folder(path, origin))
    except OneError as exc:
        return Found(path.name, origin, path, None, exc.message)


def _inputs(path: Path) -> tuple[tuple[Input, ...], tuple[Input, ...]]:
    """What variables.tf and provider.tf ask for: the provision's inputs, and the provider's connection."""
    terraform = path / "terraform"
    matches = {}
    if (terraform / "validators.tf").is_file():
        matches = hcl.validators(_hcl(terraform / "validators.tf"), "validators.tf")
    inputs = hcl.variables(_hcl(terraform / "variables.tf"), matches)
    connection = hcl.variables(_hcl(terraform / "provider.tf"), matches)
    if OUTPUT not in hcl.outputs(_hcl(terraform / "outputs.tf")):
        raise DriverFailed(
            f"{terraform / 'outputs.tf'} has no output '{OUTPUT}'",
            hint="it is the list of {instance_id, instance_ip} that the hosts are known by",
        )
    return tuple(inputs), tuple(connection)


def _deployments(path: Path) -> tuple[Deployment, ...]:
    templates = sorted((path / "ansible" / "templates").glob("*.j2"))
    if not templates:
        raise DriverFailed(f"{path / 'ansible' / 'templates'} holds no template (*.j2)")
    return tuple(jinja.parse_template(file, _text(file)) for file in templates)


def _refuse_incomplete(path: Path) -> None:
    missing = [name for name in REQUIRED if not (path / name).is_file()]
    scripts = [n for n in IPAM_SCRIPTS if (path / "ipam").is_dir() and not (path / "ipam" / n).is_file()]
    missing += [f"ipam/{name}" for name in scripts]
    if missing:
        raise DriverFailed(
            f"driver folder {path} is not whole: {', '.join(missing)} missing",
            hint="the layout is described in docs/reference/oneform-drivers.md",
        )


def _refuse_writable(path: Path) -> None:
    """What group or others can write is not run with the credentials of a provider."""
    for each in (path, *path.rglob("*")):
        status = each.lstat()
        if stat.S_ISLNK(status.st_mode):
            if not Path(os.path.realpath(each)).is_relative_to(path):
                raise DriverFailed(f"{each} leads out of the driver folder")
        elif status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise DriverFailed(
                f"{each} is writable by group or others",
                hint=f"take the permission away: chmod -R go-w {path}",
            )


def _hcl(file: Path) -> hcl.Tree:
    return hcl.parse_hcl(_text(file), str(file))


def _yaml(file: Path) -> Mapping[str, object]:
    from onecore.schema import load_text  # lazy: brings PyYAML

    return mapping_at(load_text(_text(file), str(file)).data, (file.name,))


def _text(file: Path) -> str:
    if file.stat().st_size > LARGEST:
        raise InvalidInput(f"{file} is larger than {LARGEST} bytes")
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as exc:
        raise InvalidInput(f"{file} is not UTF-8 text") from exc


def _folders_in(place: Path) -> list[Path]:
    return [p for p in place.iterdir() if p.is_dir() and p.name != ".states"] if place.is_dir() else []
