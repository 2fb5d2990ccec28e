"""Turns a prepared template into the provision it describes; same values in, same provision out."""

from collections.abc import Iterable, Mapping

from oneprovision.model.context import Context, Object
from oneprovision.model.hosts import host, numbered, patterns
from oneprovision.model.inputs import resolve
from oneprovision.model.interpolate import ALIAS, Record, Scope, interpolate
from oneprovision.model.names import check_provision_name
from oneprovision.model.networks import network
from oneprovision.model.refusal import Path, refusal
from oneprovision.model.shapes import mapping_at, mappings_at, text_of
from oneprovision.model.spec import ClusterSpec, DatastoreSpec, HostSpec, NetworkSpec, ProvisionSpec

Entries = list[Mapping[str, object]]


def evaluate(template: Mapping[str, object], context: Context) -> ProvisionSpec:
    """The whole provision. The template has to come from `prepare`."""
    cluster, datastores, networks, scope = _surroundings(template, context)
    hosts = tuple(
        host(pattern, context, scope, index) for pattern, index in numbered(patterns(template), scope)
    )
    _refuse_doubles((("hosts", each.group, "provision", "hostname"), each.name) for each in hosts)
    _refuse_doubles((("datastores", at, "name"), each.name) for at, each in enumerate(datastores))
    _refuse_doubles((("networks", at, "name"), each.name) for at, each in enumerate(networks))
    return ProvisionSpec(
        name=check_provision_name(context.name),
        description=text_of(template.get("description")),
        playbooks=playbooks(template),
        cleanup=cleanups(template),
        inputs=scope.inputs,
        cluster=cluster,
        hosts=hosts,
        datastores=datastores,
        networks=networks,
    )


def host_at(
    template: Mapping[str, object], context: Context, index: int, group: int | None = None
) -> HostSpec:
    """One more host: the last entry of hosts[], or the one asked for, evaluated with this number.

    Whether its name is taken already is for the caller to see.
    """
    every = patterns(template)
    if not every:
        raise refusal(("hosts",), "the template has no hosts, so there is no pattern for one more")
    if group is not None and not 0 <= group < len(every):
        raise refusal(("hosts", group), f"there is no such entry; the template has {len(every)}")
    scope = _surroundings(template, context)[3]
    return host(every[-1 if group is None else group], context, scope, index)


def playbooks(template: Mapping[str, object]) -> tuple[str, ...]:
    """One playbook or several, as a tuple."""
    return _one_or_several(template.get("playbook"))


def cleanups(template: Mapping[str, object]) -> tuple[str, ...]:
    """The same for the playbooks that run on hosts before they go."""
    return _one_or_several(template.get("cleanup"))


def first_scope(template: Mapping[str, object], context: Context) -> Scope:
    """What is known before any object of the template is evaluated."""
    return Scope(
        name=context.name,
        provision_id=context.provision_id,
        inputs=resolve(mappings_at(template.get("inputs"), ("inputs",)), context.inputs),
        objects={
            "cluster": _records([], context.clusters),
            "datastore": _records([], context.datastores),
            "network": _records([], context.networks),
            "host": _records([], context.hosts),
        },
    )


def _one_or_several(written: object) -> tuple[str, ...]:
    if written is None:
        return ()
    return tuple(text_of(item) for item in written) if isinstance(written, list) else (text_of(written),)


def _surroundings(
    template: Mapping[str, object], context: Context
) -> tuple[ClusterSpec, tuple[DatastoreSpec, ...], tuple[NetworkSpec, ...], Scope]:
    # In this order: each kind may name the kinds before it, and what exists already in any case.
    scope = first_scope(template, context)
    written = mapping_at(template.get("cluster"), ("cluster",))
    cluster = mapping_at(interpolate(written, scope, ("cluster",)), ("cluster",))
    cluster = {**cluster, "name": text_of(cluster.get("name")) or context.name}
    scope = scope.knowing("cluster", _records([cluster], context.clusters))
    datastores = _entries(template, "datastores", ("tm_mad", "ds_mad"), scope)
    scope = scope.knowing("datastore", _records(datastores, context.datastores))
    networks = _entries(template, "networks", ("vn_mad",), scope)
    scope = scope.knowing("network", _records(networks, context.networks))
    return (
        ClusterSpec(text_of(cluster["name"]), _without_name(cluster)),
        tuple(DatastoreSpec(text_of(each["name"]), _without_name(each)) for each in datastores),
        tuple(network(each, ("networks", at)) for at, each in enumerate(networks)),
        scope,
    )


def _entries(template: Mapping[str, object], kind: str, mads: tuple[str, ...], scope: Scope) -> Entries:
    defaults = mapping_at(template.get("defaults"), ("defaults",))
    entries = []
    for at, written in enumerate(mappings_at(template.get(kind), (kind,))):
        path: Path = (kind, at)
        # The name comes first so that a missing one is said before anything else of the entry is.
        entry = {"name": written.get("name"), **_defaulted(written, mads, defaults)}
        entry = dict(mapping_at(interpolate(entry, scope, path), path))
        if not text_of(entry["name"]).strip():
            raise refusal((*path, "name"), "is missing or empty")
        entries.append({**entry, "name": text_of(entry["name"])})
    return list(entries)


def _defaulted(
    written: Mapping[str, object], mads: tuple[str, ...], defaults: Mapping[str, object]
) -> dict[str, object]:
    # A datastore with a type of its own, such as a system datastore, needs no ds_mad.
    missing = [mad for mad in mads if not written.get(mad) and not (mad == "ds_mad" and written.get("type"))]
    return {**written, **{mad: defaults[mad] for mad in missing if defaults.get(mad)}}


def _records(entries: Entries, existing: tuple[Object, ...]) -> tuple[Record, ...]:
    records = []
    for at in range(max(len(entries), len(existing))):
        record: dict[str, object] = {}
        if at < len(entries):
            record = {key.lower(): value for key, value in entries[at].items()}
            record[ALIAS] = record["name"]
        if at < len(existing):
            record |= {key.lower(): value for key, value in existing[at].items()}
        records.append(record)
    return tuple(records)


def _without_name(entry: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in entry.items() if key != "name"}


def _refuse_doubles(named: Iterable[tuple[Path, str]]) -> None:
    seen: dict[str, tuple[int, Path]] = {}
    for number, (path, name) in enumerate(named):
        # Host names are compared as DNS does, and nobody is served by two that differ in case.
        first = seen.setdefault(name.lower(), (number, path))
        if first[0] != number:
            kind = str(path[0])[:-1]
            raise refusal(
                path,
                f"{kind} {number} has the name {name!r} of {kind} {first[0]}",
                "put ${index} into the host name" if kind == "host" else "choose another name",
            )
