"""Arguments and options that several commands share, and names turned into ids."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import click

from onecore.cli import waiting
from onecore.cli.idlist import resolve
from onecore.cli.numbers import FiniteRange
from onecore.cli.waiting import limit_option

if TYPE_CHECKING:
    from oneprovision.cli.door import Provisions

Command = TypeVar("Command", bound=Callable[..., Any])

FAIL_MODES = ("retry", "skip", "cleanup", "quit")


def provision_id(door: "Provisions", selector: str) -> int:
    """One provision by id or name."""
    from onecore.errors import InvalidInput

    ids = provision_ids(door, selector)
    if len(ids) != 1:
        raise InvalidInput(f"'{selector}' names {len(ids)} provisions; this command takes one")
    return ids[0]


def provision_ids(door: "Provisions", selector: str) -> tuple[int, ...]:
    """Provisions by ids, ranges and names: `1,8..15,web`. A name means the one that is not DONE, if any.

    All of them exist, so that a slip in a list is said before anything is done with the rest of it."""

    def known() -> Iterator[tuple[int, str]]:
        yield from door.names()

    ids = resolve(selector, known(), "provision")
    door.check(ids)
    return ids


wait_option = limit_option("retry")


def wait_options(command: Command) -> Command:
    """--wait, --no-wait and --wait-timeout, kept in the session."""
    return _wait(wait_option(command))


_wait = waiting.wait_option(
    "Wait until it is done, and exit with 1 if it failed: the default, but not where a server is asked."
    " With --no-wait it is only recorded; a server or `retry` carries it out."
)

_PERSISTENCE = [
    click.option("--threads", type=click.IntRange(1, 256), help="Driver calls at a time (16)."),
    click.option(
        "--fail-retry",
        type=click.IntRange(0, 100),
        metavar="N",
        help="Further tries of a call that failed (3).",
    ),
    click.option(
        "--fail-sleep",
        type=FiniteRange(0, 3600),
        metavar="S",
        help="Seconds before the first of them, then doubling (1).",
    ),
]


def removal_options(command: Command) -> Command:
    """How hard to try to remove something; read them with `persistence`."""
    for option in reversed(_PERSISTENCE):
        command = option(command)
    return command


def persistence(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of Options that were given by flags; the others stay as they were."""
    fields = {
        "threads": given["threads"],
        "fail_retry": given["fail_retry"],
        "fail_sleep_s": given["fail_sleep"],
    }
    return {name: value for name, value in fields.items() if value is not None}


def effort_options(command: Command) -> Command:
    """How hard to try, and what to do when it fails; read them with `effort`."""
    options = [
        *_PERSISTENCE,
        click.option("--fail-cleanup", is_flag=True, help="When hosts cannot be made: remove what was made."),
        click.option("--fail-skip", is_flag=True, help="When hosts cannot be made: go on without them."),
        click.option(
            "--fail-quit",
            is_flag=True,
            help="When hosts cannot be made: stop and keep the rest for `retry` (default).",
        ),
        click.option(
            "--fail-modes", metavar="M1,M2", default="", help="The same, in order: skip,cleanup,quit."
        ),
        click.option(
            "--ping-timeout",
            type=FiniteRange(0, 3600),
            metavar="S",
            help="Seconds between SSH probes (20).",
        ),
        click.option(
            "--ping-retries",
            type=click.IntRange(1, 10_000),
            metavar="N",
            help="SSH probes before giving up (10).",
        ),
        click.option(
            "--configure-timeout",
            type=FiniteRange(1, 1_000_000),
            metavar="S",
            help="Seconds for one run of a playbook (3600).",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def effort(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of Options that were given by flags; the others stay as they were."""
    from onecore.errors import InvalidInput
    from oneprovision.model.provision import OnFailure

    modes = [mode.strip() for mode in given["fail_modes"].split(",") if mode.strip()]
    unknown = [mode for mode in modes if mode not in FAIL_MODES]
    if unknown:
        raise InvalidInput(f"unknown fail mode '{unknown[0]}'", hint=f"known: {', '.join(FAIL_MODES)}")
    order = [mode for mode in ("skip", "cleanup", "quit") if given[f"fail_{mode}"]]
    chosen = tuple(OnFailure(mode) for mode in dict.fromkeys(modes + order) if mode != "retry")
    fields: dict[str, Any] = {
        "on_failure": chosen or None,
        "ping_timeout_s": given["ping_timeout"],
        "ping_retries": given["ping_retries"],
        "configure_timeout_s": given["configure_timeout"],
    }
    return persistence(given) | {name: value for name, value in fields.items() if value is not None}
