"""Make, change and remove providers: a driver with the account it works on. Secrets are sealed at once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from onecore.access import DEFAULT_PERMISSIONS, Mode, Permissions, Right, check, needed_to_change, valid_name
from onecore.deps import Deps
from onecore.drivers.catalog import Driver
from onecore.drivers.manifest import FILE_NAME, is_reserved
from onecore.errors import InvalidInput, NotAuthorized, NotFound, StoreFailed, WrongState
from onecore.ids import ProviderId
from onecore.store import accounts, providers
from onecore.store.engine import Transaction
from onecore.store.providers import Provider
from onecore.vault import seal, unseal
from oneprovision import store
from oneprovision.folders import FolderDriver
from oneprovision.model.answers import resolve
from oneprovision.model.folder import PREFIX, Input, is_oneform
from oneprovision.model.names import check_parameter
from oneprovision.model.provider import ProviderForm, is_mask
from oneprovision.model.refusal import known_names
from oneprovision.usecases.provider_documents import allowed, provisions_of
from oneprovision.usecases.rights import as_resource

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def create(deps: Deps, form: ProviderForm) -> Provider:
    """Record a provider; its connection has exactly the values that the driver declares as secrets."""
    if not form.name or not form.driver:
        missing = "driver" if form.name else "name"
        raise InvalidInput(
            f"the {missing} of the provider is missing", hint=f"in the file, or as --{missing}"
        )
    driver = deps.catalog.get(_driver_name(deps, form.driver))
    deps.conceal(form.connection.values())
    check_connection(driver, form.connection)
    draft = Provider(
        id=ProviderId(-1),
        name=valid_name(form.name, "provider"),
        driver=driver.name,
        uid=deps.principal.user_id,
        gid=deps.principal.group_id,
        permissions=DEFAULT_PERMISSIONS.bits,
        description=form.description or "",
        parameters=_parameters(form.parameters or {}),
        sealed=_sealed(deps, form.connection),
        created_at=deps.clock.now(),
    )
    with deps.database.begin() as tx:
        _refuse_taken(tx, draft)
        provider = replace(draft, id=ProviderId(tx.next_id("provider")))
        providers.insert(tx, provider)
    return provider


def asked(deps: Deps, name: str) -> Sequence[Input]:
    """What an account of the driver consists of, without mere settings."""
    driver = deps.catalog.get(_driver_name(deps, name))
    if isinstance(driver, FolderDriver):
        return driver.folder.connection
    optional = driver.manifest.optional
    return [Input(each, mandatory=each not in optional, sensitive=True) for each in driver.manifest.secrets]


def update(deps: Deps, provider_id: int, form: ProviderForm) -> Provider:
    """Change what is said. Connection values are merged; one that is a mask stays as it is."""
    before = allowed(deps, provider_id, Right.MANAGE)
    if form.driver not in (None, before.driver):
        raise InvalidInput(
            f"the driver of provider '{before.name}' is '{before.driver}' and cannot be changed",
            hint="its machines could not be removed any more; create another provider",
        )
    said = form.without_masks()
    deps.conceal(said.connection.values())
    changed = replace(
        before,
        name=valid_name(said.name, "provider") if said.name is not None else before.name,
        description=before.description if said.description is None else said.description,
        parameters=before.parameters if said.parameters is None else _kept(before, said.parameters),
        sealed=_merged(deps, before, said.connection) if said.connection else before.sealed,
    )
    return _save(deps, before, changed)


def rename(deps: Deps, provider_id: int, name: str) -> Provider:
    return update(deps, provider_id, ProviderForm(name=name))


def chmod(deps: Deps, provider_id: int, mode: str) -> Provider:
    """`mode` as Mode reads it."""
    change = Mode.parse(mode)
    before = allowed(deps, provider_id, Right.MANAGE)
    permissions = Permissions(before.permissions)
    changed = permissions.changed(change)
    allowed(deps, provider_id, needed_to_change(permissions, changed))
    return _save(deps, before, replace(before, permissions=changed.bits))


def chown(deps: Deps, provider_id: int, user: str | None, group: str | None) -> Provider:
    """Only an administrator gives things away. `user` and `group` by id or name."""
    if not deps.principal.is_admin:
        raise NotAuthorized("only members of the group oneadmin may give providers away", hint="ask oneadmin")
    before = allowed(deps, provider_id, Right.MANAGE)
    with deps.database.read() as tx:
        uid = before.uid if user is None else accounts.user_id(tx, user)
        gid = before.gid if group is None else accounts.group_id(tx, group)
    return _save(deps, before, replace(before, uid=uid, gid=gid))


def delete(deps: Deps, provider_id: int) -> None:
    """Forget a provider that nothing uses any more; without it nothing of it could be removed."""
    with deps.database.begin() as tx:
        provider = providers.get(tx, provider_id)
        check(deps.principal, as_resource(tx, provider), Right.MANAGE)
        used = sorted({*provisions_of(tx, provider_id), *_owners(tx, provider_id)})
        if used:
            raise WrongState(
                f"provider '{provider.name}' is used by {_counted(used)}",
                hint=f"first: oneprovision deprovision {','.join(map(str, used))}",
                context={"provisions": used},
            )
        store.forget_provider(tx, provider_id)
        providers.remove(tx, provider_id)


def check_connection(driver: Driver, connection: Mapping[str, str]) -> None:
    """Whether these are the values that the driver wants; without a manifest it may want any."""
    if isinstance(driver, FolderDriver):
        resolve(driver.folder.connection, connection, "connection value")
    elif (driver.path / FILE_NAME).exists():
        _check_declared(driver, connection)
    for name, value in connection.items():
        if not _NAME.fullmatch(name) or is_reserved(name.upper()):
            raise InvalidInput(f"connection: {name[:80]!r} cannot be the name of a connection value")
        if not value.strip() or "\0" in value:
            raise InvalidInput(f"connection.{name} is empty or holds a NUL character")
        if is_mask(value):
            raise InvalidInput(f"connection.{name} is a mask and no value", hint="write the secret itself")


def _driver_name(deps: Deps, said: str) -> str:
    """A driver folder is meant where it is named `oneform/<name>`, or where no pm driver has the name; `pm/`
    says that a server should not look for a folder first."""
    said = said.removeprefix("pm/")
    if is_oneform(said):
        return said
    try:
        deps.catalog.get(said)
    except NotFound:
        try:
            return deps.catalog.get(PREFIX + said).name
        except NotFound:
            return said
    return said


def _check_declared(driver: Driver, connection: Mapping[str, str]) -> None:
    known = driver.manifest.connection
    for name in connection:
        if name not in known:
            raise InvalidInput(
                f"driver '{driver.name}' takes no connection value {name[:80]!r}",
                hint=known_names(name, known) if known else "it takes none at all",
            )
    given = connection.keys() | driver.manifest.optional
    missing = [name for name in driver.manifest.secrets if name not in given]
    if missing:
        raise InvalidInput(
            f"driver '{driver.name}' needs the connection value{'s' * (len(missing) > 1)} {_list(missing)}",
            hint="under `connection:` in the file, or as --connection NAME=@FILE; one of the environment: "
            f"printenv {driver.manifest.secrets[missing[0]]} | … --connection NAME=-",
        )


def _parameters(given: Mapping[str, object]) -> dict[str, object]:
    return {check_parameter(name, ("parameters", name)): value for name, value in given.items()}


def _kept(before: Provider, said: Mapping[str, object]) -> dict[str, object]:
    """The parameters as said; one that is a mask stays as it was."""
    parameters = _parameters(said)
    for name, value in parameters.items():
        if isinstance(value, str) and is_mask(value) and name in before.parameters:
            parameters[name] = before.parameters[name]
    return parameters


def _sealed(deps: Deps, connection: Mapping[str, str]) -> str:
    return seal(deps.settings.home / "key", connection) if connection else ""


def _merged(deps: Deps, before: Provider, said: Mapping[str, str]) -> str:
    try:
        known = unseal(deps.settings.home / "key", before.sealed)
    except StoreFailed:  # the key is lost: all values have to be entered again, and the check below says so
        known = {}
    deps.conceal(known.values())
    connection = {**known, **said}
    check_connection(deps.catalog.get(before.driver), connection)
    return _sealed(deps, connection)


def _save(deps: Deps, before: Provider, changed: Provider) -> Provider:
    with deps.database.begin() as tx:
        if providers.get(tx, changed.id) != before:
            raise WrongState(
                f"provider {changed.id} was changed by somebody else meanwhile", hint="look, and repeat"
            )
        _refuse_taken(tx, changed)
        providers.update(tx, changed)
    return changed


def _refuse_taken(tx: Transaction, wanted: Provider) -> None:
    for other in providers.every(tx):
        if other.name == wanted.name and other.id != wanted.id:
            raise InvalidInput(
                f"there is a provider '{wanted.name}' already: {other.id}", hint="choose another name"
            )


def _owners(tx: Transaction, provider_id: int) -> list[int]:
    return [int(owner.rpartition("/")[2]) for owner in providers.users_of(tx, provider_id)]


def _counted(used: Sequence[int]) -> str:
    return f"provision {used[0]}" if len(used) == 1 else f"provisions {_list([str(n) for n in used])}"


def _list(words: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
