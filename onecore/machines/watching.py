"""Looks at machines at rest, from time to time or when asked: what changed behind our back is recorded.

Nothing is ever done about it here: a record that vanished or broke waits for somebody to decide.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

from onecore.errors import OneError
from onecore.machines import record
from onecore.machines.calls import Seen
from onecore.machines.charge import Held
from onecore.machines.decide import Health
from onecore.machines.desk import Desk
from onecore.machines.looks import Answers, Look
from onecore.machines.model import SETTLED, Kind, Resource, State
from onecore.machines.tools import Group


class Watching:
    """One list for all records of a provider; a poll for each where its driver cannot list."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._every_s = 0.0
        self._round = 0
        desk.first_settled = self._schedule

    def every(self, seconds: float) -> None:
        """Look at all of them at this interval; 0: never."""
        self._every_s = seconds
        self._round += 1
        for group in self._desk.settled:
            self._schedule(group)

    def ask(self, resource_ids: Iterable[int]) -> None:
        """Look at these once, soon."""
        for resource_id in resource_ids:
            held = self._desk.of[resource_id]
            resource = held.records[resource_id]
            try:
                can_list = self._desk.tools.bind(resource).facts(resource.kind).can_list
            except OneError as exc:
                self._desk.trouble(resource_id, exc.message)
                continue
            held.asked.add(resource_id)
            self._desk.looks.want(resource, held.charge.policy, can_list)

    def answered(self, look: Look, answers: Answers) -> None:
        """Take note of what a look says of records at rest."""
        for resource_id in answers.again:
            self._see(self._desk.of[resource_id], resource_id, look)
        for resource_id, problem in answers.problems.items():
            held = self._desk.of[resource_id]
            if resource_id in held.asked or resource_id in held.moving:
                held.asked.discard(resource_id)
                self._desk.trouble(resource_id, problem)
        if answers.listed is not None:
            self._see_all(look, answers.listed)

    def _schedule(self, group: Group) -> None:
        if self._every_s > 0:
            at = self._desk.tools.clock.now() + self._every_s
            self._desk.timers.at(at, partial(self._look_at, group, self._round))

    def _look_at(self, group: Group, number: int) -> None:
        if number != self._round:
            return
        self._schedule(group)
        desk = self._desk
        members = list(desk.settled[group].values())
        if not members:
            return
        first = desk.of[members[0]].records[members[0]]
        try:
            can_list = desk.tools.bind(first).facts(first.kind).can_list
        except OneError:
            return  # whoever wants something of it is told
        if can_list:
            desk.looks.want_all(first)
        elif first.kind is Kind.MACHINE:
            for resource_id in members:
                held = desk.of[resource_id]
                if resource_id not in held.polled:
                    held.polled.add(resource_id)
                    desk.looks.want(held.records[resource_id], held.charge.policy, can_list=False)

    def _see(self, held: Held, resource_id: int, look: Look) -> None:
        if resource_id not in held.asked and resource_id not in held.polled:
            return
        told = resource_id in held.asked
        held.asked.discard(resource_id)
        held.polled.discard(resource_id)
        sight, seen = self._desk.looks.sight(resource_id)
        resource = held.records[resource_id]
        if seen is None and look.is_poll:
            # Its poll failed, which may be the network: to forget the deploy id could leak the machine,
            # and the next deploy would make a second one. No word of the user changes that.
            self._desk.trouble(resource_id, f"{resource.driver} poll of {resource.label} fails")
        else:
            self._observe(held, resource, seen, sight.at, told)
        if resource_id not in held.moving and not held.has_order(resource_id):
            self._desk.looks.forget_sight(resource_id)

    def _see_all(self, look: Look, listed: Mapping[str, Seen]) -> None:
        desk = self._desk
        for name, resource_id in list(desk.settled.get(look.group, {}).items()):
            held, seen = desk.of[resource_id], listed.get(name)
            resource = held.records[resource_id]
            if seen is None or not _is_known(resource, seen):
                self._observe(held, resource, seen, look.started_at, told=False)

    def _observe(self, held: Held, resource: Resource, seen: Seen | None, at: float, told: bool) -> None:
        # The list may not show yet what happened since: to call it vanished would make a second one.
        known_since = resource.since + (resource.lag_s if seen is None else 0.0)
        if resource.state not in SETTLED or resource.id in held.calls or at < known_since:
            return
        now = record_seen(self._desk, resource, seen, told)
        if now.state in (State.READY, State.OFF) and held.problems.pop(resource.id, ""):
            self._desk.touched.add(held.charge.owner)


def record_seen(desk: Desk, resource: Resource, seen: Seen | None, told: bool = True) -> Resource:
    """What a look says of the record, which exists: noted if it changes it. New metrics alone are told to
    people only when they asked."""
    changed = record.observed(resource, seen, desk.tools.clock.now())
    if changed == resource:
        return resource
    if told or replace(changed, metrics=resource.metrics) != resource:
        desk.change(changed, "seen at the provider" if seen else "the provider no longer knows it")
    else:
        desk.note(changed)
    # What was decided of it before this (a removal that waits for its turn) is to be decided anew.
    desk.attend_to(resource.id)
    return changed


def _is_known(resource: Resource, seen: Seen) -> bool:
    """Whether a look says what is recorded: the short way for the many that did not change."""
    return (
        _HEALTH.get(resource.state) is seen.health
        and seen.metrics == resource.metrics
        and seen.deploy_id == resource.deploy_id
        and (seen.addresses == resource.addresses or not seen.addresses)
    )


_HEALTH = {State.READY: Health.RUNNING, State.OFF: Health.OFF, State.BROKEN: Health.ERROR}
