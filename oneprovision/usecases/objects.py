"""Clusters, datastores and networks over all provisions that the asker may see, as documents."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from onecore.access import Right
from onecore.deps import Deps
from onecore.document import Document
from onecore.errors import NotFound
from onecore.machines.model import Kind, Resource
from onecore.store import resources
from oneprovision import store
from oneprovision.model.document import network_entry
from oneprovision.model.provision import ObjectKind, Provision, StoredObject
from oneprovision.usecases import reading
from oneprovision.usecases.rights import authorized

TAGS = {ObjectKind.CLUSTER: "CLUSTER", ObjectKind.DATASTORE: "DATASTORE", ObjectKind.NETWORK: "VNET"}


def every(deps: Deps, kind: ObjectKind) -> list[Document]:
    """Their documents, without the envelope."""
    owning = [(provision, o) for provision, o, _ in reading.objects(deps, kind)]
    with deps.database.read() as tx:
        ids = dict.fromkeys(provision.id for provision, _ in owning)
        siblings = {i: store.objects_of(tx, i) for i in ids}
        leased = (
            {p.id: resources.of_owner(tx, p.key) for p, _ in owning} if kind is ObjectKind.NETWORK else {}
        )
    described = _DESCRIBED[kind]
    return [
        _common(provision, o, siblings[provision.id])
        | described(_Case(o, siblings[provision.id], leased.get(provision.id, [])))
        for provision, o in owning
    ]


def get(deps: Deps, kind: ObjectKind, number: int) -> Document:
    """One of them; raises NotFound or NotAuthorized."""
    with deps.database.read() as tx:
        stored = next((o for o in store.objects(tx, kind) if o.id == number), None)
        if stored is None:
            raise NotFound(f"there is no {kind} {number}", hint=f"see: oneprovision {kind} list")
        authorized(tx, deps, stored.provision_id, Right.USE)
    return next(each for each in every(deps, kind) if each["ID"] == str(number))


def names(deps: Deps, kind: ObjectKind) -> list[tuple[int, str]]:
    return [(o.id, o.name) for _, o, _ in reading.objects(deps, kind)]


def pool(kind: ObjectKind, shown: Sequence[Mapping[str, object]]) -> Document:
    """`{"CLUSTER_POOL": {"CLUSTER": […]}}`, with the tags of OpenNebula."""
    return {f"{TAGS[kind]}_POOL": {TAGS[kind]: list(shown)}}


@dataclass(frozen=True)
class _Case:
    object: StoredObject
    siblings: Sequence[StoredObject]
    resources: Sequence[Resource]


def _common(provision: Provision, o: StoredObject, siblings: Sequence[StoredObject]) -> Document:
    cluster = next((each for each in siblings if each.kind is ObjectKind.CLUSTER), None)
    return {
        "ID": str(o.id),
        "NAME": o.name,
        "PROVISION_ID": str(provision.id),
        "PROVISION": provision.name,
        "CLUSTER_ID": str(cluster.id) if cluster else "",
        "CLUSTER": cluster.name if cluster else "",
        "REGISTERED": "YES" if o.registered else "NO",
        "TEMPLATE": {key.upper(): value for key, value in _attributes(o).items()},
    }


def _cluster(case: _Case) -> Document:
    def ids(kind: ObjectKind) -> Document:
        return {"ID": [str(o.id) for o in case.siblings if o.kind is kind]}

    return {
        "HOSTS": ids(ObjectKind.HOST),
        "DATASTORES": ids(ObjectKind.DATASTORE),
        "VNETS": ids(ObjectKind.NETWORK),
    }


def _datastore(case: _Case) -> Document:
    given = {key.lower(): str(value) for key, value in _attributes(case.object).items()}
    return {
        "TYPE": given.get("type", "image_ds"),
        "DS_MAD": given.get("ds_mad", ""),
        "TM_MAD": given.get("tm_mad", ""),
    }


def _network(case: _Case) -> Document:
    """Its address ranges: the static ones, and the leased ones of one address each."""
    leased = [r for r in case.resources if r.kind is Kind.ADDRESS]
    entry = network_entry(case.object, leased)
    ranges = entry["ar"]
    given = {key.lower(): str(value) for key, value in _attributes(case.object).items()}
    return {
        "VN_MAD": given.get("vn_mad", ""),
        "PUBLIC": "YES" if entry["public"] else "NO",
        "AR_POOL": {"AR": [_range(each) for each in ranges] if isinstance(ranges, list) else []},
    }


def _range(entry: Mapping[str, object]) -> Document:
    return {key.upper(): "" if value is None else str(value) for key, value in entry.items()}


def _attributes(o: StoredObject) -> Mapping[str, object]:
    attributes = o.body.get("attributes")
    return attributes if isinstance(attributes, Mapping) else {}


_DESCRIBED: dict[ObjectKind, Callable[[_Case], Document]] = {
    ObjectKind.CLUSTER: _cluster,
    ObjectKind.DATASTORE: _datastore,
    ObjectKind.NETWORK: _network,
}
