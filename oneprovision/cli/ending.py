"""`retry`, `configure`, `cancel`, `deprovision`, `delete`."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from onecore.cli.confirm import confirm
from onecore.cli.output import OutputFormat, emit, format_options, write
from onecore.cli.session import Session, pass_session
from oneprovision.cli.arguments import (
    effort,
    effort_options,
    persistence,
    provision_ids,
    removal_options,
    wait_option,
)

if TYPE_CHECKING:
    from onecore.deps import Deps
    from oneprovision.model.states import Operation


@click.command()
@click.argument("provisions")
@click.option(
    "-f", "--force", is_flag=True, help="From any state: check, repair, and go on without what is lost."
)
@effort_options
@format_options
@pass_session
def retry(session: Session, /, provisions: str, force: bool, **given: Any) -> None:
    """Carry on from the last recoverable step of PROVISIONS. Finished work is not repeated.

    With --force also when a provision runs (what vanished is made anew, what is broken is replaced), and
    when nobody can find out whether a machine exists (it is then given up).

    \b
    oneprovision retry 42
    oneprovision retry 1,3..5 --force
    """
    from oneprovision.model.states import Operation
    from oneprovision.usecases import repair

    options = effort(given)
    each = Each(Operation.RETRY, lambda deps, i: repair.retry(deps, i, force, options), force)
    _for_each(session, provisions, given["fmt"], each)


@click.command()
@click.argument("provisions")
@click.option("-f", "--force", is_flag=True, help="Also hosts that are configured already.")
@format_options
@wait_option
@pass_session
def configure(session: Session, /, provisions: str, force: bool, fmt: OutputFormat) -> None:
    """Configure the hosts of PROVISIONS that are not: wait until each lets us in, and run the playbooks.

    \b
    oneprovision configure 42
    oneprovision configure 42 --force
    """
    from oneprovision.model.states import Operation
    from oneprovision.usecases import repair

    each = Each(Operation.CONFIGURE, lambda deps, i: repair.configure(deps, i, force))
    _for_each(session, provisions, fmt, each)


@click.command()
@click.argument("provisions")
@pass_session
def cancel(session: Session, /, provisions: str) -> None:
    """Stop what is being done with PROVISIONS; a failed scale is taken back.

    \b
    oneprovision cancel 42
    """
    from oneprovision.usecases import removal

    with session.working() as deps:
        told = [removal.cancel(deps, i) for i in provision_ids(deps, provisions)]
    write("".join(f"{text}\n" for text in told))


@click.command()
@click.argument("provisions")
@click.option("-f", "--force", is_flag=True, help="Even while virtual machines run on the hosts.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("-j", "--json", "as_json", is_flag=True, help="Print JSON.")
@removal_options
@pass_session
def deprovision(
    session: Session, /, provisions: str, force: bool, yes: bool, as_json: bool, **given: Any
) -> None:
    """Remove every machine, address and object of PROVISIONS. They cannot be recovered.

    \b
    oneprovision deprovision 42
    oneprovision deprovision 42 --yes --force
    oneprovision deprovision 42 --yes --fail-retry 10
    """
    from oneprovision.model.states import Operation
    from oneprovision.usecases import removal

    ids = provision_ids(session.deps(), provisions)
    if not confirm(f"remove everything of provision {_listed(ids)}?", yes, sys.stdin.isatty()):
        raise click.Abort
    fmt, options = OutputFormat.JSON if as_json else OutputFormat.TEXT, persistence(given)
    each = Each(Operation.DEPROVISION, lambda deps, i: removal.deprovision(deps, i, force, options))
    _for_each(session, provisions, fmt, each)


@click.command()
@click.argument("provisions")
@click.option("-f", "--force", is_flag=True, help="Deprovision first, if it is not DONE.")
@click.option("--from-db", is_flag=True, help="Forget the records only; what exists stays, and is listed.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@pass_session
def delete(session: Session, /, provisions: str, force: bool, from_db: bool, yes: bool) -> None:
    """Forget PROVISIONS that are DONE.

    \b
    oneprovision delete 42
    oneprovision delete 42 --force --yes
    oneprovision delete 42 --from-db --yes
    """
    from oneprovision.usecases import removal

    ids = provision_ids(session.deps(), provisions)
    drastic = "remove everything of" if force and not from_db else "forget the records of"
    if (force or from_db) and not confirm(f"{drastic} provision {_listed(ids)}?", yes, sys.stdin.isatty()):
        raise click.Abort
    with session.working() as deps:
        left = [resource for i in ids for resource in removal.delete(deps, i, force, from_db)]
    for resource in left:
        write(f"{resource.kind} {resource.name} {resource.driver} {resource.deploy_id or '-'}\n")
    if left:
        click.echo(f"{len(left)} left at the providers; see: oneprovision orphans", err=True)


@dataclass(frozen=True)
class Each:
    """What is done with each of several provisions, and what their states have to allow for it."""

    operation: "Operation"
    act: "Callable[[Deps, int], object]"
    force: bool = False


def _for_each(session: Session, selector: str, fmt: OutputFormat, each: Each) -> None:
    """One after the other; the first failure ends it. What is refused for one is begun with none."""
    from oneprovision.usecases import reading
    from oneprovision.usecases.work import check_all

    with session.working() as deps:
        ids = provision_ids(deps, selector)
        check_all(deps, ids, each.operation, each.force)
        for i in ids:
            each.act(deps, i)
    if fmt is not OutputFormat.TEXT:
        for i in ids:
            emit(reading.document(session.deps(), i), fmt)


def _listed(ids: Iterable[int]) -> str:
    return ", ".join(map(str, ids))
