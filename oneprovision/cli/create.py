"""`create`."""

from typing import Any

import click

from onecore.cli.output import OutputFormat, emit, format_options, write
from onecore.errors import InvalidInput
from oneprovision.cli.arguments import effort, effort_options, wait_options
from oneprovision.cli.ordering import is_folder, request_of, source_options
from oneprovision.cli.session import FormSession, pass_session
from oneprovision.cli.waiting import conclude


@click.command()
@source_options
@click.option("--dry-run", is_flag=True, help="Only show what would be done; make and record nothing.")
@effort_options
@wait_options
@format_options
@pass_session
def create(session: FormSession, /, dry_run: bool, fmt: OutputFormat, **given: Any) -> None:
    """Create a provision and wait until it runs: from a TEMPLATE, or with a OneForm DRIVER and its INPUTS (a
    JSON or YAML file, - for standard input). At a terminal, what is missing is asked for.

    \b
    oneprovision create examples/dummy-cluster.yaml
    oneprovision create examples/dummy-cluster.yaml --set input.hosts=5 --name web -j
    oneprovision create cluster.yaml --provider ams --fail-retry 5 --fail-skip
    oneprovision create dummy inputs.json -p 1 -d dummy_cluster
    oneprovision create dummy inputs.json --dry-run
    """
    if dry_run:
        from oneprovision.cli.validating import rehearse

        rehearse(session, given, fmt)
        return
    if is_folder(given["source"]):
        raise InvalidInput(
            f"{given['source']} is a driver folder, which is not where drivers are found",
            hint="try it with --dry-run; to use it, put it into a place that"
            " `oneprovision oneform list --help` names, and give its name",
        )
    with session.acting() as door:
        number = door.create(request_of(session, given), effort(given))
        conclude(session, door, (number,))
    if fmt is not OutputFormat.TEXT:
        emit(session.provisions().document(number), fmt)
    else:
        write(f"ID: {number}\n")
