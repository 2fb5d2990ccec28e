"""Actions on the VMs of a role or a service: `action`, `sched-delete`, and the same under `service`."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from oneflow.cli.arguments import number_of, wait_options
from oneflow.cli.group import FlowGroup
from oneflow.cli.session import FlowSession, pass_session
from oneflow.cli.waiting import carry_out
from oneflow.model.job import ACTIONS

Command = TypeVar("Command", bound=Callable[..., Any])

_ACTION = click.argument("vm_action", metavar="ACTION", type=click.Choice(ACTIONS))


def batch_options(command: Command) -> Command:
    options = [
        click.option(
            "-p", "--period", type=click.IntRange(0), metavar="S", help="Seconds between groups of VMs."
        ),
        click.option("-n", "--number", type=click.IntRange(0), metavar="N", help="VMs in a group."),
        click.option("--args", default="", help="Arguments of the action, such as a snapshot's name."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.argument("service")
@click.argument("role")
@_ACTION
@batch_options
@wait_options
@pass_session
def action(session: FlowSession, /, service: str, role: str, vm_action: str, **given: Any) -> None:
    """Perform ACTION on every VM of ROLE of SERVICE, all at once or N of them every S seconds.

    \b
    oneflow action 0 worker reboot
    oneflow action 0 worker poweroff --period 60 --number 1
    """
    _act(session, service, role, vm_action, given)


@click.command("sched-delete")
@click.argument("service")
@click.argument("role")
@click.argument("scheduled", metavar="ID", type=click.IntRange(0))
@pass_session
def sched_delete(session: FlowSession, /, service: str, role: str, scheduled: int) -> None:
    """Cancel the rest of the scheduled action ID of ROLE (`show` lists them).

    \b
    oneflow sched-delete 0 worker 3
    """
    door = session.door()
    door.cancel(number_of(door, service), scheduled, role)


@click.group(cls=FlowGroup, table={})
def service() -> None:
    """Actions on all VMs of a service.

    \b
    oneflow service action 0 reboot
    oneflow service sched-delete 0 3
    """


@service.command("action")
@click.argument("selected", metavar="SERVICE")
@_ACTION
@batch_options
@wait_options
@pass_session
def service_action(session: FlowSession, /, selected: str, vm_action: str, **given: Any) -> None:
    """Perform ACTION on every VM of every role of SERVICE.

    \b
    oneflow service action 0 reboot
    oneflow service action web poweroff --period 60 --number 2
    """
    _act(session, selected, None, vm_action, given)


@service.command("sched-delete")
@click.argument("selected", metavar="SERVICE")
@click.argument("scheduled", metavar="ID", type=click.IntRange(0))
@pass_session
def service_sched_delete(session: FlowSession, /, selected: str, scheduled: int) -> None:
    """Cancel the rest of the scheduled action ID of SERVICE.

    \b
    oneflow service sched-delete 0 3
    """
    door = session.door()
    door.cancel(number_of(door, selected), scheduled, None)


def _act(
    session: FlowSession, selector: str, role: str | None, vm_action: str, given: dict[str, Any]
) -> None:
    from oneflow.usecases.jobs import Batch

    batch = Batch(vm_action, given["period"], given["number"], given["args"])
    with session.acting() as door:
        number = number_of(door, selector)
        said = door.act(number, role, batch)
        click.echo(said, err=True)
        carry_out(session, door, (number,))
