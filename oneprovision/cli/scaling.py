"""`add-host`, `del-host`, `add-ip`, `remove-ip`."""

from typing import Any

import click

from onecore.cli.idlist import resolve
from onecore.cli.output import OutputFormat, emit, format_options
from oneprovision.cli.arguments import effort, effort_options, provision_id
from oneprovision.cli.session import Session, pass_session

CHOOSE_ONE = "both --amount and --host-ids are given: choose one"


@click.command("add-host")
@click.argument("provision")
@click.option("-a", "--amount", type=int, metavar="N", help="How many hosts (1).")
@click.option(
    "-i", "--host-ids", "--ids", "ids", metavar="IDS", help="Not for this command: new hosts get new ids."
)
@effort_options
@format_options
@pass_session
def add_host(session: Session, /, provision: str, amount: int | None, ids: str | None, **given: Any) -> None:
    """Add hosts to PROVISION, on the pattern of its template's last. The old ones are not touched.

    \b
    oneprovision add-host 42 --amount 2
    oneprovision add-host web --amount 10 --fail-skip
    """
    from onecore.errors import InvalidInput
    from oneprovision.usecases import scaling

    if ids is not None:
        raise (
            _both()
            if amount is not None
            else InvalidInput("the ids of new hosts cannot be chosen", hint="say how many: --amount N")
        )
    with session.working() as deps:
        number = provision_id(deps, provision)
        changed = scaling.add_host(deps, number, 1 if amount is None else amount, effort(given))
    _print(session, changed.id, given["fmt"])


@click.command("del-host")
@click.argument("provision")
@click.option(
    "-i", "--host-ids", "--ids", "ids", metavar="IDS", help="The hosts, by ids or names: 105,106 or 1..3."
)
@click.option("-a", "--amount", type=int, metavar="N", help="How many: empty ones first, newest first.")
@click.option("-f", "--force", is_flag=True, help="Also hosts on which virtual machines run.")
@format_options
@pass_session
def del_host(
    session: Session, /, provision: str, ids: str | None, amount: int | None, force: bool, fmt: OutputFormat
) -> None:
    """Remove hosts from PROVISION: those named, or as many as asked.

    \b
    oneprovision del-host 42 --host-ids 105,106
    oneprovision del-host 42 --amount 2
    """
    from onecore.errors import InvalidInput
    from oneprovision.usecases import scaling
    from oneprovision.usecases.scaling import RemoveHosts

    if ids is not None and amount is not None:
        raise _both()
    if ids is None and amount is None:
        raise InvalidInput("which hosts?", hint="give --host-ids ID,ID or --amount N")
    with session.working() as deps:
        number = provision_id(deps, provision)
        chosen = () if ids is None else resolve(ids, scaling.host_names(deps, number), "host")
        changed = scaling.remove_hosts(deps, number, RemoveHosts(chosen, amount or 0, force))
    _print(session, changed.id, fmt)


@click.command("add-ip")
@click.argument("provision")
@click.option(
    "-a", "--amount", type=int, default=1, show_default=True, metavar="N", help="How many addresses."
)
@effort_options
@format_options
@pass_session
def add_ip(session: Session, /, provision: str, amount: int, **given: Any) -> None:
    """Lease public addresses; each becomes an address range (AR) of the public network of PROVISION.

    \b
    oneprovision add-ip 42 --amount 1
    """
    from oneprovision.usecases import scaling

    with session.working() as deps:
        changed = scaling.add_ip(deps, provision_id(deps, provision), amount, effort(given))
    _print(session, changed.id, given["fmt"])


@click.command("remove-ip")
@click.argument("provision")
@click.argument("ar_id", type=click.IntRange(0))
@format_options
@pass_session
def remove_ip(session: Session, /, provision: str, ar_id: int, fmt: OutputFormat) -> None:
    """Give the public address of address range AR_ID of PROVISION back.

    \b
    oneprovision remove-ip 42 7
    """
    from oneprovision.usecases import scaling

    with session.working() as deps:
        changed = scaling.remove_ip(deps, provision_id(deps, provision), ar_id)
    _print(session, changed.id, fmt)


def _both() -> Exception:
    from onecore.errors import InvalidInput

    return InvalidInput(CHOOSE_ONE, hint="--amount says how many, --host-ids says which")


def _print(session: Session, number: int, fmt: OutputFormat) -> None:
    """As text, success is silent, so that scripts stay simple; what happened was told on stderr."""
    from oneprovision.usecases import reading

    if fmt is not OutputFormat.TEXT:
        emit(reading.document(session.deps(), number), fmt)
