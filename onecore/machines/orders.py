"""Power actions on machines that exist: journaled like a deploy, believed when the provider shows them."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from onecore.machines.calls import Seen
from onecore.machines.charge import Held
from onecore.machines.decide import Facts, Health
from onecore.machines.desk import Desk
from onecore.machines.model import SETTLED, Resource, Wanted
from onecore.machines.power import Order, Phase
from onecore.machines.starts import Start
from onecore.machines.tools import Bound
from onecore.machines.watching import record_seen


class Orders:
    """Follows each order from the call of the driver until its effect shows, or its time is over."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def give(self, resource_id: int, order: Order) -> None:
        """A newer order takes the place of an older one; a call at work is waited for."""
        self._desk.of[resource_id].orders[resource_id] = order
        self._desk.attend_to(resource_id)

    def follow(self, held: Held, resource: Resource, bound: Bound) -> None:
        """The next step of the order that is pending for this record."""
        order = held.orders[resource.id]
        if resource.wanted is Wanted.ABSENT:
            self.end(held, resource.id, f"{resource.label}: it is no longer wanted")
        elif resource.state not in SETTLED or not resource.deploy_id:
            self.end(held, resource.id, f"{resource.label}: it cannot be acted on: it is {resource.state}")
        elif order.phase is Phase.WAITING:
            self._offer(resource, order, bound)
        else:
            self._see(held, resource, order, bound)

    def answered(self, held: Held, resource_id: int, problem: str) -> None:
        """The call of the driver ended. One whose call failed is looked at once: it may have had its effect
        all the same."""
        order = held.orders.get(resource_id)
        if order is not None and order.phase is Phase.AT_WORK:
            order.phase, order.problem = Phase.SHOWING, problem
            order.done_at = order.look_at = self._desk.tools.clock.now()

    def unseen(self, problems: Mapping[int, str]) -> None:
        """The provider does not answer."""
        for resource_id, problem in problems.items():
            held = self._desk.of[resource_id]
            if held.has_order(resource_id) and held.orders[resource_id].phase is Phase.SHOWING:
                self.end(held, resource_id, problem)

    def end(self, held: Held, resource_id: int, problem: str = "") -> None:
        order = held.orders[resource_id]
        order.phase, order.problem = Phase.OVER, order.problem or problem
        self._desk.starts.withdraw(resource_id)
        self._desk.touched.add(held.charge.owner)

    def _offer(self, resource: Resource, order: Order, bound: Bound) -> None:
        verb = order.action.value
        start = Start(resource.id, resource.owner, resource.driver, None, verb, "asked for")
        self._desk.starts.offer(start, bound.limits)

    def _see(self, held: Held, resource: Resource, order: Order, bound: Bound) -> None:
        desk, now = self._desk, self._desk.tools.clock.now()
        if order.action.leads_to is None:
            self.end(held, resource.id)
            return
        if now < order.look_at:
            return  # a timer is set
        sight, seen = desk.looks.sight(resource.id)
        if sight.at < order.look_at:
            desk.looks.want(resource, held.charge.policy, bound.facts.can_list)
            return
        health = self._health(resource, order, seen, bound.facts)
        waited = now - order.done_at
        problem = _problem(resource, order, health, waited, bound)
        if order.problem or problem or health is order.action.leads_to:
            self.end(held, resource.id, problem)
            desk.looks.forget_sight(resource.id)
            return
        order.look_at = now + min(max(waited / 2, 0.2), 2.0)
        desk.timers.at(order.look_at, partial(desk.attend_to, resource.id))

    def _health(self, resource: Resource, order: Order, seen: Seen | None, facts: Facts) -> Health | None:
        """Its health, which is recorded; None where nobody can tell."""
        failed = bool(order.problem)
        if seen is None and (failed or not facts.can_list):
            return None
        if seen and not seen.told and not failed and order.action.leads_to:
            # There is nothing but the driver's word.
            seen = replace(seen, health=order.action.leads_to, told=True)
        record_seen(self._desk, resource, seen)
        return seen.health if seen else Health.GONE


def _problem(resource: Resource, order: Order, health: Health | None, waited: float, bound: Bound) -> str:
    if health is order.action.leads_to:
        return ""
    if health is Health.GONE:
        return f"{resource.label}: the provider no longer knows it"
    if health is Health.ERROR:
        return f"{resource.label}: the provider says it is in error"
    if waited > _patience(order, bound):
        known = f"it is {health}" if health else "nobody can tell how it is"
        return f"{resource.label}: {order.action.value} had no effect: {known} after {waited:.0f} s"
    return ""


def _patience(order: Order, bound: Bound) -> float:
    if order.within_s is not None:
        return order.within_s
    if order.action.leads_to is Health.OFF:
        return bound.limits.timeout_for("shutdown")
    return bound.facts.boot_s
