"""Sees to the records that are due: decides, and takes note of what follows."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from onecore.errors import OneError
from onecore.machines import record
from onecore.machines.calls import VERBS
from onecore.machines.charge import Held
from onecore.machines.decide import Decision, Step, decide
from onecore.machines.desk import Desk
from onecore.machines.model import Resource, State
from onecore.machines.orders import Orders
from onecore.machines.starts import Start
from onecore.machines.tools import Bound, Group, group_of

_CONCLUSIONS = (Step.ADOPT, Step.ABSENT, Step.READY, Step.STOPPED, Step.BROKEN, Step.AGAIN)
_IN_FLIGHT = (State.CREATING, State.DESTROYING)


class Deciding:
    """Sees to records that are due: first to an order, then to what is wanted of those that move."""

    def __init__(self, desk: Desk, orders: Orders) -> None:
        self._desk = desk
        self._orders = orders
        self._bound: dict[Group, Bound] = {}
        self._postponed: set[int] = set()

    def all_due(self) -> None:
        """Decide about all that is due."""
        self._desk.due |= self._postponed
        self._postponed.clear()
        self._decide(self._bind)

    def all_due_in_transaction(self) -> None:
        """As `all_due`, but what needs to ask the store for its driver's account waits for the next time."""
        self._decide(lambda resource: self._bound.get(group_of(resource)))

    @property
    def postponed(self) -> bool:
        return bool(self._postponed)

    def _decide(self, bound_of: Callable[[Resource], Bound | None]) -> None:
        desk = self._desk
        while desk.due:
            due, desk.due = sorted(desk.due), set()
            for resource_id in due:
                held = desk.of.get(resource_id)
                if held is None or held.is_blocked(resource_id):
                    continue
                try:
                    bound = bound_of(held.records[resource_id])
                except OneError as exc:
                    self._cannot_bind(held, resource_id, exc.message)
                    continue
                if bound is None:
                    self._postponed.add(resource_id)
                else:
                    self._decide_one(held, resource_id, bound)

    def _bind(self, resource: Resource) -> Bound:
        binding = self._desk.tools.bind(resource)
        bound = Bound(binding.facts(resource.kind), binding.driver.manifest.limits)
        self._bound[group_of(resource)] = bound
        return bound

    def _cannot_bind(self, held: Held, resource_id: int, problem: str) -> None:
        if held.has_order(resource_id):
            self._orders.end(held, resource_id, problem)
        if resource_id in held.moving:
            self._desk.trouble(resource_id, problem)

    def _decide_one(self, held: Held, resource_id: int, bound: Bound) -> None:
        if held.has_order(resource_id):
            self._orders.follow(held, held.records[resource_id], bound)
        if resource_id in held.moving and not held.has_order(resource_id):
            self._bring(held, resource_id, bound)

    def _bring(self, held: Held, resource_id: int, bound: Bound) -> None:
        """Draw conclusions until something has to be done or waited for."""
        desk = self._desk
        while True:
            resource = held.records[resource_id]
            sight, seen = desk.looks.sight(resource_id)
            if resource.state is State.UNKNOWN:
                sight = replace(sight, salvaged_id=resource.deploy_id)
            now = desk.tools.clock.now()
            decision = decide(resource, bound.facts, sight, held.charge.policy, now)
            if decision.step not in _CONCLUSIONS:
                break
            changed = record.concluded(resource, decision.step, decision.reason, sight, seen)
            desk.change(changed, decision.reason)
        if decision.step not in (Step.CREATE, Step.DESTROY):
            desk.starts.withdraw(resource_id)
        if decision.step not in (Step.GIVE_UP, Step.HOLD):
            held.problems.pop(resource_id, None)
        self._follow(held, resource, decision, bound)

    def _follow(self, held: Held, resource: Resource, decision: Decision, bound: Bound) -> None:
        desk = self._desk
        match decision.step:
            case Step.CREATE | Step.DESTROY:
                verbs = VERBS[resource.kind]
                verb = verbs.create if decision.step is Step.CREATE else verbs.destroy
                start = Start(
                    resource.id, resource.owner, resource.driver, decision.step, verb, decision.reason
                )
                desk.starts.offer(start, bound.limits)
            case Step.LOOK | Step.POLL:
                desk.looks.want(resource, held.charge.policy, bound.facts.can_list)
            case Step.WAIT if resource.state not in _IN_FLIGHT:
                desk.timers.at(decision.at, partial(desk.decide_about, resource.id))
            case Step.GIVE_UP | Step.HOLD:
                self._give_up(held, resource, decision.reason)
            case Step.GONE:
                desk.remove(resource, decision.reason)
            case Step.STILL_THERE:
                self._refused(held, resource, decision.reason)
            case _:
                held.moving.discard(resource.id)
                desk.looks.forget_sight(resource.id)

    def _give_up(self, held: Held, resource: Resource, reason: str) -> None:
        if held.problems.get(resource.id) == reason == resource.error:
            held.moving.discard(resource.id)
            return
        text = "given up" if reason == resource.error else reason
        self._desk.change(replace(resource, error=reason), text, "E")
        self._desk.trouble(resource.id, reason)

    def _refused(self, held: Held, resource: Resource, reason: str) -> None:
        tools = self._desk.tools
        now, jitter = tools.clock.now(), tools.jitter()
        changed = record.refused(resource, reason, held.charge.policy, now, jitter)
        self._desk.change(changed, reason, "W")
        self._desk.decide_about(resource.id)
