"""What providers list against what is recorded, both ways: pure."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from onecore.machines.model import Kind, Resource, State

OWNER = "orphans"
"""Owns the records of what is being removed without ever having belonged to a provision."""


class What(StrEnum):
    """UNOWNED: it exists and nobody wants it. MISSING: it is recorded and the provider does not know it."""

    UNOWNED = "unowned"
    MISSING = "missing"
    DESTROYED = "destroyed"
    ADOPTED = "adopted"


@dataclass(frozen=True)
class Source:
    """What one list of one account answers for."""

    driver: str
    provider_id: int | None
    kind: Kind


@dataclass(frozen=True)
class Found:
    """One thing that a provider lists."""

    source: Source
    name: str
    deploy_id: str
    state: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Orphan:
    """One difference. `state` is the provider's word where there is no record, else ours; `owner` is who has
    a record of it (`provision/3`, OWNER), empty for none; `label` is what people call it."""

    what: What
    source: Source
    name: str
    deploy_id: str
    state: str
    addresses: tuple[str, ...] = ()
    owner: str = ""
    label: str = ""


def is_ours(kind: Kind, name: str) -> bool:
    """Whether a thing of that name can only have been made by us; anything else at the account is foreign."""
    return _TAGS[kind].fullmatch(name) is not None


def unowned(found: Iterable[Found], before: Iterable[Resource], after: Collection[Resource]) -> list[Orphan]:
    """What exists without a record, and what was to be removed for that reason and still has one.

    A record in any state owns what bears its name, also one that came or went (`before`, `after`) while the
    providers were asked. What several accounts list is named once.
    """
    owned = {resource.name for resource in (*before, *after)}
    strays: dict[tuple[Kind, str, str], Orphan] = {}
    for each in found:
        source = each.source
        if each.name not in owned and is_ours(source.kind, each.name):
            stray = Orphan(What.UNOWNED, source, each.name, each.deploy_id, each.state, each.addresses)
            strays.setdefault((source.kind, source.driver, each.name), stray)
    return [*strays.values(), *(_recorded(What.UNOWNED, r) for r in after if r.owner == OWNER)]


def missing(
    found: Iterable[Found],
    before: Iterable[Resource],
    after: Iterable[Resource],
    asked_at: Mapping[Source, float],
) -> list[Orphan]:
    """What is recorded as existing, before and after the providers were asked, and is not listed.

    Only sources that answered count, and only records that are older than the list may be behind.
    """
    listed = {(each.source, each.name) for each in found}
    states = {resource.id: resource.state for resource in before}
    return [
        _recorded(What.MISSING, r)
        for r in after
        if r.state in _EXISTING
        and r.owner != OWNER
        and states.get(r.id) is r.state
        and (source_of(r), r.name) not in listed
        and asked_at.get(source_of(r), 0.0) >= r.since + r.lag_s
    ]


def source_of(resource: Resource) -> Source:
    return Source(resource.driver, resource.provider_id, resource.kind)


def _recorded(what: What, r: Resource) -> Orphan:
    return Orphan(what, source_of(r), r.name, r.deploy_id, r.state.value, r.addresses, r.owner, r.label)


_EXISTING = frozenset({State.BOOTING, State.READY, State.OFF, State.BROKEN})
_TAGS = {
    Kind.MACHINE: re.compile(r"(provision|.+)-[0-9a-f]{48}"),
    Kind.ADDRESS: re.compile(r"provision-\d+-network-\d+-ar-\d+(-[0-9a-f]+)?"),
}
