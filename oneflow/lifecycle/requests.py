"""What can be asked of a service: each changes what is wanted. Raises WrongState where that cannot be."""

from dataclasses import replace

from onecore.errors import WrongState
from oneflow import strategy
from oneflow.lifecycle.roles import BROKEN
from oneflow.lifecycle.turn import Action, Remove
from oneflow.model.service import NodeStatus, Observed, Role, Service
from oneflow.model.states import Event, RoleState, ServiceState

S, R = ServiceState, RoleState


def scale(service: Service, name: str, cardinality: int, cooldown_s: float, now: float) -> Service:
    """Another number of machines is wanted of a role; legal while it runs, scales, cools down or failed to
    scale."""
    role = service.role(name)
    if role is None:
        raise KeyError(name)
    deadline = now + service.timeouts.scale_s
    changed = role.moved(Event.SCALE, cardinality=cardinality, cooldown_s=cooldown_s, deadline=deadline)
    return service.moved(Event.SCALE).with_role(changed)


def undeploy(service: Service, now: float) -> Service:
    """Nothing of the service is wanted any more; a removal that failed before is tried again."""
    ended = service.moved(Event.UNDEPLOY)
    for role in service.roles:
        if role.state is R.FAILED_UNDEPLOYING:
            ended = ended.with_role(role.moved(Event.RECOVER, deadline=now + service.timeouts.undeploy_s))
    return ended


def recover(service: Service, observed: Observed, now: float) -> tuple[Service, list[Action]]:
    """Take up again what failed: machines that failed are replaced, deadlines begin anew."""
    if service.state is S.HOLD and not any(_is_ill(role, observed) for role in service.roles):
        raise WrongState("every role that does not wait is well", hint="let it go on: oneflow release")
    recovered = service.moved(Event.RECOVER)
    actions: list[Action] = []
    for role in service.roles:
        broken = _broken(role, observed)
        if broken and recovered.state in (S.DEPLOYING, S.SCALING):
            actions += [Remove(vm_id, "failed, to be replaced") for vm_id in sorted(broken)]
            nodes = tuple(replace(n, leaving=n.leaving or n.vm_id in broken) for n in role.nodes)
            role = _taken_up(replace(role, nodes=nodes), recovered.state)
        if role.state in (*_RECOVERABLE[recovered.state], R.FAILED_UNDEPLOYING):
            role = role.moved(Event.RECOVER)
        recovered = recovered.with_role(replace(role, deadline=now + _phase_s(service, role.state)))
    return recovered, actions


def release(service: Service, now: float) -> Service:
    """Let held roles go on (in a straight service, those whose parents run)."""
    up = {role.name for role in service.roles if role.state in strategy.UP}
    for role in service.roles:
        if role.state is R.HOLD and (not service.straight or set(role.parents) <= up):
            deadline = now + service.timeouts.deploy_s
            service = service.with_role(role.moved(Event.RELEASE, on_hold=False, deadline=deadline))
    return service.moved(Event.RELEASE) if service.state is S.HOLD else service


def _is_ill(role: Role, observed: Observed) -> bool:
    return role.state in (R.WARNING, R.FAILED_UNDEPLOYING) or bool(_broken(role, observed))


def _broken(role: Role, observed: Observed) -> set[int]:
    return {n.vm_id for n in role.living if observed.get(n.vm_id, NodeStatus.GONE) in BROKEN}


def _taken_up(role: Role, phase: ServiceState) -> Role:
    """A role that ran and lost machines takes part in the phase that makes them anew."""
    if phase is S.SCALING and role.state in (R.RUNNING, R.WARNING, R.COOLDOWN):
        return role.moved(Event.SCALE)
    return role.moved(Event.DEGRADE) if role.state is R.RUNNING else role


def _phase_s(service: Service, state: RoleState) -> float:
    times = service.timeouts
    if state is R.UNDEPLOYING:
        return times.undeploy_s
    return times.scale_s if state is R.SCALING else times.deploy_s


# The role states that a recovery of the service into a phase takes up again. A role whose removal failed is
# taken up in all of them: it may leave a service that stays.
_RECOVERABLE = {
    S.DEPLOYING: (R.FAILED_DEPLOYING, R.WARNING),
    S.SCALING: (R.FAILED_SCALING,),
    S.UNDEPLOYING: (),
    S.DEPLOYING_NETS: (),
    S.UNDEPLOYING_NETS: (),
    S.RUNNING: (R.COOLDOWN,),
}
