"""Create, find and edit provisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from onecore.access import Permissions, Resource, Right, check
from onecore.errors import InvalidInput, NotAuthorized
from onecore.ids import ProvisionId
from onecore.store import accounts, lease, providers
from oneprovision import enrolment, store
from oneprovision.controller import Controller
from oneprovision.deps import Deps, Notice
from oneprovision.model.names import check_provision_name
from oneprovision.model.provision import Options, Provision
from oneprovision.model.shapes import text_of
from oneprovision.model.spec import ProvisionSpec
from oneprovision.model.states import State
from oneprovision.usecases.work import as_resource, authorized, release

DEFAULT_PERMISSIONS = 0o600


@dataclass(frozen=True)
class CreateProvision:
    """A prepared template, and how to carry it out."""

    template: Mapping[str, object]
    name: str = ""
    provider_id: int | None = None
    options: Options = field(default_factory=Options)
    wait: bool = True
    inputs: Mapping[str, object] = field(default_factory=dict)


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
        permissions=DEFAULT_PERMISSIONS,
        state=State.PENDING,
        provider_id=request.provider_id,
        template=request.template,
        inputs=request.inputs,
        options=request.options,
        description=text_of(request.template.get("description")),
        created_at=now,
    )
    _check(deps, draft)
    _require_usable_provider(deps, draft)
    with deps.database.begin() as tx:
        provision = replace(draft, id=ProvisionId(tx.next_id("provision")))
        store.insert(tx, provision)
        held = lease.claim(tx, provision.key, "create", now, deps.process)
        if not request.wait:
            lease.release(tx, held)
    deps.notify(Notice(now, f"provision {provision.id}", f"accepted as '{name}'"))
    if not request.wait:
        return provision
    try:
        return Controller(deps, held, provision).concluded()
    finally:
        release(deps, held)


def preview(
    deps: Deps, template: Mapping[str, object], name: str = "", provider_id: int | None = None
) -> ProvisionSpec:
    """The provision that the template describes, checked as `create` would; nothing is recorded."""
    draft = Provision(
        id=ProvisionId(0),
        name=check_provision_name(name or text_of(template.get("name"))),
        uid=deps.principal.user_id,
        gid=deps.principal.group_id,
        permissions=DEFAULT_PERMISSIONS,
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


def _require_usable_provider(deps: Deps, draft: Provision) -> None:
    if draft.provider_id is None:
        return
    with deps.database.read() as tx:
        provider = providers.get(tx, draft.provider_id)
        accounts_by_id = {user.id: user.name for user in accounts.users(tx)}
    meant = Resource(
        kind="provider",
        id=provider.id,
        name=provider.name,
        owner_id=provider.uid,
        owner_name=accounts_by_id.get(provider.uid, str(provider.uid)),
        group_id=provider.gid,
        permissions=Permissions(provider.permissions),
    )
    check(deps.principal, meant, Right.USE)


def every(deps: Deps, done: bool = False) -> list[Provision]:
    """Those that the asker may see, without the DONE ones unless asked for."""
    with deps.database.read() as tx:
        seen = []
        for provision in store.every(tx):
            if provision.state is State.DONE and not done:
                continue
            try:
                check(deps.principal, as_resource(tx, provision), Right.USE)
            except NotAuthorized:
                continue
            seen.append(provision)
        return seen


def rename(deps: Deps, provision_id: int, name: str) -> Provision:
    return _edit(deps, provision_id, name=check_provision_name(name))


def update(deps: Deps, provision_id: int, changes: Mapping[str, object]) -> Provision:
    """Change name, description or tags; anything else of a provision is changed by scaling it."""
    unknown = sorted(changes.keys() - {"name", "description", "tags"})
    if unknown:
        raise InvalidInput(
            f"'{unknown[0]}' of a provision cannot be updated", hint="name, description and tags can be"
        )
    fields: dict[str, object] = {}
    if "name" in changes:
        fields["name"] = check_provision_name(text_of(changes["name"]))
    if "description" in changes:
        fields["description"] = text_of(changes["description"])
    if "tags" in changes:
        tags = changes["tags"]
        if not isinstance(tags, Mapping):
            raise InvalidInput("tags have to be a mapping of names to values")
        fields["tags"] = {str(key): text_of(value) for key, value in tags.items()}
    return _edit(deps, provision_id, **fields)


def chmod(deps: Deps, provision_id: int, octet: str) -> Provision:
    return _edit(deps, provision_id, permissions=Permissions.from_octal(octet).bits)


def chown(deps: Deps, provision_id: int, user: str, group: str | None = None) -> Provision:
    """Only an administrator gives things away. `user` and `group` by id or name."""
    _require_admin(deps, "chown")
    with deps.database.read() as tx:
        fields: dict[str, object] = {"uid": accounts.user_id(tx, user)}
        if group is not None:
            fields["gid"] = accounts.group_id(tx, group)
    return _edit(deps, provision_id, **fields)


def chgrp(deps: Deps, provision_id: int, group: str) -> Provision:
    _require_admin(deps, "chgrp")
    with deps.database.read() as tx:
        gid = accounts.group_id(tx, group)
    return _edit(deps, provision_id, gid=gid)


def _edit(deps: Deps, provision_id: int, **fields: object) -> Provision:
    with deps.database.begin() as tx:
        provision = authorized(tx, deps, provision_id, Right.MANAGE)
        changed = replace(provision, **fields)  # type: ignore[arg-type]  # names and types are the callers'
        store.edit(tx, changed)
    return changed


def _require_admin(deps: Deps, what: str) -> None:
    if not deps.principal.is_admin:
        raise NotAuthorized(f"only members of the group oneadmin may {what}", hint="ask oneadmin")
