"""`import`: providers and provisions of OneForm's own server are taken over."""

from functools import partial

import click

from oneprovision.cli.session import FormSession, pass_session


@click.command("import")
@click.argument("numbers", metavar="[ID]...", nargs=-1, type=click.IntRange(0))
@click.option("--dry-run", is_flag=True, help="Only say what would be taken over.")
@pass_session
def import_(session: FormSession, /, numbers: tuple[int, ...], dry_run: bool) -> None:
    """Take over providers and provisions that OneForm's own server keeps in the OpenNebula of ONE_XMLRPC: all
    of them, or those of these ids. No host and no VM is touched, and the documents there stay. Stop that
    server first: two would act on the same machines.

    \b
    oneprovision import --dry-run
    oneprovision import 3 7
    """
    from onecore.cli.importing import Import
    from oneprovision.usecases import imports

    deps = session.deps()
    Import("OneForm's server", partial(imports.found, deps), partial(imports.take_over, deps)).run(
        numbers, dry_run
    )
