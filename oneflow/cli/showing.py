"""`show`, `logs` and `explain`."""

from typing import TYPE_CHECKING

import click

from onecore.cli.output import OutputFormat, emit, format_options, sections, write
from onecore.clock import SystemClock, iso
from oneflow.cli.arguments import number_of
from oneflow.cli.session import FlowSession, pass_session
from oneflow.model.document import Kind

if TYPE_CHECKING:
    from onecore.history import Event

_LOOK_S = 0.3


@click.command()
@click.argument("service")
@format_options
@pass_session
def show(session: FlowSession, /, service: str, fmt: OutputFormat) -> None:
    """Show SERVICE with its roles, their VMs and policies, and its log.

    \b
    oneflow show 0
    oneflow show web -j
    """
    print_service(session, service, fmt)


def print_service(session: FlowSession, selector: str, fmt: OutputFormat) -> None:
    door = session.door()
    document = door.shown(Kind.SERVICE, number_of(door, selector))
    if fmt is not OutputFormat.TEXT:
        emit(document, fmt)
        return
    from oneflow.cli.service_view import service_sections

    sections(service_sections(document["DOCUMENT"], SystemClock().now()))


@click.command()
@click.argument("service")
@click.option("-f", "--follow", is_flag=True, help="Go on printing until the service is settled, or Ctrl-C.")
@format_options
@pass_session
def logs(session: FlowSession, /, service: str, follow: bool, fmt: OutputFormat) -> None:
    """Show what happened to SERVICE, and why, oldest first. With --follow, JSON and YAML are a document a
    line.

    \b
    oneflow logs 0
    oneflow logs 0 --follow
    """
    door = session.door()
    number = number_of(door, service)
    if not follow and fmt is not OutputFormat.TEXT:
        emit({"lines": [_line(event) for event in door.log(number)]}, fmt)
        return
    after = 0
    while True:
        # Asked before the lines are read, so that none written in between is missed.
        progress = door.progress(number)
        if progress is None and follow and after:
            return
        for event in door.log(number, after):
            after = event.id
            write(_followed(event, fmt))
        if not follow or progress is None or progress.settled:
            return
        SystemClock().sleep(_LOOK_S)


@click.command()
@click.argument("service")
@format_options
@pass_session
def explain(session: FlowSession, /, service: str, fmt: OutputFormat) -> None:
    """Say why each elasticity and scheduled policy of SERVICE would or would not fire now. Nothing is
    changed.

    \b
    oneflow explain 0
    """
    door = session.door()
    lines = door.explain(number_of(door, service))
    if fmt is not OutputFormat.TEXT:
        emit({"lines": lines}, fmt)
    else:
        emit("\n".join(lines) if lines else "no role has a policy", fmt)


def _line(event: "Event") -> dict[str, object]:
    return {"time": event.at, "level": event.level, "action": event.action, "text": event.text}


def _followed(event: "Event", fmt: OutputFormat) -> str:
    from onecore.cli.text import printable

    if fmt is OutputFormat.TEXT:
        said = f"{event.action}: {event.text}" if event.text else event.action
        return f"{iso(int(event.at))} [{event.level}] {printable(said)}\n"
    import json

    # YAML reads JSON too, one document after `---`.
    separator = "--- " if fmt is OutputFormat.YAML else ""
    return f"{separator}{json.dumps(_line(event))}\n"
