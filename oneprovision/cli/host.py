"""`host`: list, show, poll, reboot, poweroff, resume, suspend, ssh, configure, accept-key."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from onecore.cli.idlist import resolve
from onecore.cli.listing import TableOptions, describe, table, table_options
from onecore.cli.numbers import FiniteRange
from onecore.cli.output import OutputFormat, emit, format_options, sections, write
from onecore.cli.session import Session, pass_session
from oneprovision.cli.host_view import COLUMNS, described
from oneprovision.cli.power import Power, add_commands

if TYPE_CHECKING:
    from onecore.deps import Deps
    from oneprovision.usecases.hosts import Host, Outcome

_timeout = click.option(
    "--timeout",
    "within_s",
    type=FiniteRange(0, 86_400),
    metavar="S",
    help="Seconds to wait until the provider shows it (as the driver declares).",
)


@click.group()
def host() -> None:
    """Look at the hosts of all provisions, and act on them. HOSTS are ids, ranges or names: 1,8..15,web-0.

    \b
    oneprovision host list
    oneprovision host reboot 3 --hard
    oneprovision host ssh 3 uptime
    """


@host.command("list")
@table_options
@pass_session
def list_(session: Session, options: TableOptions) -> None:
    """List the hosts, with what was last seen of their machines.

    \b
    oneprovision host list
    oneprovision host list -f PROVISION=0 -l ID,IP,STAT
    oneprovision host list -j
    """
    from oneprovision.usecases import hosts

    _table(lambda: hosts.every(session.deps()), options)


@host.command()
@click.argument("selected", metavar="HOST")
@format_options
@pass_session
def show(session: Session, /, selected: str, fmt: OutputFormat) -> None:
    """Show HOST, its machine, and what its driver was given (secrets masked).

    \b
    oneprovision host show 3
    oneprovision host show web-0 -j
    """
    from oneprovision.usecases import hosts

    deps = session.deps()
    one = hosts.get(deps, _one(deps, selected))
    document: Any = hosts.document(one)
    given = hosts.deployment(deps, one)
    if fmt is OutputFormat.TEXT:
        sections(described(document["HOST"], given))
    else:
        emit({"HOST": {**document["HOST"], "DEPLOYMENT": given}}, fmt)


@host.command()
@click.argument("selected", metavar="HOSTS")
@table_options
@pass_session
def poll(session: Session, /, selected: str, options: TableOptions) -> None:
    """Look at the machines of HOSTS at their providers now, and keep what is seen.

    \b
    oneprovision host poll 3
    oneprovision host poll 1,8..15 -j
    """
    from oneprovision.usecases import hosts

    if options.describe:
        describe(COLUMNS, options)
        return
    with session.working() as deps:
        outcome = hosts.poll(deps, _ids(deps, selected))
    _table(lambda: outcome.hosts, options)
    _raise_problems(outcome, "oneprovision retry {} --force makes anew what vanished")


@host.command()
@click.argument("selected", metavar="HOSTS")
@click.option("--hard", "-H", is_flag=True, help="Reset: do not ask the system to shut down first.")
@_timeout
@format_options
@pass_session
def reboot(session: Session, /, selected: str, hard: bool, within_s: float | None, fmt: OutputFormat) -> None:
    """Restart the machines of HOSTS, and wait until they run.

    \b
    oneprovision host reboot 3
    oneprovision host reboot 8..15 --hard
    """
    _act(session, selected, "RESET" if hard else "REBOOT", fmt, {"within_s": within_s})


@host.command()
@click.argument("selected", metavar="HOSTS")
@click.option("-f", "-F", "--force", is_flag=True, help="Also hosts that are configured already.")
@format_options
@pass_session
def configure(session: Session, /, selected: str, force: bool, fmt: OutputFormat) -> None:
    """Configure HOSTS: wait until each lets us in over SSH, and run the playbooks of its provision.

    \b
    oneprovision host configure 3
    oneprovision host configure 3 --force
    """
    from oneprovision.usecases import hosts

    with session.working() as deps:
        done = hosts.configure(deps, _ids(deps, selected), force)
    _print(done, "configured", fmt)


@host.command("accept-key")
@click.argument("selected", metavar="HOSTS")
@pass_session
def accept_key(session: Session, selected: str) -> None:
    """Record the SSH host key that HOSTS answer with now, in place of the recorded one.

    For machines that were really replaced. Compare the fingerprint with what you know of the machine.

    \b
    oneprovision host accept-key 3
    """
    from onecore.host_keys import fingerprint
    from oneprovision.model.configuration import host_key_of
    from oneprovision.usecases import hosts

    with session.working() as deps:
        accepted = hosts.accept_key(deps, _ids(deps, selected))
    for one, before in accepted:
        was = f" (was {fingerprint(before)})" if before else ""
        write(f"HOST {one.id}: {fingerprint(host_key_of(one.object))}{was}\n")


@host.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("selected", metavar="HOST")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@pass_session
def ssh(session: Session, /, selected: str, command: tuple[str, ...]) -> None:
    """Log in to HOST with the user, port and key of its connection, or run COMMAND there.

    \b
    oneprovision host ssh 3
    oneprovision host ssh web-0 systemctl status libvirtd
    """
    from onecore import process
    from oneprovision.usecases import hosts

    deps = session.deps()
    argv = hosts.ssh_command(deps, _one(deps, selected), command)
    session.finish(0)
    process.replace(argv, session.settings.environ)


def _act(session: Session, selected: str, action: str, fmt: OutputFormat, given: dict[str, Any]) -> None:
    from onecore.machines.power import Action
    from oneprovision.usecases import hosts

    with session.working() as deps:
        outcome = hosts.act(deps, _ids(deps, selected), Action[action], given["within_s"])
    well = [one for one in outcome.hosts if one.id not in outcome.problems]
    _print(well, _DONE[action], fmt)
    _raise_problems(outcome, "look again: oneprovision host poll {}")


_DONE = {
    "REBOOT": "rebooted",
    "RESET": "rebooted",
    "POWER_OFF": "powered off",
    "POWER_ON": "resumed",
    "SUSPEND": "suspended",
}
_POWERS = (
    Power(
        "poweroff",
        "POWER_OFF",
        "Turn the machines of HOSTS off. They go on existing, and mostly go on costing.",
        ("poweroff 3",),
    ),
    Power("resume", "POWER_ON", "Turn the machines of HOSTS on again.", ("resume 3",)),
    Power(
        "suspend",
        "SUSPEND",
        "Put the machines of HOSTS to sleep, where the driver can; `resume` wakes them.",
        ("suspend 3",),
    ),
)
add_commands(host, "HOSTS", _POWERS, _act, (_timeout,))


def _print(shown: "Sequence[Host]", done: str, fmt: OutputFormat) -> None:
    from oneprovision.usecases import hosts

    if fmt is OutputFormat.TEXT:
        write("".join(f"HOST {one.id}: {done}\n" for one in shown))
    else:
        emit(hosts.pool(shown), fmt)


def _raise_problems(outcome: "Outcome", hint: str) -> None:
    from onecore.errors import DriverFailed

    if not outcome.problems:
        return
    failed = [one for one in outcome.hosts if one.id in outcome.problems]
    first = failed[0].provision.id if "retry" in hint else failed[0].id
    raise DriverFailed(
        "; ".join(f"host {one.id}: {outcome.problems[one.id]}" for one in failed),
        hint=hint.format(first),
        context={"hosts": {str(number): text for number, text in outcome.problems.items()}},
    )


def _one(deps: "Deps", selector: str) -> int:
    from onecore.errors import InvalidInput

    ids = _ids(deps, selector)
    if len(ids) != 1:
        raise InvalidInput(f"'{selector}' names {len(ids)} hosts; this command takes one")
    return ids[0]


def _ids(deps: "Deps", selector: str) -> tuple[int, ...]:
    def known() -> Iterator[tuple[int, str]]:
        from oneprovision.usecases import hosts

        yield from hosts.names(deps)

    return resolve(selector, known(), "host")


def _table(shown: "Callable[[], Sequence[Host]]", options: TableOptions) -> None:
    from oneprovision.usecases import hosts

    def rows() -> list[Any]:
        return [hosts.document(one)["HOST"] for one in shown()]

    table(COLUMNS, rows, options, lambda kept: {"HOST_POOL": {"HOST": list(kept)}})
