"""Providers and provisions of OneForm's own server in an OpenNebula, taken over without touching a host.

They keep their numbers, which the tags of hosts and machines bear. The documents there stay as they are.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial

from onecore.access import Principal
from onecore.deps import Deps
from onecore.errors import InvalidInput, NotAuthorized, NotFound, OneError, WrongState
from onecore.ids import ProviderId
from onecore.opennebula import documents
from onecore.opennebula.documents import Foreign
from onecore.store import accounts, providers
from onecore.store.engine import Transaction
from onecore.store.providers import Provider
from onecore.vault import seal
from oneprovision import store
from oneprovision.engines import ranges
from oneprovision.engines.place import keep_copy
from oneprovision.engines.registrar import Registrar
from oneprovision.model import foreign
from oneprovision.model.document import PROVIDER_TYPE, PROVISION_TYPE
from oneprovision.model.folder import PREFIX
from oneprovision.model.foreign import ForeignProvision
from oneprovision.model.provision import ObjectKind
from oneprovision.usecases import inheriting, oneform
from oneprovision.usecases.inheriting import Heir
from oneprovision.usecases.orphans import require_admin
from oneprovision.usecases.providers import check_connection


class Kind(StrEnum):
    PROVIDER = "provider"
    PROVISION = "provision"


@dataclass(frozen=True)
class Found:
    """One document there. Without `provider` or `heir` it cannot be taken over, and `problem` says why."""

    kind: Kind
    document: Foreign = field(repr=False)
    provider: Provider | None = None
    heir: Heir | None = None
    problem: str = ""

    @property
    def id(self) -> int:
        return self.document.id

    def __str__(self) -> str:
        what = f"{self.kind} {self.id} ({self.document.name})"
        if self.provider is not None:
            return f"{what}: {self.provider.driver}"
        return what if self.heir is None else f"{what}: {self.heir}"


def found(deps: Deps, numbers: Collection[int] = ()) -> list[Found]:
    """What is there, providers first; only those with these numbers, where some are given. Nothing is
    changed."""
    require_admin(deps)
    registrar = Registrar.of(deps)
    if registrar is None:
        raise InvalidInput(
            "there is no OpenNebula to import from", hint="set ONE_XMLRPC, as http://one:2633/RPC2"
        )
    given = [_provider(deps, each) for each in _documents(registrar, Kind.PROVIDER)]
    chosen = [each for each in given if _is_chosen(each, numbers)]
    usable = {
        each.id: provider
        for each in given
        if (provider := (each.provider if each in chosen else None) or _taken_before(deps, each))
    }
    every = [each for each in _documents(registrar, Kind.PROVISION) if _is_chosen(each, numbers)]
    tagged = {kind: registrar.tagged(kind) for kind in ObjectKind} if every else {}
    return chosen + [_provision((deps, registrar), each, usable, tagged) for each in every]


def take_over(deps: Deps, chosen: Sequence[Found]) -> None:
    """Keep what can be taken over, all or nothing. No machine and no object there is touched."""
    heirs = [each.heir for each in chosen if each.heir is not None]
    for heir in heirs:
        keep_copy(deps, heir.folder)
    with deps.database.begin() as tx:
        for each in chosen:
            if each.provider is not None:
                _refuse_number(tx, each.kind, each.id)
                tx.keep_id("provider", each.id)
                providers.insert(tx, each.provider)
        for heir in heirs:
            _refuse_number(tx, Kind.PROVISION, int(heir.provision.id))
            inheriting.record(tx, deps, heir)


def _is_chosen(each: Found, numbers: Collection[int]) -> bool:
    return not numbers or each.id in numbers


def _documents(registrar: Registrar, kind: Kind) -> list[Found]:
    """The pool says which there are; each is asked for, as what is in them may be encrypted."""
    type_, body = {
        Kind.PROVIDER: (PROVIDER_TYPE, foreign.PROVIDER_BODY),
        Kind.PROVISION: (PROVISION_TYPE, foreign.PROVISION_BODY),
    }[kind]
    every = documents.every(registrar.client, type_, body)
    return [_opened(registrar, kind, each, body) for each in every]


def _opened(registrar: Registrar, kind: Kind, seen: Foreign, body: str) -> Found:
    try:
        return Found(kind, documents.opened(registrar.client, seen.id, body))
    except (NotAuthorized, NotFound) as exc:
        return Found(kind, seen, problem=exc.message)


def _provider(deps: Deps, each: Found) -> Found:
    if each.problem:
        return each
    try:
        with deps.database.read() as tx:
            _refuse_number(tx, each.kind, each.id)
            taken = {other.name for other in providers.every(tx)}
        if each.document.name in taken:
            raise WrongState(f"there is another provider '{each.document.name}' here")
        return replace(each, provider=_account(deps, each.document))
    except OneError as exc:
        return replace(each, problem=exc.message)
    except (KeyError, TypeError, ValueError) as exc:
        return replace(each, problem=_unlike(exc))


def _account(deps: Deps, document: Foreign) -> Provider:
    there = foreign.provider(document.text)
    deps.conceal(there.connection.values())
    folder = oneform.folder_of(deps, PREFIX + there.driver)
    check_connection(deps.catalog.get(folder.key), there.connection)
    owner = _owner(deps, document)
    return Provider(
        id=ProviderId(document.id),
        name=document.name,
        driver=folder.key,
        uid=owner.user_id,
        gid=owner.group_id,
        permissions=document.permissions,
        description=there.description,
        sealed=seal(deps.settings.home / "key", there.connection) if there.connection else "",
        created_at=there.created_at,
    )


def _provision(
    here: tuple[Deps, Registrar],
    each: Found,
    usable: Mapping[int, Provider],
    tagged: Mapping[ObjectKind, Mapping[int, str]],
) -> Found:
    if each.problem:
        return each
    deps, registrar = here
    try:
        with deps.database.read() as tx:
            _refuse_number(tx, each.kind, each.id)
        there = foreign.provision(each.document.text)
        provider = usable.get(there.provider_id)
        if provider is None:
            raise WrongState(f"its provider {there.provider_id} is not taken over")
        owner = _owner(deps, each.document)
        whose = provider, owner, registrar.url
        heir = inheriting.heir(deps, each.document, there, whose, partial(ranges.leases, registrar))
        _refuse_strangers(each.id, there, tagged)
        return replace(each, heir=heir)
    except OneError as exc:
        return replace(each, problem=exc.message)
    except (KeyError, TypeError, ValueError) as exc:
        return replace(each, problem=_unlike(exc))


def _taken_before(deps: Deps, each: Found) -> Provider | None:
    """The provider here that was taken over from this document."""
    with deps.database.read() as tx:
        known = next((p for p in providers.every(tx) if p.id == each.id), None)
    try:
        there = foreign.provider(each.document.text)
    except (OneError, KeyError, TypeError, ValueError):
        return None
    same = known is not None and (known.driver, known.created_at) == (
        PREFIX + there.driver,
        there.created_at,
    )
    return known if same else None


def _refuse_strangers(
    number: int, there: ForeignProvision, tagged: Mapping[ObjectKind, Mapping[int, str]]
) -> None:
    """What does not say that it is of this provision is not ours to remove one day."""
    for each in there.objects:
        if each.number not in tagged[each.kind]:
            raise WrongState(f"its {each.kind} {each.number} {each.name} is no more")
        if tagged[each.kind][each.number] != str(number):
            raise WrongState(f"its {each.kind} {each.number} {each.name} is not tagged as of it")


def _refuse_number(tx: Transaction, kind: Kind, number: int) -> None:
    known = providers.every(tx) if kind is Kind.PROVIDER else store.every(tx)
    if any(each.id == number for each in known):
        raise WrongState(f"there is a {kind} {number} here already")


def _owner(deps: Deps, document: Foreign) -> Principal:
    """The user of that name, if there is one here; else who takes it over."""
    with deps.database.read() as tx:
        known = next((u for u in accounts.users(tx) if u.name == document.who.name), None)
    return deps.principal if known is None else accounts.principal(known)


def _unlike(exc: Exception) -> str:
    """Values are not told: some are secrets."""
    which = f": no {exc.args[0]}" if isinstance(exc, KeyError) else ""
    return f"its body is not as OneForm writes it{which}"
