"""How far a service is, and what is said when it is not where one wanted it."""

from collections.abc import Mapping, Sequence
from typing import Any

from onecore.errors import TIMED_OUT, Interrupted, OneError, TimedOut
from onecore.history import Event
from oneflow.cli.door import Progress
from oneflow.model.states import RoleState, ServiceState


def progress_of(number: int, body: Mapping[str, Any], has_jobs: bool, errors: Sequence[Event]) -> Progress:
    """From the body of a service, stored or served, and the lines of its log that are errors."""
    leaving = [RoleState(int(role["state"])) for role in body["roles"] if role.get("leaving")]
    stuck = leaving.count(RoleState.FAILED_UNDEPLOYING)
    why = _reason(errors[-1]) if errors else ""
    busy = has_jobs or len(leaving) > stuck
    return Progress(number, ServiceState(int(body["state"])), busy, why, stuck > 0)


def stopped(reason: str, numbers: Sequence[int]) -> OneError:
    """For a user who stopped waiting, or wanted to wait no longer."""
    listed = ",".join(map(str, numbers))
    hint = f"follow it with: oneflow logs {numbers[0]} --follow; carry on with: oneflow recover {listed}"
    if reason == TIMED_OUT:
        return TimedOut(f"stopped waiting for service {listed}: it is not settled yet", hint=hint)
    return Interrupted(f"stopped waiting for service {listed} ({reason})", hint=hint)


def failure(progress: Progress) -> OneError:
    """For a service that ended in a state of failure."""
    number = progress.id
    because = f": {progress.why}" if progress.why else ""
    return OneError(
        f"service {number} is {progress.state.name}{because}",
        hint=f"see: oneflow logs {number}; then: oneflow recover {number}, or: oneflow delete {number}",
        context={"service": number, "state": progress.state.name},
    )


def _reason(event: Event) -> str:
    return f"{event.action}: {event.text}" if event.text else event.action
