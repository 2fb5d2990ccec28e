"""Drivers for people: which there are, what each declares, and whether one keeps the protocol."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from onecore import process
from onecore.config import Settings
from onecore.drivers.catalog import Catalog, Driver, Entry, driver_at
from onecore.drivers.manifest import ACTIONS
from onecore.drivers.roles import spellings, unanswered
from onecore.errors import InvalidInput
from onecore.process import Command, Outcome

if TYPE_CHECKING:
    from onecore.drivers.conformance import Report

Document = dict[str, object]


@dataclass(frozen=True)
class Examine:
    """Which driver (a folder, or a name), with which provision parameters, and how long to be patient:
    `deadline_s` is for one call, and for a machine to reach a state."""

    driver: str
    parameters: Mapping[str, str]
    deadline_s: float


def every(catalog: Catalog) -> tuple[Entry, ...]:
    return catalog.list()


def summary(entry: Entry) -> Document:
    """A line of the list."""
    manifest = entry.driver.manifest if entry.driver else None
    return {
        "name": entry.name,
        "description": manifest.description if manifest else "",
        "origin": entry.origin,
        "path": str(entry.path),
        "extensions": sorted(manifest.extensions) if manifest else [],
        "state": state(entry),
        "problem": entry.problem,
    }


def state(entry: Entry) -> str:
    return "ERROR" if entry.problem else "ENABLED"


def document(catalog: Catalog, name: str) -> Document:
    """Everything that a driver declares; a broken one is refused with its problem."""
    driver = catalog.get(name)
    manifest = driver.manifest
    return {
        "name": driver.name,
        "description": manifest.description,
        "origin": driver.origin,
        "path": str(driver.path),
        "state": "ERROR" if driver.problems() else "ENABLED",
        "problem": "; ".join(driver.problems()),
        "ssh": manifest.ssh,
        "idempotent": manifest.idempotent,
        "inputs": dict(manifest.inputs or {}),
        "secrets": dict(manifest.secrets),
        "settings": dict(manifest.settings),
        "extensions": sorted(manifest.extensions),
        "limits": asdict(manifest.limits),
        "executables": _executables(driver),
    }


def examine(settings: Settings, catalog: Catalog, request: Examine) -> "Report":
    """Take one machine of the driver through its whole life, in a state folder of its own. The secrets of
    the driver are those that the environment holds."""
    # lazy: only an examination needs them
    from tempfile import TemporaryDirectory

    from onecore.drivers import conformance
    from onecore.drivers.secrecy import masked_text

    driver = _driver(catalog, request.driver)
    _check_parameters(driver, request.parameters)
    account = settings.account_from_environment(driver.manifest.variables)
    setting = conformance.Setting(
        base_path=settings.base_environment.get("PATH", "/usr/bin:/bin"),
        secrets=account,
        deadline_s=request.deadline_s,
        every_s=min(1.0, request.deadline_s / 10),
    )

    def run(command: Command) -> Outcome:
        return process.run(replace(command, timeout_s=min(command.timeout_s, request.deadline_s)))

    with TemporaryDirectory(prefix="oneprovision-") as folder:
        report = conformance.check(driver, Path(folder), request.parameters, run, setting)
    hidden = driver.manifest.hidden(account)
    clean = (replace(check, detail=masked_text(check.detail, hidden)) for check in report.checks)
    return replace(report, checks=tuple(clean))


def parameters_of(sets: tuple[str, ...]) -> dict[str, str]:
    """`name=value` texts as parameters."""
    pairs = [text.partition("=") for text in sets]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise InvalidInput(f"--set {name!r} has no '='", hint="as in: --set plan=small")
    return {name.lower(): value for name, _, value in pairs}


def _executables(driver: Driver) -> dict[str, str]:
    actions = (*ACTIONS, *sorted(driver.manifest.extensions))
    return {action: str(driver.path / action) for action in actions if (driver.path / action).exists()}


def _driver(catalog: Catalog, selector: str) -> Driver:
    """A folder is meant where there is a slash, or where it holds what every driver has."""
    folder = Path(selector)
    if "/" in selector or selector in (".", "..") or (folder / "deploy").is_file():
        return driver_at(folder)
    return catalog.get(selector)


def _check_parameters(driver: Driver, parameters: Mapping[str, str]) -> None:
    schema = driver.manifest.inputs
    if schema is not None:
        from onecore.schema import validate_value  # lazy: brings jsonschema

        # Place, size and system are chosen later where they are not given.
        later = {name for role in unanswered(schema, parameters) for name in spellings(schema, role)}
        required = [name for name in cast("list[str]", schema.get("required", [])) if name not in later]
        validate_value(
            dict(parameters), {**schema, "required": required}, f"parameters of driver {driver.name}"
        )
