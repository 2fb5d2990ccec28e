"""Why the policies of a service would or would not fire now."""

from collections.abc import Mapping

from onecore.access import Right
from oneflow import store
from oneflow.deps import FlowDeps
from oneflow.elasticity import decide as elasticity
from oneflow.elasticity.attributes import averages, running_sources
from oneflow.elasticity.role import RoleState, RoleView
from oneflow.model.document import Body, Kind
from oneflow.usecases import reading
from oneflow.usecases.documents import authorized


def explain(deps: FlowDeps, service_id: int) -> list[str]:
    """Why each policy would or would not fire now; nothing is counted."""
    now = deps.clock.now()
    with deps.database.read() as tx:
        found = authorized(tx, deps, Kind.SERVICE, service_id, Right.USE)
        infos = reading.vm_infos(tx, found, store.owners(tx))
    lines: list[str] = []
    for role in found.body["roles"]:
        view = RoleView.parse(role, now, deps.flow.tz)
        values = values_of(view, role, infos)
        states = RoleState.from_json(role)
        lines += elasticity.explain(view, states, values, now, deps.flow.default_cooldown, deps.flow.tz)
    return lines


def values_of(view: RoleView, role: Body, infos: Mapping[int, Body]) -> dict[str, float | None]:
    """The attributes that the policies of a role ask for, averaged over its running VMs."""
    documents = [infos[node["deploy_id"]]["VM"] for node in role["nodes"] if node["deploy_id"] in infos]
    return averages(view.names, running_sources(documents))
