"""What a service does next: (service, observed machines, now) → changed service, actions, wake-up, reasons.

Pure and level-triggered: it looks only at what is wanted and what is seen, so that a first look, a look after
a crash and a look after an event are the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from oneflow import strategy
from oneflow.lifecycle import roles
from oneflow.lifecycle.turn import Turn
from oneflow.model.networks import NO_NETWORKS, NetStatus
from oneflow.model.service import NodeStatus, Observed, Role, Service
from oneflow.model.states import Event, RoleState, ServiceState

S, R = ServiceState, RoleState


def decide(service: Service, observed: Observed, now: float) -> Turn:
    """Look until nothing more follows from what is seen. Never adds a machine beyond the wanted number, and
    never ends a service while a machine of it may exist."""
    turn = Turn(service, observed, now)
    for _ in range(_MOST_STEPS):
        before = turn.service
        _settle_nodes(turn)
        if turn.service.state in _STAYS:
            roles.drop_removed(turn)
        _STEPS.get(turn.service.state, _nothing)(turn)
        if turn.service == before:
            break
    return turn


# -- the states --------------------------------------------------------------------------------------------


def _pending(turn: Turn) -> None:
    if turn.service.networks is NetStatus.NONE:
        _begin(turn)
    else:
        turn.move(Event.MAKE_NETS, "its networks come first")


def _begin(turn: Turn) -> None:
    held = turn.service.on_hold and all(role.state is R.PENDING for role in turn.service.roles)
    turn.move(Event.HOLD if held else Event.DEPLOY, "held as asked" if held else "accepted")


def _deploying_nets(turn: Turn) -> None:
    if turn.service.networks in (NetStatus.READY, NetStatus.NONE):
        _begin(turn)
    elif turn.service.networks is NetStatus.FAILED:
        turn.move(Event.FAIL, "a network could not be made")


def _deploying(turn: Turn) -> None:
    roles.start(turn)
    for role in turn.service.roles:
        if role.state is R.DEPLOYING:
            roles.grow(turn, role.name)
            roles.judge(turn, role.name, Event.DEPLOYED)
    failed = [role for role in turn.service.roles if role.state is R.FAILED_DEPLOYING]
    states = {role.state for role in _staying(turn)}
    if failed:
        turn.move(Event.FAIL, f"role {failed[0].name} failed to deploy")
    elif states <= _DEPLOYED:
        turn.move(Event.DEPLOYED, "every role runs")
    elif R.DEPLOYING not in states and not strategy.deployable(turn.service.roles, turn.service.straight):
        # Those that are pending wait for a held one, which holds them as well.
        turn.move(Event.HOLD, "roles wait to be released")


def _running(turn: Turn) -> None:
    for role in turn.service.roles:
        roles.watch(turn, role)
    ill = [role for role in turn.service.roles if role.state in (R.WARNING, R.FAILED_UNDEPLOYING)]
    if ill and turn.service.state is S.RUNNING:
        how = "is degraded" if ill[0].state is R.WARNING else "could not be removed"
        turn.move(Event.DEGRADE, f"role {ill[0].name} {how}")
    elif not ill and turn.service.state is S.WARNING:
        turn.move(Event.HEAL, "every role is well again")
    if turn.service.automatic_deletion and not any(role.nodes for role in turn.service.roles):
        turn.move(Event.UNDEPLOY, "no machine is left, and automatic deletion is set")


def _scaling(turn: Turn) -> None:
    for role in turn.service.roles:
        if role.state is R.SCALING:
            roles.grow(turn, role.name)
            roles.shrink(turn, role.name)
            cools = turn.role(role.name).cooldown_s > 0
            roles.judge(turn, role.name, Event.SCALED if cools else Event.SCALED_QUIETLY)
    states = {role.state for role in turn.service.roles}
    if R.SCALING in states:
        return  # also beside one that failed before: it is not left half way
    if R.FAILED_SCALING in states:
        turn.move(Event.FAIL, "a role failed to scale")
    else:
        turn.move(Event.SCALED if R.COOLDOWN in states else Event.SCALED_QUIETLY, "every role has its number")


def _cooldown(turn: Turn) -> None:
    for role in turn.service.roles:
        if role.state is not R.COOLDOWN:
            continue
        if turn.now >= role.cooldown_end:
            turn.put(role.moved(Event.COOLED), "the cooldown is over")
        else:
            turn.wake(role.cooldown_end)
    if not any(role.state is R.COOLDOWN for role in turn.service.roles):
        turn.move(Event.COOLED, "the cooldown is over")


def _undeploying(turn: Turn) -> None:
    for name in strategy.removable(turn.service.roles, turn.service.straight):
        role = turn.role(name)
        deadline = turn.now + turn.service.timeouts.undeploy_s
        turn.put(role.moved(Event.UNDEPLOY, deadline=deadline), "no longer wanted")
    for role in turn.service.roles:
        if role.state is R.UNDEPLOYING:
            roles.empty(turn, role.name)
    states = {role.state for role in turn.service.roles}
    if R.FAILED_UNDEPLOYING in states:
        turn.move(Event.FAIL, "machines could not be removed")
    elif states <= {R.DONE}:
        if turn.service.networks in NO_NETWORKS:
            turn.move(Event.UNDEPLOYED, "every machine is confirmed gone")
        else:
            turn.move(Event.REMOVE_NETS, "every machine is confirmed gone; its networks are next")


def _undeploying_nets(turn: Turn) -> None:
    if turn.service.networks in NO_NETWORKS:
        turn.move(Event.UNDEPLOYED, "every network is confirmed gone")
    elif turn.service.networks is NetStatus.STUCK:
        turn.move(Event.FAIL, "a network could not be removed")


def _held(turn: Turn) -> None:
    for role in turn.service.roles:
        roles.watch(turn, role)


def _nothing(turn: Turn) -> None:
    """FAILED states and DONE wait for somebody."""


def _staying(turn: Turn) -> list[Role]:
    return [role for role in turn.service.roles if not role.leaving]


def _settle_nodes(turn: Turn) -> None:
    """Nodes whose machine is gone leave their role; one that went without our doing is missed or dropped."""
    for role in turn.service.roles:
        kept = tuple(node for node in role.nodes if turn.status(node) is not NodeStatus.GONE)
        if kept == role.nodes:
            continue
        gone = [node for node in role.nodes if node not in kept]
        lost = sum(not node.leaving for node in gone)
        changed = replace(
            role, nodes=kept, disposed_nodes=(*role.disposed_nodes, *(node.vm_id for node in gone))
        )
        # Somebody removed it on purpose, outside: while nothing is under way that is taken as wanted.
        if lost and role.state in (R.RUNNING, R.WARNING, R.COOLDOWN):
            changed = replace(changed, cardinality=max(role.cardinality - lost, 0))
            turn.put(changed, f"{roles.count(lost)} went away; wanted now: {changed.cardinality}")
        else:
            turn.put(changed)


def _steps() -> Iterator[tuple[ServiceState, Callable[[Turn], None]]]:
    yield S.PENDING, _pending
    yield S.DEPLOYING, _deploying
    yield S.RUNNING, _running
    yield S.WARNING, _running
    yield S.SCALING, _scaling
    yield S.COOLDOWN, _cooldown
    yield S.UNDEPLOYING, _undeploying
    yield S.DEPLOYING_NETS, _deploying_nets
    yield S.UNDEPLOYING_NETS, _undeploying_nets
    yield S.HOLD, _held


_STEPS = dict(_steps())
_MOST_STEPS = 100
# Roles that leave go on leaving in all of these, whatever the others do.
_STAYS = frozenset(S) - {
    *(S.PENDING, S.UNDEPLOYING, S.FAILED_UNDEPLOYING, S.UNDEPLOYING_NETS, S.FAILED_UNDEPLOYING_NETS, S.DONE)
}
_DEPLOYED = frozenset({R.RUNNING, R.WARNING, R.COOLDOWN})
