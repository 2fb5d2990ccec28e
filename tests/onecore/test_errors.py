"""Every error knows what the shell and the REST edge make of it."""

import pytest

from onecore import errors
from onecore.errors import OneError

FATES = {
    "OneError": (1, 500),
    "InvalidInput": (2, 400),
    "NotFound": (3, 404),
    "NotAuthorized": (4, 403),
    "WrongState": (5, 409),
    "DriverFailed": (1, 502),
    "StoreFailed": (1, 500),
    "TimedOut": (124, 504),
    "Interrupted": (130, 503),
}
CLASSES = {
    name: each for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, OneError)
}


@pytest.mark.parametrize(("name", "fate"), FATES.items())
def test_exit_code_and_http_status(name, fate):
    assert (CLASSES[name].exit_code, CLASSES[name].http_status) == fate


def test_the_table_above_is_whole_and_small():
    assert CLASSES.keys() == FATES.keys()
    assert len(CLASSES) - 1 <= 8


def test_an_error_carries_what_which_and_what_next():
    context = {"id": 3}
    error = errors.DriverFailed("quota reached", hint="ask for more", retryable=True, context=context)
    context["id"] = 4
    assert str(error) == error.message == "quota reached"
    assert (error.hint, error.retryable, error.context) == ("ask for more", True, {"id": 3})


def test_nothing_but_the_message_is_needed():
    error = errors.NotFound("no such thing")
    assert (error.hint, error.retryable, error.context) == ("", False, {})
