"""Everything that can go wrong in a way a person can act on: what, which, and what to do next."""

from collections.abc import Mapping


class OneError(Exception):
    """An expected failure. `exit_code` is for the shell, `http_status` for the REST edge.

    `http_status` of one error says more than its class does (501: the driver lacks the action).
    `message` is lower case, names the thing and its value; `hint` is the next step; `context` holds
    machine-readable details (never a secret).
    """

    exit_code = 1
    http_status = 500

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        retryable: bool = False,
        context: Mapping[str, object] | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.retryable = retryable
        self.context = dict(context or {})
        if http_status is not None:
            self.http_status = http_status


class InvalidInput(OneError):
    """What was asked cannot be done as written; nothing was changed."""

    exit_code = 2
    http_status = 400


class NotFound(OneError):
    """The named object does not exist."""

    exit_code = 3
    http_status = 404


class NotAuthorized(OneError):
    """The user is unknown or lacks the right."""

    exit_code = 4
    http_status = 403


class WrongState(OneError):
    """The object exists but its state, or somebody at work on it, does not allow the request."""

    exit_code = 5
    http_status = 409


class DriverFailed(OneError):
    """A driver or the provider behind it did not do what it was asked."""

    http_status = 502


class StoreFailed(OneError):
    """The state could not be read or written; nothing was changed."""


# The reasons to stop waiting that are no signal's name.
CANCELLED = "cancelled"
TIMED_OUT = "timed out"


class TimedOut(OneError):
    """Something did not happen within its deadline."""

    exit_code = 124
    http_status = 504


class Interrupted(OneError):
    """The user stopped waiting."""

    exit_code = 130
    http_status = 503
