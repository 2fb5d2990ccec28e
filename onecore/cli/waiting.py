"""--wait, --no-wait and --wait-timeout, kept in the session."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from onecore.cli.client import ClientSession
from onecore.cli.numbers import FiniteRange
from onecore.cli.session import Session

Command = TypeVar("Command", bound=Callable[..., Any])


def limit_option(carries_on: str) -> Callable[[Command], Command]:
    """--wait-timeout; `carries_on` is the command that does."""
    return click.option(
        "--wait-timeout",
        type=FiniteRange(0, 10_000_000),
        metavar="S",
        expose_value=False,
        callback=_remember_limit,
        help=f"Stop waiting after S seconds, with exit code 124; `{carries_on}` carries on.",
    )


def wait_option(text: str) -> Callable[[Command], Command]:
    """--wait and --no-wait, with that help."""
    return click.option(
        "--wait/--no-wait", default=None, expose_value=False, callback=_remember_wait, help=text
    )


def _remember_limit(ctx: click.Context, parameter: click.Parameter, seconds: float | None) -> None:
    session = ctx.find_object(Session)
    if session is not None:
        session.wait_timeout_s = seconds


def _remember_wait(ctx: click.Context, parameter: click.Parameter, wanted: bool | None) -> None:
    session = ctx.find_object(ClientSession)
    if session is not None:
        session.wait = wanted
