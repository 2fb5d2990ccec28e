"""Create a provision, or see what would be created."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from onecore.access import DEFAULT_PERMISSIONS, Right, check
from onecore.deps import Deps
from onecore.errors import InvalidInput
from onecore.ids import ProvisionId
from onecore.notice import Notice
from onecore.store import lease, providers
from oneprovision import enrolment, readiness, store
from oneprovision.engines.registrar import Registrar
from oneprovision.model.folder import bare, is_oneform
from oneprovision.model.instance import is_instance
from oneprovision.model.names import check_provision_name
from oneprovision.model.provision import Options, Provision
from oneprovision.model.shapes import text_of
from oneprovision.model.spec import ProvisionSpec
from oneprovision.model.states import State
from oneprovision.usecases.rights import as_resource
from oneprovision.usecases.work import holding


@dataclass(frozen=True)
class CreateProvision:
    """A prepared template, and how to carry it out. `folder`: it was written from a driver folder."""

    template: Mapping[str, object]
    name: str = ""
    provider_id: int | None = None
    options: Options = field(default_factory=Options)
    inputs: Mapping[str, object] = field(default_factory=dict)
    folder: bool = False


def create(deps: Deps, request: CreateProvision) -> Provision:
    """Record the provision and carry it out. Whatever is wrong with the template is said before anything
    is recorded; DriverFailed when it did not come to RUNNING."""
    name = check_provision_name(request.name or text_of(request.template.get("name")))
    now = deps.clock.now()
    draft = Provision(
        id=ProvisionId(0),
        name=name,
        uid=deps.principal.user_id,
        gid=deps.principal.group_id,
        permissions=DEFAULT_PERMISSIONS.bits,
        state=State.PENDING,
        provider_id=request.provider_id,
        template=request.template,
        inputs=request.inputs,
        options=request.options,
        description=text_of(request.template.get("description")),
        created_at=now,
    )
    spec = _check(deps, draft)
    if not request.folder:
        _refuse_folders(spec)
    _require_usable_provider(deps, draft)
    # An instance that nobody waits for may let in others than us.
    if not request.folder and (deps.waits or not is_instance(draft)):
        readiness.check_keys(deps, spec.hosts)
    Registrar.of(deps)  # it can be asked, before anything is made
    with deps.database.begin() as tx:
        if draft.provider_id is not None:
            providers.get(tx, draft.provider_id)  # it may have been deleted since it was checked
        provision = replace(draft, id=ProvisionId(tx.next_id("provision")))
        store.insert(tx, provision)
        held = lease.claim(tx, provision.key, "create", now, deps.process)
        if not deps.waits:
            lease.release(tx, held)
    deps.notify(Notice(now, f"provision {provision.id}", f"accepted as '{name}'"))
    if not deps.waits:
        return provision
    with holding(deps, held, provision) as controller:
        return controller.concluded()


def preview(
    deps: Deps, template: Mapping[str, object], name: str = "", provider_id: int | None = None
) -> ProvisionSpec:
    """The provision that the template describes, checked as `create` would; nothing is recorded."""
    draft = Provision(
        id=ProvisionId(0),
        name=check_provision_name(name or text_of(template.get("name"))),
        uid=deps.principal.user_id,
        gid=deps.principal.group_id,
        permissions=DEFAULT_PERMISSIONS.bits,
        state=State.PENDING,
        provider_id=provider_id,
        template=template,
        inputs={},
    )
    return _check(deps, draft)


def _check(deps: Deps, draft: Provision) -> ProvisionSpec:
    spec = enrolment.previewed(draft, enrolment.defaults(deps, draft.provider_id))
    enrolment.check_drivers(deps, spec)
    return spec


def _refuse_folders(spec: ProvisionSpec) -> None:
    """Only an order can say what a driver folder needs to know."""
    for host in spec.hosts:
        if is_oneform(host.driver):
            raise InvalidInput(
                f"host {host.name}: '{host.driver}' is a driver folder and takes no template",
                hint=f"order from it: oneprovision create {bare(host.driver)} inputs.json",
            )


def _require_usable_provider(deps: Deps, draft: Provision) -> None:
    if draft.provider_id is not None:
        with deps.database.read() as tx:
            check(deps.principal, as_resource(tx, providers.get(tx, draft.provider_id)), Right.USE)
