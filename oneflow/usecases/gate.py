"""OneGate (reference 10): what a VM may say of itself and ask about its service.

A VM proves who it is with a token that is derived, not kept: from the key of this installation and the VM's
own nonce.
"""

import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from onecore.access import Right
from onecore.config import Settings
from onecore.deps import Deps
from onecore.errors import InvalidInput, NotAuthorized, NotFound, OneError
from onecore.store import accounts, events
from onecore.store.engine import Transaction
from oneflow import store
from oneflow.cloud.tokens import token_of
from oneflow.deps import FlowDeps
from oneflow.model.document import Body, Kind, Stored
from oneflow.model.vm import RESERVED, Vm
from oneflow.usecases import jobs, reading, services
from oneflow.usecases.documents import authorized
from oneflow.usecases.jobs import NOT_IMPLEMENTED, Batch
from oneflow.usecases.services import Scale

READY: Final = "READY"
MOST_ATTRIBUTES: Final = 200
LONGEST_VALUE: Final = 8192
WRONG: Final = "Invalid token"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def admitted(tx: Transaction, settings: Settings, vm_id: str, token: str) -> Vm:
    """The VM whose token it is. Raises NotAuthorized, in the same words for whatever is wrong."""
    vm = None
    if vm_id.isascii() and vm_id.isdecimal() and len(vm_id) < 19:
        try:
            vm = store.vm(tx, int(vm_id))
        except NotFound:
            vm = None
    nonce = vm.token if vm is not None else ""
    fits = hmac.compare_digest(token_of(settings, vm.id if vm else -1, nonce).encode(), token.encode())
    if vm is None or not nonce or not fits:
        raise NotAuthorized(WRONG, http_status=401)
    return vm


def require_ours(deps: FlowDeps) -> None:
    """VMs of an OpenNebula have a OneGate already, which gave them their tokens."""
    if deps.nebula is not None:
        raise OneError(
            "VMs of an OpenNebula speak to its own OneGate, with the token that it gave them",
            hint=":oneflow_server: in its onegate-server.conf is where `oneflow serve` listens",
            http_status=NOT_IMPLEMENTED,
        )


def token(deps: FlowDeps, vm_id: int) -> str:
    """The token of a VM, for those who may manage its service."""
    require_ours(deps)
    with deps.database.read() as tx:
        vm = store.vm(tx, vm_id)
        authorized(tx, deps, Kind.SERVICE, vm.service_id, Right.MANAGE)
    return token_of(deps.settings, vm.id, vm.token)


def shown(deps: Deps, me: int, vm_id: int) -> Body:
    """A VM of the asker's own service, as it is served elsewhere."""
    with deps.database.read() as tx:
        service = _own_service(tx, me, vm_id)
        return reading.vm_infos(tx, service, store.owners(tx))[vm_id]


def service(deps: Deps, me: int) -> Body:
    """`{"SERVICE": …}`: the roles with their VMs."""
    with deps.database.read() as tx:
        mine = _own_service(tx, me, me)
        served = reading.document(tx, mine, store.owners(tx))["DOCUMENT"]["TEMPLATE"]["BODY"]
    keys = ("name", "cardinality", "state", "nodes")
    roles = [{key: role[key] for key in keys if key in role} for role in served["roles"]]
    return {"SERVICE": {"id": str(mine.id), "name": mine.name, "state": served["state"], "roles": roles}}


def report(deps: Deps, me: int, vm_id: int, attributes: Mapping[str, str]) -> None:
    """What a VM says: added to its user template. READY=YES, the whole name and value, makes it ready.

    Raises InvalidInput for names and values that nothing can be, and for those that are not the VM's to set.
    """
    for name, value in attributes.items():
        _check(name, value)
    with deps.database.begin() as tx:
        found = _own_service(tx, me, vm_id)
        vm = store.vm(tx, vm_id)
        user_template = {**vm.user_template, **attributes}
        if len(user_template) > MOST_ATTRIBUTES:
            raise InvalidInput(f"a VM has at most {MOST_ATTRIBUTES} attributes of its own")
        _say(tx, deps, found, replace(vm, user_template=user_template), attributes.get(READY), me)


def erase(deps: Deps, me: int, vm_id: int, names: Collection[str]) -> None:
    """Take attributes back, all or none. Raises NotFound for one that is not there. A VM that takes READY
    back is not ready."""
    for name in names:
        _check(name)
    with deps.database.begin() as tx:
        found = _own_service(tx, me, vm_id)
        vm = store.vm(tx, vm_id)
        unknown = [name for name in names if name not in vm.user_template]
        if unknown:
            raise NotFound(f"attribute {unknown[0]} not found")
        left = {name: value for name, value in vm.user_template.items() if name not in names}
        _say(tx, deps, found, replace(vm, user_template=left), "NO" if READY in names else None, me)


def scale(deps: FlowDeps, me: int, role: str, cardinality: int) -> None:
    """Inside the limits of the role; nothing is forced from within a VM."""
    services.scale(_as_owner(deps, me), _service_of(deps, me), Scale(role, cardinality))


def act(deps: FlowDeps, me: int, vm_id: int, action: str) -> None:
    """An action on one VM of the own service."""
    owner = _as_owner(deps, me)
    with deps.database.read() as tx:
        found = _own_service(tx, me, vm_id)
        role = store.vm(tx, vm_id).role
    jobs.act(owner, found.id, role, Batch(action), only=vm_id)


def _say(tx: Transaction, deps: Deps, service: Stored, vm: Vm, ready: str | None, me: int) -> None:
    """Keep the VM; `ready` is what was said of that, if anything was."""
    ready_at = vm.ready_at if ready is None else _ready_at(deps, vm, ready)
    store.save_vm(tx, replace(vm, ready_at=ready_at))
    if bool(ready_at) != bool(vm.ready_at):
        word = "is ready" if ready_at else "is no longer ready"
        events.add(tx, service.key, deps.clock.now(), f"VM {vm.id} {word}", f"said by VM {me}")
    store.save(tx, service)  # whoever drives the service looks at it


def _ready_at(deps: Deps, vm: Vm, said: str) -> float:
    if said.strip().upper() != "YES":
        return 0.0
    return vm.ready_at or deps.clock.now()


def _check(name: str, value: str = "") -> None:
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name[:64]!r} cannot be an attribute", hint="letters, digits and '_', at most 64"
        )
    if name.upper() in RESERVED:
        raise InvalidInput(f"attribute {name} is not the VM's to change")
    if len(value) > LONGEST_VALUE:
        raise InvalidInput(f"the value of {name} has more than {LONGEST_VALUE} characters")


def _own_service(tx: Transaction, me: int, vm_id: int) -> Stored:
    """The service of the VM `me`, to which `vm_id` has to belong as well."""
    mine = store.vm(tx, me)
    found = store.get(tx, Kind.SERVICE, mine.service_id)
    in_roles = {node["deploy_id"] for role in found.body["roles"] for node in role["nodes"]}
    if vm_id not in in_roles:
        raise InvalidInput(f"Service {found.id} does not contain VM {vm_id}.")
    return found


def _service_of(deps: Deps, me: int) -> int:
    with deps.database.read() as tx:
        return _own_service(tx, me, me).id


def _as_owner(deps: FlowDeps, me: int) -> FlowDeps:
    """A VM acts with the rights of its service's owner, on that service."""
    with deps.database.read() as tx:
        found = _own_service(tx, me, me)
        owner = next((user for user in accounts.users(tx) if user.id == found.uid), None)
    if owner is None:
        raise NotAuthorized(f"the owner of service {found.id} is no more")
    return replace(deps, principal=accounts.principal(owner))
