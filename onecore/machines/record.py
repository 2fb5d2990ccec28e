"""How a record changes when something was decided, answered or seen: pure."""

from dataclasses import replace

from onecore.machines.calls import Seen
from onecore.machines.decide import Health, Sight, Step
from onecore.machines.model import MACHINE, Event, Resource, RetryPolicy, State, Wanted


def started(r: Resource, step: Step, now: float) -> Resource:
    """An operation is about to start."""
    event = Event.CREATE if step is Step.CREATE else Event.DESTROY
    return replace(r, state=MACHINE.next(r.state, event), since=now)


def created(r: Resource, deploy_id: str, addresses: tuple[str, ...], now: float) -> Resource:
    """The driver says that it made it. Its word ends no count of failures: only what is seen does."""
    return replace(
        r,
        state=MACHINE.next(r.state, Event.CREATED),
        deploy_id=deploy_id,
        addresses=addresses or r.addresses,
        error="",
        since=now,
    )


def destroyed(r: Resource, now: float) -> Resource:
    """The driver says that it removed it; as with `created`, the tries go on being counted."""
    return replace(r, state=MACHINE.next(r.state, Event.DESTROYED), error="", since=now)


def refused(r: Resource, error: str, policy: RetryPolicy, now: float, jitter: float) -> Resource:
    """The driver answered that it failed."""
    return _failed(r, Event.REFUSED, error, now, policy.pause(r.failures + 1, jitter))


def lost(r: Resource, error: str, policy: RetryPolicy, now: float, jitter: float) -> Resource:
    """The driver gave no answer that can be trusted, so what it did is unknown."""
    return _failed(r, Event.LOST, error, now, policy.pause(r.failures + 1, jitter))


def orphaned(r: Resource, salvaged_id: str, now: float) -> Resource:
    """Whoever started the driver died. `salvaged_id` is what the driver printed meanwhile, a hint only."""
    event = Event.LOST if MACHINE.allows(r.state, Event.LOST) else None
    if event is None:
        return replace(r, since=now)
    error = "the process that started the driver ended before the answer was recorded"
    changed = replace(r, state=MACHINE.next(r.state, event), error=error, since=now)
    return changed if r.deploy_id else replace(changed, deploy_id=salvaged_id)


def concluded(r: Resource, step: Step, reason: str, sight: Sight, seen: Seen | None) -> Resource:
    """A decision that needs no driver. `since` stays, so that what was seen stays fresh."""
    state = MACHINE.next(r.state, _EVENTS[step])
    if step is Step.ADOPT:
        return replace(_as_seen(r, seen), state=state, deploy_id=sight.deploy_id, error="")
    if step in (Step.READY, Step.STOPPED):
        return replace(_as_seen(r, seen), state=state, error="", failures=0)
    if step is Step.AGAIN:
        return replace(r, state=state, deploy_id="", addresses=(), error="")
    if step is Step.ABSENT:
        return replace(r, state=state, deploy_id="", error=r.error or reason)
    return replace(_as_seen(r, seen), state=state, error=reason, failures=r.failures + 1)


def observed(r: Resource, seen: Seen | None, now: float) -> Resource:
    """What a look at a settled machine says of it. None, or gone: the provider does not know it."""
    if seen is None or seen.health is Health.GONE:
        return replace(
            r, state=MACHINE.next(r.state, Event.VANISHED), deploy_id="", addresses=(), failures=0, since=now
        )
    event = _HEALTH.get(seen.health)
    off_by_our_word = r.state is State.OFF and not seen.told
    if event is None or off_by_our_word or not MACHINE.allows(r.state, event):
        return _as_seen(r, seen)
    error = "the provider says it is in error" if event is Event.BROKE else ""
    return replace(_as_seen(r, seen), state=MACHINE.next(r.state, event), error=error)


def unwanted(r: Resource) -> Resource:
    """The user no longer wants it: the tries begin anew."""
    return replace(r, wanted=Wanted.ABSENT, failures=0, next_at=0.0)


def encouraged(r: Resource) -> Resource:
    """The user asked to try again."""
    return replace(r, failures=0, next_at=0.0)


def _failed(r: Resource, event: Event, error: str, now: float, pause: float) -> Resource:
    return replace(
        r,
        state=MACHINE.next(r.state, event),
        failures=r.failures + 1,
        error=error,
        since=now,
        next_at=now + pause,
    )


def _as_seen(r: Resource, seen: Seen | None) -> Resource:
    if seen is None:
        return r
    # What answers to our name is ours: should the driver have answered another id, this one removes it.
    deploy_id = seen.deploy_id or r.deploy_id
    return replace(
        r, deploy_id=deploy_id, addresses=seen.addresses or r.addresses, metrics=dict(seen.metrics)
    )


_EVENTS = {
    Step.ADOPT: Event.ADOPTED,
    Step.ABSENT: Event.ABSENT,
    Step.READY: Event.READY,
    Step.STOPPED: Event.STOPPED,
    Step.BROKEN: Event.BROKE,
    Step.AGAIN: Event.VANISHED,
}
_HEALTH = {Health.RUNNING: Event.READY, Health.OFF: Event.STOPPED, Health.ERROR: Event.BROKE}
