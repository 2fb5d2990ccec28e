"""`import`: services and templates of OneFlow's own server are taken over."""

from functools import partial

import click

from oneflow.cli.session import FlowSession, pass_session


@click.command("import")
@click.argument("numbers", metavar="[ID]...", nargs=-1, type=click.IntRange(0))
@click.option("--dry-run", is_flag=True, help="Only say what would be taken over.")
@pass_session
def import_(session: FlowSession, /, numbers: tuple[int, ...], dry_run: bool) -> None:
    """Take over services and templates that OneFlow's own server keeps in the OpenNebula of ONE_XMLRPC: all
    of them, or those of these ids. No VM is touched, and the documents there stay. Stop that server first:
    two would act on the same VMs.

    \b
    oneflow import --dry-run
    oneflow import 12 15
    """
    from onecore.cli.importing import Import
    from oneflow.bootstrap import flow_deps
    from oneflow.usecases import imports

    deps = flow_deps(session.deps())
    Import("OneFlow's server", partial(imports.found, deps), partial(imports.take_over, deps)).run(
        numbers, dry_run
    )
