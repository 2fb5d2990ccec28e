"""Plans of OpenTofu that do what is meant, and nothing else; others are refused before anything is begun."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from onecore import tofu
from onecore.errors import DriverFailed, WrongState
from onecore.machines.decide import Step
from onecore.machines.model import Resource, RetryPolicy, Wanted
from onecore.machines.tools import Tools
from onecore.tofu import Workspace
from onecore.tofu_output import Instance, Plan, parse_plan
from oneprovision.engines.attention import Attention
from oneprovision.engines.order import Ordered, slot_of
from oneprovision.engines.place import Stored
from oneprovision.model.folder import HOSTS, ONPREM_HOSTS
from oneprovision.model.slots import Intent, Picture, Slot, counted_resources, targets, touched, violations
from oneprovision.planner import cut


@dataclass(frozen=True)
class Ready:
    """A saved plan that does what is meant, and nothing else."""

    workspace: Workspace
    plan: Plan
    counted: tuple[str, ...]


@dataclass(frozen=True)
class Aim:
    """What a run is to do, and the slots that OpenTofu is told of meanwhile. `alone`: a driver that counts
    cannot be told by a number what is to stay, so what goes is named and nothing else is planned."""

    intent: Intent
    told: frozenset[Slot]
    alone: bool = False

    def addresses(self, of: Callable[[Slot], list[Instance]]) -> list[str]:
        """Of what is to be removed."""
        return [i.address for slot in sorted(self.intent.removing, key=str) for i in of(slot)]


def aim_of(chosen: Sequence[Resource], step: Step, machines: Sequence[Resource], now: Picture) -> Aim:
    slots = frozenset(slot_of(r) for r in chosen)
    # What others of the provision have, or may have, is kept by all means.
    there = frozenset(slot_of(r) for r in machines if r.may_exist) | now.slots
    if step is Step.CREATE:
        return Aim(Intent(making=slots), there | slots)
    rest = there - slots
    if all(r.wanted is Wanted.ABSENT and slot_of(r) in slots for r in machines) and not rest:
        return Aim(Intent(everything=True), there)
    numbers = {s for s in rest if isinstance(s, int)}
    if numbers == set(range(len(numbers))) and rest:
        return Aim(Intent(removing=slots), rest)
    return Aim(Intent(removing=slots), there, alone=True)


class Planner:
    """The plans of one provision."""

    def __init__(self, attention: Attention, ordered: Ordered, policy: RetryPolicy, tools: Tools) -> None:
        self._attention = attention
        self._ordered = ordered
        self._place = ordered.place
        self._policy = policy
        self._tools = tools

    def planned(self, aim: Aim, machines: Sequence[Resource], stored: Stored) -> Ready:
        """A plan of everything where that does no more than is meant, else one of what is meant alone."""
        intent, now = aim.intent, self._place.picture(stored)
        workspace = self._place.prepare(self._ordered.variables(machines, set(aim.told)), stored)
        self._attention.say(f"planning with {workspace.program.name}")
        if intent.everything:
            return self._checked(workspace, self._plan(workspace, destroy=True), intent, stored)
        if aim.alone:
            return self._checked(workspace, self._plan_alone(workspace, aim, now), intent, stored)
        plan = self._plan(workspace)
        counted = Stored(stored.text, self._counted(plan, stored))
        seen = self._place.picture(counted)
        if violations(plan.changes, intent, seen) or touched(plan.changes, intent, seen):
            only = targets(plan.changes, intent.making, seen)
            if intent.removing:
                plan = self._plan_alone(workspace, aim, seen)
            elif only:
                plan = self._plan(workspace, only)
        return self._checked(workspace, plan, intent, counted)

    def _plan_alone(self, workspace: Workspace, aim: Aim, now: Picture) -> Plan:
        """A plan of the hosts to be removed alone. OpenTofu removes whatever refers to a target, by resource
        and not by instance: a disk that hosts refer to cannot go without all of them, and is left."""
        plan = self._plan(workspace, aim.addresses(now.parts), True)
        if violations(plan.changes, aim.intent, now):
            plan = self._plan(workspace, aim.addresses(now.mains), True)
            going = {c.address for c in plan.changes}
            for address in (a for a in aim.addresses(now.parts) if a not in going):
                self._attention.note(f"{address} stays: it cannot be removed without the other hosts", "W")
        return plan

    def _checked(self, workspace: Workspace, plan: Plan, intent: Intent, stored: Stored) -> Ready:
        now = self._place.picture(stored)
        wrong = violations(plan.changes, intent, now)
        if wrong:
            raise WrongState(
                f"OpenTofu would do what was not asked for, so nothing was done: {'; '.join(cut(wrong, 5))}",
                hint="the driver ties these together; name other hosts, or remove the whole provision",
                context={"plan": wrong},
            )
        for change in touched(plan.changes, intent, now):
            self._attention.note(
                f"update {change.address}: the driver changes a host that was not named", "W"
            )
        for line in cut([f"{c.action} {c.address}" for c in plan.changes]):
            self._attention.note(f"plan: {line}")
        return Ready(workspace, plan, self._counted(plan, stored))

    def _plan(self, workspace: Workspace, only: Sequence[str] = (), destroy: bool = False) -> Plan:
        """A saved plan; trouble with the provider is tried again, as often as the provision's options say."""
        failures = 0
        while True:
            command = workspace.plan(self._place.log("plan"), only, destroy)
            outcome = tofu.follow(command, lambda heard: None, self._attention.go_on)
            self._attention.raise_if_asked()
            if outcome.ok:
                return parse_plan(tofu.carry_out(workspace.show_plan(), "show").stdout)
            failures += 1
            error = self._attention.masked(tofu.failure(outcome, "plan").message)
            if failures > self._policy.retries:
                raise DriverFailed(error, retryable=True)
            self._attention.say(f"try {failures + 1} of {self._policy.retries + 1} after: {error}", "W")
            pause_s = self._policy.pause(failures, self._tools.jitter())
            self._attention.wait_until(self._tools.clock.now() + pause_s)

    def _counted(self, plan: Plan, stored: Stored) -> tuple[str, ...]:
        """From the plan's configuration, where it has any: a plan to remove everything has none."""
        found = counted_resources(plan.configuration, (HOSTS, ONPREM_HOSTS))
        return tuple(sorted(found)) or stored.counted
