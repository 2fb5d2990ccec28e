"""OneForm drivers for people and the API: which there are, what each asks for, and whether it may be used.

A driver is known from the first look on; `sync` takes note of its content, so that a change shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from onecore.deps import Deps
from onecore.document import Document
from onecore.errors import NotAuthorized, WrongState
from oneprovision import oneform_store
from oneprovision.folders import Folders, Found, search_path
from oneprovision.model import jinja
from oneprovision.model.folder import PREFIX, Deployment, Folder, bare
from oneprovision.oneform_store import DriverState, KnownDriver


@dataclass(frozen=True)
class Seen:
    """A driver as it is now, beside what is known of it. `changed`: not the content that was last seen."""

    found: Found
    state: DriverState
    changed: bool = False

    @property
    def name(self) -> str:
        return self.found.name

    @property
    def folder(self) -> Folder | None:
        return self.found.folder


@dataclass(frozen=True)
class Synced:
    """The drivers that are in order, and why others are not, by name."""

    success: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]


def every(deps: Deps, enabled: bool = False) -> list[Seen]:
    """Every driver in effect; only those that may be used, if so asked."""
    with deps.database.read() as tx:
        known = oneform_store.drivers(tx)
    seen = [_seen(found, known.get(found.name)) for found in _folders(deps).list()]
    return [each for each in seen if not enabled or each.state is DriverState.ENABLED]


def one(deps: Deps, name: str) -> Seen:
    """The driver of that name; NotFound, or what is wrong with it."""
    folder = _folders(deps).get(name)
    with deps.database.read() as tx:
        known = oneform_store.drivers(tx).get(folder.name)
    return _seen(Found(folder.name, folder.origin, folder.path, folder), known)


def off(deps: Deps) -> frozenset[str]:
    """The drivers, as providers name them, of which nothing new may be ordered."""
    return frozenset(PREFIX + each.name for each in every(deps) if each.state is not DriverState.ENABLED)


def sync(deps: Deps) -> Synced:
    """Look at every driver and take note of its content; one that was disabled stays so."""
    _require_admin(deps)
    seen = every(deps)
    now = deps.clock.now()
    with deps.database.begin() as tx:
        before = oneform_store.drivers(tx)
        for name in before.keys() - {each.name for each in seen}:
            oneform_store.forget_driver(tx, name)
        for each in seen:
            state = DriverState.ERROR if each.folder is None else each.state
            checksum = each.folder.checksum if each.folder else ""
            known = KnownDriver(each.name, state, checksum, each.found.problem, now)
            oneform_store.save_driver(tx, known)
    return Synced(
        tuple(each.name for each in seen if each.folder),
        tuple((each.name, each.found.problem) for each in seen if not each.folder),
    )


def summary(synced: Synced) -> Document:
    """As OneForm answers it."""
    failed = [{"name": name, "error": problem} for name, problem in synced.failed]
    return {"success": list(synced.success), "failed": failed}


def enable(deps: Deps, name: str) -> None:
    _switch(deps, name, DriverState.ENABLED)


def disable(deps: Deps, name: str) -> None:
    """Nothing new is ordered from it; what it made is not touched."""
    _switch(deps, name, DriverState.DISABLED)


def document(seen: Seen) -> Document:
    """The driver as OneForm serves it."""
    folder = seen.folder
    if folder is None:
        return {
            "name": seen.name,
            "state": DriverState.ERROR.value,
            "registry": seen.found.origin,
            "system_path": str(seen.found.path),
            "error_msg": seen.found.problem,
        }
    return {
        "name": folder.name,
        "description": folder.description,
        "state": seen.state.value,
        "registry": folder.origin,
        "version": folder.version,
        "system_path": str(folder.path),
        "checksum": folder.checksum,
        "changed": seen.changed,
        "fireedge": dict(folder.fireedge),
        "connection": [each.to_document() for each in folder.connection],
        "user_inputs": [each.to_document() for each in folder.inputs],
        "deployment_confs": [_deployment(folder, each) for each in folder.deployments],
    }


def pool(seen: Sequence[Seen]) -> list[Document]:
    return [document(each) for each in seen]


def _deployment(folder: Folder, deployment: Deployment) -> Document:
    values = {each.name: each.default for each in folder.user_inputs(deployment)}
    described = jinja.objects(deployment, values)
    return {
        "name": deployment.title,
        "description": deployment.description,
        "inventory": deployment.name,
        "onedeploy_tags": deployment.onedeploy_tags,
        "user_inputs": [each.to_document() for each in deployment.inputs],
        "template_path": str(deployment.path),
        "one_objects": {
            "cluster": {},
            "hosts": [],
            **{
                kind: [
                    {"name": each["name"], "template": {k: v for k, v in each.items() if k != "name"}}
                    for each in objects
                ]
                for kind, objects in described.items()
            },
        },
    }


def _switch(deps: Deps, name: str, state: DriverState) -> None:
    _require_admin(deps)
    seen = one(deps, bare(name))
    if seen.state is state:
        raise WrongState(f"OneForm driver '{seen.name}' is {state.value} already")
    checksum = seen.folder.checksum if seen.folder else ""
    with deps.database.begin() as tx:
        known = oneform_store.drivers(tx).get(seen.name)
        kept = known.checksum if known else checksum
        oneform_store.save_driver(tx, KnownDriver(seen.name, state, kept, "", deps.clock.now()))


def _seen(found: Found, known: KnownDriver | None) -> Seen:
    if found.folder is None:
        return Seen(found, DriverState.ERROR)
    disabled = known is not None and known.state is DriverState.DISABLED
    changed = known is not None and bool(known.checksum) and known.checksum != found.folder.checksum
    return Seen(found, DriverState.DISABLED if disabled else DriverState.ENABLED, changed)


def _folders(deps: Deps) -> Folders:
    return Folders(search_path(deps.settings.remotes))


def _require_admin(deps: Deps) -> None:
    if not deps.principal.is_admin:
        raise NotAuthorized("only members of the group oneadmin may change drivers", hint="ask oneadmin")
