"""What can be said of a provision before it exists: likely ids, and its description written out in full."""

from collections.abc import Mapping
from dataclasses import replace

from oneprovision.model.context import Context, Object
from oneprovision.model.evaluate import first_scope
from oneprovision.model.hosts import numbered, patterns
from oneprovision.model.interpolate import escape
from oneprovision.model.shapes import mappings_at, text_of
from oneprovision.model.spec import HostSpec, NetworkSpec, ProvisionSpec


def offline_context(
    template: Mapping[str, object],
    inputs: Mapping[str, object] | None = None,
    name: str = "",
    default_driver: str | None = None,
    default_parameters: Mapping[str, object] | None = None,
) -> Context:
    """The ids a fresh installation would give: provision 0, cluster 0, and each kind counted from 0."""
    context = Context(
        name=name or text_of(template.get("name")),
        provision_id=0,
        inputs=inputs or {},
        clusters=({"id": 0},),
        datastores=_counted(template, "datastores"),
        networks=_counted(template, "networks"),
        default_driver=default_driver,
        default_parameters=default_parameters or {},
    )
    hosts = numbered(patterns(template), first_scope(template, context))
    return replace(context, hosts=tuple({"id": index} for _, index in hosts))


def dump(spec: ProvisionSpec) -> dict[str, object]:
    """The provision as a template that evaluates to it again: hosts one by one, no inputs, no variables."""
    head: dict[str, object] = {"name": spec.name, "version": 1}
    if spec.description:
        head["description"] = spec.description
    if spec.playbooks:
        head["playbook"] = list(spec.playbooks)
    if spec.cleanup:
        head["cleanup"] = list(spec.cleanup)
    body = {
        "cluster": {"name": spec.cluster.name, **spec.cluster.attributes},
        "hosts": [_host(host) for host in spec.hosts],
        "datastores": [{"name": store.name, **store.attributes} for store in spec.datastores],
        "networks": [_network(network) for network in spec.networks],
    }
    return {**head, **{key: escape(value) for key, value in body.items()}}


def _counted(template: Mapping[str, object], kind: str) -> tuple[Object, ...]:
    # No names: the template's own hold, once they are evaluated.
    return tuple({"id": at} for at, _ in enumerate(mappings_at(template.get(kind), (kind,))))


def _host(host: HostSpec) -> dict[str, object]:
    return {
        "im_mad": host.im_mad,
        "vm_mad": host.vm_mad,
        "provision": {"driver": host.driver, **host.provision},
        "connection": host.connection.to_json(),
        "configuration": dict(host.configuration),
        **host.attributes,
    }


def _network(network: NetworkSpec) -> dict[str, object]:
    ranges = [dict(each) for each in (*network.ranges, *network.leased)]
    return {"name": network.name, **network.attributes, **({"ar": ranges} if ranges else {})}
