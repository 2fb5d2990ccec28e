"""`add-host`, `del-host`, `add-ip`, `remove-ip`."""

from typing import TYPE_CHECKING, Any

import click

from onecore.cli.idlist import resolve
from onecore.cli.output import OutputFormat, emit, format_options
from oneprovision.cli.arguments import (
    effort,
    effort_options,
    persistence,
    provision_id,
    removal_options,
    wait_options,
)
from oneprovision.cli.session import FormSession, pass_session
from oneprovision.cli.waiting import conclude

if TYPE_CHECKING:
    from oneprovision.cli.door import Provisions

CHOOSE_ONE = "both --amount and --host-ids are given: choose one"


@click.command("add-host")
@click.argument("provision")
@click.option("-a", "--amount", type=int, metavar="N", help="How many hosts (1).")
@click.option("-i", "--ips", metavar="ADDRESSES", help="On premises: the machines to adopt, with commas.")
@click.option("--host-ids", "--ids", "ids", metavar="IDS", help="Not for this command: hosts get new ids.")
@effort_options
@wait_options
@format_options
@pass_session
def add_host(
    session: FormSession, /, provision: str, amount: int | None, ids: str | None, **given: Any
) -> None:
    """Add hosts to PROVISION, on the pattern of its template's last. The old ones are not touched.

    Of a provision on premises, whose machines exist already, say which: --ips.

    \b
    oneprovision add-host 42 --amount 2
    oneprovision add-host web --amount 10 --fail-skip
    oneprovision add-host 7 --ips 192.0.2.7,192.0.2.8
    """
    from onecore.errors import InvalidInput

    ips = tuple(part.strip() for part in (given["ips"] or "").split(",") if part.strip())
    if ips and amount is not None:
        raise InvalidInput("both --amount and --ips are given: choose one")

    if ids is not None:
        raise (
            _both()
            if amount is not None
            else InvalidInput("the ids of new hosts cannot be chosen", hint="say how many: --amount N")
        )
    with session.acting() as door:
        number = provision_id(door, provision)
        door.add_hosts(number, 1 if amount is None else amount, ips, effort(given))
        conclude(session, door, (number,))
    _print(session, number, given["fmt"])


@click.command("del-host")
@click.argument("provision")
@click.option(
    "-i", "--host-ids", "--ids", "ids", metavar="IDS", help="The hosts, by ids or names: 105,106 or 1..3."
)
@click.option("-a", "--amount", type=int, metavar="N", help="How many: empty ones first, newest first.")
@click.option("-f", "--force", is_flag=True, help="Also hosts on which virtual machines run.")
@removal_options
@wait_options
@format_options
@pass_session
def del_host(
    session: FormSession,
    /,
    provision: str,
    ids: str | None,
    amount: int | None,
    force: bool,
    **given: Any,
) -> None:
    """Remove hosts from PROVISION: those named, or as many as asked.

    \b
    oneprovision del-host 42 --host-ids 105,106
    oneprovision del-host 42 --amount 2
    """
    from onecore.errors import InvalidInput
    from oneprovision.usecases.scaling import RemoveHosts

    if ids is not None and amount is not None:
        raise _both()
    if ids is None and amount is None:
        raise InvalidInput("which hosts?", hint="give --host-ids ID,ID or --amount N")
    with session.acting() as door:
        number = provision_id(door, provision)
        known = door.objects(number, "host") if ids else []
        chosen = () if ids is None else resolve(ids, known, "host")
        door.remove_hosts(number, RemoveHosts(chosen, amount or 0, force), persistence(given))
        conclude(session, door, (number,))
    _print(session, number, given["fmt"])


@click.command("add-ip")
@click.argument("provision")
@click.option(
    "-a", "--amount", type=int, default=1, show_default=True, metavar="N", help="How many addresses."
)
@click.option("--network", metavar="NETWORK", help="By id or name, instead of the first public one.")
@effort_options
@wait_options
@format_options
@pass_session
def add_ip(session: FormSession, /, provision: str, amount: int, network: str | None, **given: Any) -> None:
    """Lease public addresses; each becomes an address range (AR) of the public network of PROVISION.

    \b
    oneprovision add-ip 42 --amount 1
    oneprovision add-ip web --amount 2 --network web-public
    """
    with session.acting() as door:
        number = provision_id(door, provision)
        door.add_ip(number, amount, _network(door, number, network), effort(given))
        conclude(session, door, (number,))
    _print(session, number, given["fmt"])


@click.command("remove-ip")
@click.argument("provision")
@click.argument("ar_id", type=click.IntRange(0))
@click.option("--network", metavar="NETWORK", help="By id or name, where several networks have that AR_ID.")
@removal_options
@wait_options
@format_options
@pass_session
def remove_ip(session: FormSession, /, provision: str, ar_id: int, network: str | None, **given: Any) -> None:
    """Give the public address of address range AR_ID of PROVISION back.

    \b
    oneprovision remove-ip 42 7
    oneprovision remove-ip web 0 --network web-public
    """
    with session.acting() as door:
        number = provision_id(door, provision)
        door.remove_ip(number, ar_id, _network(door, number, network), persistence(given))
        conclude(session, door, (number,))
    _print(session, number, given["fmt"])


def _network(door: "Provisions", provision: int, selector: str | None) -> int | None:
    if selector is None:
        return None
    from onecore.errors import InvalidInput

    ids = resolve(selector, door.objects(provision, "network"), "network")
    if len(ids) != 1:
        raise InvalidInput(f"'{selector}' names {len(ids)} networks; this command takes one")
    return ids[0]


def _both() -> Exception:
    from onecore.errors import InvalidInput

    return InvalidInput(CHOOSE_ONE, hint="--amount says how many, --host-ids says which")


def _print(session: FormSession, number: int, fmt: OutputFormat) -> None:
    """As text, success is silent, so that scripts stay simple; what happened was told on stderr."""
    if fmt is not OutputFormat.TEXT:
        emit(session.provisions().document(number), fmt)
