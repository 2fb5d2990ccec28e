"""`retry`, `configure`, `cancel`, `deprovision`, `delete`."""

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from onecore.cli.confirm import confirm
from onecore.cli.output import OutputFormat, emit, format_options, write
from onecore.errors import NotFound
from oneprovision.cli.arguments import (
    effort,
    effort_options,
    persistence,
    provision_ids,
    removal_options,
    wait_options,
)
from oneprovision.cli.session import FormSession, pass_session
from oneprovision.cli.waiting import conclude

if TYPE_CHECKING:
    from oneprovision.cli.door import Provisions
    from oneprovision.model.states import Operation


@click.command()
@click.argument("provisions")
@click.option(
    "-f", "--force", is_flag=True, help="From any state: check, repair, and go on without what is lost."
)
@effort_options
@wait_options
@format_options
@pass_session
def retry(session: FormSession, /, provisions: str, force: bool, **given: Any) -> None:
    """Carry on from the last recoverable step of PROVISIONS. Finished work is not repeated.

    With --force also when a provision runs (what vanished is made anew, what is broken is replaced), and
    when nobody can find out whether a machine exists (it is then given up).

    \b
    oneprovision retry 42
    oneprovision retry 1,3..5 --force
    """
    from oneprovision.model.states import Operation

    options = effort(given)
    each = Each(Operation.RETRY, lambda door, i: door.retry(i, force, options), force)
    _for_each(session, provisions, given["fmt"], each)


@click.command()
@click.argument("provisions")
@click.option("-f", "--force", is_flag=True, help="Also hosts that are configured already.")
@format_options
@wait_options
@pass_session
def configure(session: FormSession, /, provisions: str, force: bool, fmt: OutputFormat) -> None:
    """Configure the hosts of PROVISIONS that are not: wait until each lets us in, and run the playbooks.

    \b
    oneprovision configure 42
    oneprovision configure 42 --force
    """
    from oneprovision.model.states import Operation

    each = Each(Operation.CONFIGURE, lambda door, i: door.configure(i, force))
    _for_each(session, provisions, fmt, each)


@click.command()
@click.argument("provisions")
@wait_options
@pass_session
def cancel(session: FormSession, /, provisions: str) -> None:
    """Stop what is being done with PROVISIONS; a failed scale is taken back.

    \b
    oneprovision cancel 42
    """
    with session.acting() as door:
        ids = provision_ids(door, provisions)
        told = [door.cancel(i) for i in ids]
        write("".join(f"{text}\n" for text in told if text))
        conclude(session, door, ids)


@click.command()
@click.argument("provisions")
@click.option(
    "-f",
    "--force",
    is_flag=True,
    help="Even while virtual machines run on the hosts; those of an OpenNebula are deleted, and images, too.",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("-j", "--json", "as_json", is_flag=True, help="Print JSON.")
@removal_options
@wait_options
@pass_session
def deprovision(
    session: FormSession, /, provisions: str, force: bool, yes: bool, as_json: bool, **given: Any
) -> None:
    """Remove every machine, address and object of PROVISIONS. They cannot be recovered.

    \b
    oneprovision deprovision 42
    oneprovision deprovision 42 --yes --force
    oneprovision deprovision 42 --yes --fail-retry 10
    """
    from oneprovision.model.states import Operation

    ids = provision_ids(session.provisions(), provisions)
    if not confirm(f"remove everything of provision {_listed(ids)}?", yes, sys.stdin.isatty()):
        raise click.Abort
    fmt, options = OutputFormat.JSON if as_json else OutputFormat.TEXT, persistence(given)
    each = Each(Operation.DEPROVISION, lambda door, i: door.deprovision(i, force, options))
    _for_each(session, provisions, fmt, each)


@click.command()
@click.argument("provisions")
@click.option("-f", "--force", is_flag=True, help="Deprovision first, with --force, if it is not DONE.")
@click.option("--from-db", is_flag=True, help="Forget the records only; what exists stays, and is listed.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@wait_options
@pass_session
def delete(session: FormSession, /, provisions: str, force: bool, from_db: bool, yes: bool) -> None:
    """Forget PROVISIONS that are DONE.

    \b
    oneprovision delete 42
    oneprovision delete 42 --force --yes
    oneprovision delete 42 --from-db --yes
    """
    ids = provision_ids(session.provisions(), provisions)
    drastic = "remove everything of" if force and not from_db else "forget the records of"
    if (force or from_db) and not confirm(f"{drastic} provision {_listed(ids)}?", yes, sys.stdin.isatty()):
        raise click.Abort
    with session.acting() as door:
        left = [line for i in ids for line in door.delete(i, force, from_db)]
        if force and not from_db and (session.is_remote or not session.waits):
            conclude(session, door, ids)
            _forget(door, ids if session.waits else ())
    write("".join(f"{line}\n" for line in left))
    if left:
        click.echo(f"{len(left)} left at the providers; see: oneprovision orphans", err=True)


def _forget(door: "Provisions", ids: Iterable[int]) -> None:
    """Those that are over now, and whose records are there still."""
    for i in ids:
        with suppress(NotFound):
            door.delete(i, force=False, from_db=False)


@dataclass(frozen=True)
class Each:
    """What is done with each of several provisions, and what their states have to allow for it."""

    operation: "Operation"
    act: "Callable[[Provisions, int], None]"
    force: bool = False


def _for_each(session: FormSession, selector: str, fmt: OutputFormat, each: Each) -> None:
    """One after the other; the first failure ends it. What is refused for one is begun with none."""
    with session.acting() as door:
        ids = provision_ids(door, selector)
        door.require(ids, each.operation, each.force)
        for i in ids:
            each.act(door, i)
        conclude(session, door, ids)
    if fmt is not OutputFormat.TEXT:
        for i in ids:
            emit(session.provisions().document(i), fmt)


def _listed(ids: Iterable[int]) -> str:
    return ", ".join(map(str, ids))
