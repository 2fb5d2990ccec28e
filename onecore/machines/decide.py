"""What to do next with one resource: a pure function of its record, what was seen of it, and the time."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from onecore.machines.model import Kind, Resource, RetryPolicy, State, Wanted


class Step(StrEnum):
    CREATE = "create"
    DESTROY = "destroy"
    LOOK = "look"
    POLL = "poll"
    ADOPT = "adopt"
    ABSENT = "absent"
    READY = "ready"
    STOPPED = "stopped"
    BROKEN = "broken"
    GONE = "gone"
    STILL_THERE = "still there"
    AGAIN = "again"
    WAIT = "wait"
    DONE = "done"
    GIVE_UP = "give up"
    HOLD = "hold"


class Health(StrEnum):
    """What a driver's poll or list says of a machine."""

    RUNNING = "running"
    OFF = "off"
    PENDING = "pending"
    ERROR = "error"
    GONE = "gone"


@dataclass(frozen=True)
class Facts:
    """What the driver can do. `confirm_s`: how long a removed machine may stay listed; `boot_s`: how long a
    new one may take to run; `late_s`: how long after we heard nothing of a call it may still take effect."""

    can_list: bool
    idempotent: bool
    confirm_s: float = 15.0
    boot_s: float = 600.0
    late_s: float = 0.0


@dataclass(frozen=True)
class Sight:
    """The newest look at a resource. `at`: when that look began (0: none yet); `health` None: not there."""

    at: float = 0.0
    health: Health | None = None
    deploy_id: str = ""
    salvaged_id: str = ""


@dataclass(frozen=True)
class Decision:
    """The next step and why; `at` is when to decide again (seconds since the epoch) for WAIT."""

    step: Step
    reason: str
    at: float = 0.0


@dataclass(frozen=True)
class Case:
    resource: Resource
    facts: Facts
    sight: Sight
    policy: RetryPolicy
    now: float

    @property
    def fresh(self) -> bool:
        """Whether we have looked since the record last changed."""
        return self.sight.at >= self.resource.since and self.sight.at > 0

    @property
    def sure(self) -> bool:
        """Whether the last look was late enough for the provider's list to be true."""
        late_s = self.facts.late_s if self.resource.state is State.UNKNOWN else 0.0
        return self.fresh and self.sight.at >= self.resource.since + max(self.resource.lag_s, late_s)

    @property
    def seen(self) -> bool:
        return self.fresh and self.sight.health not in (None, Health.GONE)


def decide(resource: Resource, facts: Facts, sight: Sight, policy: RetryPolicy, now: float) -> Decision:
    """The next step for `resource`. Never CREATE while something of that name may exist, unless the driver
    is idempotent; never GONE without the provider's word."""
    case = Case(resource, facts, sight, policy, now)
    if resource.wanted is Wanted.ABSENT:
        return _ABSENT[resource.state](case)
    decision = _PRESENT[resource.state](case)
    if decision.step is Step.GONE:
        return Decision(Step.AGAIN, "the broken one is gone, a new one takes its place")
    return decision


def _in_flight(case: Case) -> Decision:
    return Decision(Step.WAIT, "the driver is at work", case.now + 3600)


def _create_new(case: Case) -> Decision:
    return Decision(Step.CREATE, "wanted and never made")


def _retry_create(case: Case) -> Decision:
    postponed = _not_now(case)
    if postponed:
        return postponed
    # A driver that failed may have made it all the same.
    if case.facts.can_list and not case.fresh:
        return Decision(Step.LOOK, "did the failed try leave something?")
    if case.seen:
        return Decision(Step.ADOPT, "the failed try made it all the same")
    if case.facts.can_list and not case.facts.idempotent and not case.sure:
        return _look_again(case)
    return Decision(Step.CREATE, _nth_try(case))


def _not_now(case: Case) -> Decision | None:
    """The answer when the tries are used up, or the pause after a failure is not over."""
    r = case.resource
    if r.failures > case.policy.retries:
        return Decision(Step.GIVE_UP, r.error)
    if r.next_at > case.now:
        return Decision(Step.WAIT, f"{_nth_try(case)} after: {r.error}", r.next_at)
    return None


def _nth_try(case: Case) -> str:
    return f"try {case.resource.failures + 1} of {case.policy.retries + 1}"


def _resolve(case: Case) -> Decision:
    """A create was started and its end is unknown."""
    wanted = case.resource.wanted is Wanted.PRESENT
    if case.facts.can_list:
        if not case.fresh:
            return Decision(Step.LOOK, "an operation was started and its end is unknown")
        if case.seen:
            return Decision(Step.ADOPT, "it exists at the provider under our name")
        if wanted and case.facts.idempotent:
            reason = "not listed, and the driver answers a repeated deploy with the same machine"
            return _not_now(case) or Decision(Step.CREATE, reason)
        if case.sure:
            return Decision(Step.ABSENT if wanted else Step.GONE, "the provider does not list it")
        return _look_again(case)
    if case.facts.idempotent:
        return _not_now(case) or Decision(Step.CREATE, "a repeated deploy answers with the same machine")
    if case.sight.salvaged_id:
        return _poll_salvaged(case)
    return _hold(case, "an operation was started, its end is unknown, and the driver cannot list")


def _poll_salvaged(case: Case) -> Decision:
    if not case.fresh:
        return Decision(Step.POLL, "the driver answered a deploy id before we died")
    if case.seen:
        return Decision(Step.ADOPT, "the machine of the answered deploy id exists")
    return _hold(case, "the driver answered a deploy id, but its poll does not know the machine")


def _hold(case: Case, reason: str) -> Decision:
    if not case.policy.force:
        return Decision(Step.HOLD, reason)
    step = Step.ABSENT if case.resource.wanted is Wanted.PRESENT else Step.GONE
    return Decision(step, f"{reason}; going on without it on the user's word")


def _boot(case: Case) -> Decision:
    r = case.resource
    if case.resource.kind is Kind.ADDRESS:
        return Decision(Step.READY, "allocated")
    if case.fresh and case.sight.health is Health.RUNNING:
        return Decision(Step.READY, "the provider says it runs")
    if case.fresh and case.sight.health is Health.OFF:
        return Decision(Step.STOPPED, "the provider says it is off")
    if case.fresh and case.sight.health is Health.ERROR:
        return Decision(Step.BROKEN, "the provider says it is in error")
    if case.sure and not case.seen and case.now > r.since + case.facts.confirm_s:
        return Decision(Step.BROKEN, "the driver said it was made, but the provider does not know it")
    if case.now > r.since + case.facts.boot_s:
        return Decision(Step.BROKEN, f"not running after {case.facts.boot_s:.0f} s")
    if not case.fresh:
        return Decision(Step.LOOK, "is it running?")
    return _look_again(case)


def _settled(case: Case) -> Decision:
    return Decision(Step.DONE, case.resource.state)


def _broken(case: Case) -> Decision:
    if case.policy.force and case.resource.failures <= case.policy.retries:
        return Decision(Step.DESTROY, "broken, to be replaced on the user's word")
    return Decision(Step.GIVE_UP, case.resource.error or "it exists but cannot be used")


def _discard(case: Case) -> Decision:
    return Decision(Step.GONE, "no driver was ever started for it")


def _destroy(case: Case) -> Decision:
    return Decision(Step.DESTROY, "no longer wanted")


def _failed_and_unwanted(case: Case) -> Decision:
    if not case.facts.can_list:
        return Decision(Step.GONE, "the driver said that it was not made")
    if not case.fresh:
        return Decision(Step.LOOK, "did the failed try leave something?")
    if case.seen:
        return Decision(Step.ADOPT, "the failed try made it all the same")
    if case.sure:
        return Decision(Step.GONE, "the provider does not list it")
    return _look_again(case)


def _retry_destroy(case: Case) -> Decision:
    r = case.resource
    if case.facts.can_list and not case.fresh and r.next_at <= case.now:
        return Decision(Step.LOOK, "is it still there?")
    if case.facts.can_list and case.sure and not case.seen:
        return Decision(Step.GONE, "the provider no longer lists it")
    return _not_now(case) or Decision(Step.DESTROY, _nth_try(case))


def _resolve_destroy(case: Case) -> Decision:
    if case.facts.can_list and not case.fresh:
        return Decision(Step.LOOK, "a removal was started and its end is unknown")
    if case.facts.can_list and case.sure and not case.seen:
        return Decision(Step.GONE, "the provider no longer lists it")
    return _not_now(case) or Decision(Step.DESTROY, "a removal was started and its end is unknown")


def _confirm(case: Case) -> Decision:
    r = case.resource
    if not case.facts.can_list:
        return Decision(Step.GONE, "the driver said it is removed")
    if not case.fresh:
        return Decision(Step.LOOK, "the driver said it is removed; is it?")
    if not case.seen and case.sure:
        return Decision(Step.GONE, "the provider no longer lists it")
    if case.now > r.since + r.lag_s + case.facts.confirm_s:
        return Decision(Step.STILL_THERE, "the driver said it was removed, but the provider still lists it")
    return _look_again(case)


def _look_again(case: Case) -> Decision:
    """Look again later: soon at first, then more and more rarely."""
    pause = min(max((case.sight.at - case.resource.since) / 2, 0.2), 5.0)
    if case.now >= case.sight.at + pause:
        return Decision(Step.LOOK, "not there yet")
    return Decision(Step.WAIT, "waiting for the provider", case.sight.at + pause)


def _gone(case: Case) -> Decision:
    return Decision(Step.DONE, "gone")


_COMMON: dict[State, Callable[[Case], Decision]] = {
    State.CREATING: _in_flight,
    State.DESTROYING: _in_flight,
    State.DESTROY_FAILED: _retry_destroy,
    State.DESTROY_UNKNOWN: _resolve_destroy,
    State.DESTROYED: _confirm,
    State.UNKNOWN: _resolve,
    State.GONE: _gone,
}
_PRESENT = {
    **_COMMON,
    State.NEW: _create_new,
    State.FAILED: _retry_create,
    State.BOOTING: _boot,
    State.READY: _settled,
    State.OFF: _settled,
    State.BROKEN: _broken,
}
_ABSENT = {
    **_COMMON,
    State.NEW: _discard,
    State.FAILED: _failed_and_unwanted,
    State.BOOTING: _destroy,
    State.READY: _destroy,
    State.OFF: _destroy,
    State.BROKEN: _destroy,
}
