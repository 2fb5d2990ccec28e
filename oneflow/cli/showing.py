"""`show`, `logs` and `explain`."""

import click

from onecore.cli.following import Work, print_log
from onecore.cli.output import OutputFormat, emit, format_options, sections
from onecore.clock import SystemClock
from oneflow.cli.arguments import number_of
from oneflow.cli.session import FlowSession, pass_session
from oneflow.model.document import Kind


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

    def work() -> Work:
        progress = door.progress(number)
        if progress is None:
            return Work.IS_GONE
        return Work.IS_OVER if progress.settled else Work.GOES_ON

    print_log(lambda after: door.log(number, after), work, follow, fmt)


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
