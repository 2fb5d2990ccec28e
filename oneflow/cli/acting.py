"""`shutdown`, `delete`, `recover`, `release`, `scale`, `add-role`, `remove-role`, `purge-done`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from oneflow.cli.arguments import document_from, file_argument, number_of, numbers_of, wait_options
from oneflow.cli.session import FlowSession, pass_session
from oneflow.cli.waiting import carry_out
from oneflow.model.document import Kind

if TYPE_CHECKING:
    from oneflow.cli.door import Door


@click.command()
@click.argument("services")
@wait_options
@pass_session
def shutdown(session: FlowSession, /, services: str) -> None:
    """Remove every VM of SERVICES, children first. The services stay, DONE, until they are deleted.

    \b
    oneflow shutdown 0
    oneflow shutdown 1,3..5 --no-wait
    """
    _for_each(session, services, lambda door, number: door.shutdown(number))


@click.command()
@click.argument("services")
@wait_options
@pass_session
def delete(session: FlowSession, /, services: str) -> None:
    """Remove every VM of SERVICES, children first, then the services themselves.

    \b
    oneflow delete 0
    oneflow delete web,3..5
    """
    _for_each(session, services, lambda door, number: door.delete(Kind.SERVICE, number))


@click.command()
@click.argument("services")
@click.option("--delete", "and_delete", is_flag=True, help="Give up on them instead, and remove them.")
@wait_options
@pass_session
def recover(session: FlowSession, /, services: str, and_delete: bool) -> None:
    """Take up again what failed in SERVICES, or what was begun and left: VMs that failed are replaced,
    missing ones are made, removals are tried again.

    \b
    oneflow recover 0
    oneflow recover 0,2 --delete
    """
    _for_each(session, services, lambda door, number: door.recover(number, and_delete))


@click.command()
@click.argument("services")
@wait_options
@pass_session
def release(session: FlowSession, /, services: str) -> None:
    """Let the roles of SERVICES that are on hold begin.

    \b
    oneflow release 0
    """
    _for_each(session, services, lambda door, number: door.release(number))


@click.command()
@click.argument("service")
@click.argument("role")
@click.argument("cardinality", type=click.IntRange(0))
@click.option("-f", "--force", is_flag=True, help="Also outside min_vms and max_vms.")
@click.option("--vms", metavar="IDS", default="", help="VMs that leave first when the role shrinks: 3,5..7.")
@wait_options
@pass_session
def scale(session: FlowSession, /, service: str, role: str, cardinality: int, force: bool, vms: str) -> None:
    """Have CARDINALITY VMs in ROLE of SERVICE.

    \b
    oneflow scale 0 worker 4
    oneflow scale web frontend 6 --force --wait-timeout 600
    oneflow scale web worker 2 --vms 7,9
    """
    from onecore.cli.idlist import resolve
    from oneflow.usecases.services import Scale

    asked = Scale(role, cardinality, force, resolve(vms, (), "VM") if vms else ())
    _for_one(session, service, lambda door, number: door.scale(number, asked))


@click.command()
@click.argument("service")
@file_argument
@wait_options
@pass_session
def add_role(session: FlowSession, /, service: str, file: Path | None) -> None:
    """Add a role to SERVICE while it runs: JSON or YAML from FILE or standard input.

    \b
    oneflow add-role 0 cache.json
    """
    data = document_from(file, "the role")
    _for_one(session, service, lambda door, number: door.add_role(number, data))


@click.command()
@click.argument("service")
@click.argument("role")
@wait_options
@pass_session
def remove_role(session: FlowSession, /, service: str, role: str) -> None:
    """Remove ROLE with its VMs from SERVICE while it runs.

    \b
    oneflow remove-role 0 cache
    """
    _for_one(session, service, lambda door, number: door.remove_role(number, role))


@click.command()
@pass_session
def purge_done(session: FlowSession, /) -> None:
    """Forget all services that are DONE.

    \b
    oneflow purge-done
    """
    session.door().purge_done()


def _for_one(session: FlowSession, selector: str, act: "Callable[[Door, int], None]") -> None:
    with session.acting() as door:
        number = number_of(door, selector)
        act(door, number)
        carry_out(session, door, (number,))


def _for_each(session: FlowSession, selector: str, act: "Callable[[Door, int], None]") -> None:
    """Asked of one after the other, then done side by side. The first that is refused ends the asking; what
    was accepted before is carried out all the same."""
    with session.acting() as door:
        numbers, accepted = numbers_of(door, selector), list[int]()
        try:
            for number in numbers:
                act(door, number)
                accepted.append(number)
        finally:
            if accepted:
                carry_out(session, door, accepted)
