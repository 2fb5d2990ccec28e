"""How the hosts of a driver folder are configured: its site.yaml, on the inventory of its template.

The template is rendered by us with what OneForm's inventory plugin gives it (OneForm: opennebula_form); the
folder's own inventory.yaml, which only names that plugin, is not needed.
"""

from collections.abc import Mapping, Sequence

from onecore.deps import Deps
from onecore.errors import InvalidInput
from oneprovision import store
from oneprovision.engines.order import Ordered, ordered
from oneprovision.model import jinja
from oneprovision.model.folder import deployment_named
from oneprovision.model.inventory import Described, Node, described
from oneprovision.model.provision import ObjectKind, Provision, StoredObject
from oneprovision.model.recipe import Recipe
from oneprovision.settings import form_settings

CLEANUP = "cleanup.yaml"


def folder_recipe(deps: Deps, provision: Provision) -> Recipe:
    """Of a provision that was ordered from a driver folder."""
    found = ordered(deps, provision)
    last = found.folder.ansible / CLEANUP
    return Recipe(
        playbooks=(found.folder.site,),
        cleanup=(last,) if last.is_file() else (),
        extra_vars={"provision_id": provision.id, "version": found.order.version, "one_server": "localhost"},
        tags=found.order.onedeploy_tags or form_settings(deps.settings.home).onedeploy_tags,
        config=found.folder.ansible_config,
        secrets=found.secrets,
        describe=lambda nodes: _described(deps, found, nodes),
    )


def _described(deps: Deps, found: Ordered, nodes: Sequence[Node]) -> Described:
    deployment = deployment_named(found.folder, found.order.deployment)
    if deployment is None:
        raise InvalidInput(
            f"driver folder '{found.folder.name}' has no deployment '{found.order.deployment}'"
        )
    with deps.database.read() as tx:
        objects = store.objects_of(tx, found.provision.id)
    rendered = jinja.rendered(deployment, _context(found, objects, nodes))
    return described(rendered, nodes)


def _context(found: Ordered, objects: Sequence[StoredObject], nodes: Sequence[Node]) -> dict[str, object]:
    provision = found.provision
    stores = [o for o in objects if o.kind is ObjectKind.DATASTORE]
    return {
        "id": provision.id,
        "name": provision.name,
        "description": provision.description,
        "state": provision.state.name,
        "provider_id": provision.provider_id,
        "registration_time": int(provision.created_at),
        "tags": dict(provision.tags),
        "user_inputs": dict(found.values),
        "one": {
            "version": found.order.version,
            "frontend_ip": "localhost",
            "nodes": [node.address for node in nodes],
            "network_ids": [o.id for o in objects if o.kind is ObjectKind.NETWORK],
            "system_ds_id": _first_of_type(stores, "SYSTEM_DS"),
            "image_ds_id": _first_of_type(stores, "IMAGE_DS"),
        },
    }


def _first_of_type(stores: Sequence[StoredObject], kind: str) -> int | None:
    for each in stores:
        attributes = each.body.get("attributes")
        if isinstance(attributes, Mapping) and str(attributes.get("type", "")).upper() == kind:
            return each.id
    return None
