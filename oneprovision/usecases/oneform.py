"""Order a provision from a driver folder: which folder, which deployment, which values; then as any other."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from onecore.access import Right, check
from onecore.deps import Deps
from onecore.errors import InvalidInput, NotAuthorized, NotFound, WrongState
from onecore.ids import machine_name
from onecore.store import providers
from onecore.vault import seal
from oneprovision import oneform_store
from oneprovision.engines.place import keep_copy, kept_folder, stored_state
from oneprovision.engines.program import program
from oneprovision.folders import FolderDriver
from oneprovision.model import answers, oneform
from oneprovision.model.folder import (
    HOSTS,
    ONPREM_HOSTS,
    PREFIX,
    TAGS,
    Deployment,
    Folder,
    bare,
    deployment_named,
    is_oneform,
)
from oneprovision.model.order import Order
from oneprovision.model.provision import Options, Provision
from oneprovision.oneform_store import DriverState
from oneprovision.usecases import provisions
from oneprovision.usecases.provisions import CreateProvision
from oneprovision.usecases.rights import as_resource, authorized


@dataclass(frozen=True)
class CreateFromFolder:
    """`values` are the user's inputs by name; without `deployment` the only one is meant."""

    driver: str
    deployment: str = ""
    provider_id: int | None = None
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    name: str = ""
    description: str = ""
    options: Options = field(default_factory=Options)


@dataclass(frozen=True)
class Checked:
    """An order in which nothing is wrong, and the template that it stands for."""

    folder: Folder
    values: Mapping[str, object] = field(repr=False)
    secret: Mapping[str, object] = field(repr=False)
    order: Order
    template: Mapping[str, object] = field(repr=False)


def create(deps: Deps, request: CreateFromFolder) -> Provision:
    """Record the provision and carry it out; whatever is wrong with the order is said before anything is
    recorded. DriverFailed when it did not come to RUNNING."""
    program(deps.settings)  # raises NotFound: nothing could be made
    ready = checked(deps, request, enabled_folder(deps, request.driver))
    keep_copy(deps, ready.folder)
    return provisions.create(
        deps,
        CreateProvision(
            template=ready.template,
            provider_id=request.provider_id,
            options=request.options,
            folder=True,
        ),
    )


def checked(deps: Deps, request: CreateFromFolder, folder: Folder) -> Checked:
    """The order of the folder, with all its values. Raises what is wrong with it."""
    chosen_deployment(folder, request.deployment)
    _check_provider(deps, folder, request.provider_id)
    return written_out(deps, request, folder)


def written_out(deps: Deps, request: CreateFromFolder, folder: Folder) -> Checked:
    """The same, whatever its provider is."""
    deployment = chosen_deployment(folder, request.deployment)
    given = {name: value for name, value in request.values.items() if name != TAGS}
    values = answers.resolve(folder.user_inputs(deployment), given)
    shown, secret = oneform.secret_values(folder, deployment, values)
    texts = {name: json.dumps(value) for name, value in secret.items()}
    deps.conceal(str(value) for value in secret.values())
    order = Order(
        driver=folder.name,
        deployment=deployment.name,
        checksum=folder.checksum,
        owner=machine_name(deps.random_bytes),
        version=folder.version,
        onedeploy_tags=deployment.onedeploy_tags,
        values={**shown, **_tags(request.values)},
        sealed=seal(deps.settings.home / "key", texts) if texts else "",
        secret=tuple(secret),
    )
    template = oneform.template(folder, deployment, order, values, request.name or deployment.title)
    if request.description:
        template["description"] = request.description
    return Checked(folder, {**values, **_tags(request.values)}, secret, order, template)


def folder_of(deps: Deps, name: str) -> Folder:
    """The driver folder of that name, with or without `oneform/`."""
    driver = deps.catalog.get(name if is_oneform(name) else PREFIX + name)
    if not isinstance(driver, FolderDriver):
        raise InvalidInput(f"'{name}' is not a OneForm driver")
    return driver.folder


def enabled_folder(deps: Deps, name: str) -> Folder:
    """The same, unless it was disabled."""
    folder = folder_of(deps, name)
    with deps.database.read() as tx:
        known = oneform_store.drivers(tx).get(folder.name)
    if known is not None and known.state is DriverState.DISABLED:
        raise WrongState(
            f"OneForm driver '{folder.name}' is disabled",
            hint=f"enable it: oneprovision driver enable {folder.name}",
        )
    return folder


def chosen_deployment(folder: Folder, name: str) -> Deployment:
    known = ", ".join(d.name for d in folder.deployments)
    if not name and len(folder.deployments) == 1:
        return folder.deployments[0]
    if not name:
        raise InvalidInput(
            f"driver '{folder.name}' has several deployments", hint=f"choose one with --deployment: {known}"
        )
    found = deployment_named(folder, name)
    if found is None:
        raise InvalidInput(
            f"driver '{folder.name}' has no deployment '{name[:80]}'", hint=f"its deployments: {known}"
        )
    return found


def state(deps: Deps, provision_id: int) -> str:
    """The OpenTofu state of a provision, secrets included: for members of the group oneadmin."""
    if not deps.principal.is_admin:
        raise NotAuthorized("only members of the group oneadmin may see a state", hint="it has secrets in it")
    with deps.database.read() as tx:
        authorized(tx, deps, provision_id, Right.MANAGE)
        text = stored_state(deps, tx, provision_id).text
    if not text:
        raise NotFound(f"provision {provision_id} has no OpenTofu state")
    return text


def ips_of(provision: Provision, ips: tuple[str, ...], adopts: bool = False) -> tuple[str, ...]:
    """The addresses to adopt; InvalidInput where the provision's hosts are counted instead. `adopts`: its
    hosts are of a pm driver that takes machines which exist."""
    order = Order.of(provision.template)
    by_ip = order is not None and ONPREM_HOSTS in order.values
    if ips and not (by_ip or adopts):
        raise InvalidInput(
            f"provision {provision.id} makes its hosts: it takes an amount", hint="use --amount"
        )
    if by_ip and not ips:
        raise InvalidInput(
            f"provision {provision.id} adopts machines that exist: it takes their addresses",
            hint="use --ips, as in: --ips 192.0.2.7,192.0.2.8",
        )
    return tuple(oneform.addresses(list(ips)))


def check_total(deps: Deps, provision: Provision, total: int) -> None:
    """Refuse more hosts than the driver's own validator allows."""
    order = Order.of(provision.template)
    if order is None or HOSTS not in order.values:
        return
    folder = kept_folder(deps, order.driver, order.checksum)
    asked = [each for each in folder.inputs if each.name == HOSTS]
    answers.resolve(asked, {HOSTS: total} if asked else {})


def _check_provider(deps: Deps, folder: Folder, provider_id: int | None) -> None:
    if provider_id is None:
        if any(each.mandatory for each in folder.connection):
            raise InvalidInput(
                f"driver '{folder.name}' needs the account of a provider",
                hint="name one: --provider-id ID; make one: "
                f"oneprovision provider create --driver {folder.key}",
                context={"provider_id": ["is missing"]},
            )
        return
    with deps.database.read() as tx:
        provider = providers.get(tx, provider_id)
        check(deps.principal, as_resource(tx, provider), Right.USE)
    if provider.driver != folder.key:
        kind = "OneForm" if is_oneform(provider.driver) else "pm"
        raise InvalidInput(
            f"provider {provider_id} is an account of the {kind} driver '{bare(provider.driver)}', "
            f"not of the OneForm driver '{folder.name}'",
            hint=f"make one: oneprovision provider create --driver {folder.key}",
        )


def _tags(values: Mapping[str, object]) -> dict[str, object]:
    tags = values.get(TAGS)
    if tags is None:
        return {}
    if not isinstance(tags, Mapping):
        raise InvalidInput(f"input '{TAGS}' must be a map", context={TAGS: ["must be a map"]})
    return {TAGS: {str(key): str(value) for key, value in tags.items()}}
