"""An order from a driver folder that is only tried: checked as `create` would, and planned."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from onecore.deps import Deps
from onecore.tofu_output import Change
from oneprovision.engines.order import connection_of
from oneprovision.engines.rehearsal import planned
from oneprovision.folders import open_catalog
from oneprovision.model import oneform
from oneprovision.model.folder import Folder
from oneprovision.model.spec import ProvisionSpec
from oneprovision.usecases import provisions
from oneprovision.usecases.oneform import Checked, CreateFromFolder, checked, folder_of


def check(deps: Deps, request: CreateFromFolder) -> ProvisionSpec:
    """What the order would make. Raises what is wrong with the folder, the values or the account."""
    return _rehearsed(deps, request)[1]


def plan(deps: Deps, request: CreateFromFolder) -> tuple[ProvisionSpec, Sequence[Change]]:
    """The same, with what OpenTofu would do."""
    ready, spec = _rehearsed(deps, request)
    connection = connection_of(deps, request.provider_id, ready.folder)
    secrets = _secrets(ready, connection)
    deps.conceal(secrets)
    tags = {
        "provision_id": "0",
        "provider_id": "" if request.provider_id is None else str(request.provider_id),
        "driver": ready.folder.name,
        "owner": ready.order.owner,
    }
    variables = oneform.variables(ready.folder, {**ready.values, **connection}, tags)
    return spec, planned(deps, ready.folder, variables, secrets).changes


def with_folder(deps: Deps, path: Path) -> Deps:
    """Where the driver folder at `path` is found by its name before any other."""
    first = [("named", path.resolve().parent)]
    return replace(deps, find_drivers=lambda: open_catalog(deps.settings, first))


def _rehearsed(deps: Deps, request: CreateFromFolder) -> tuple[Checked, ProvisionSpec]:
    folder: Folder = folder_of(deps, request.driver)
    ready = checked(deps, request, folder)
    return ready, provisions.preview(deps, ready.template, "", request.provider_id)


def _secrets(ready: Checked, connection: dict[str, object]) -> tuple[str, ...]:
    known = [value for name, value in connection.items() if name in ready.folder.secret_connection]
    return tuple(str(value) for value in [*known, *ready.secret.values()])
