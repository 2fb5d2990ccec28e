"""`orphans`."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from onecore.cli.confirm import confirm
from onecore.cli.listing import TableOptions, describe, table, table_options
from onecore.cli.output import OutputFormat
from onecore.cli.session import Session, pass_session
from onecore.cli.tables import Align, Column
from oneprovision.model.orphans import Orphan, What

if TYPE_CHECKING:
    from onecore.deps import Deps
    from oneprovision.usecases.orphans import Comparison

NAMED = 5


@click.command()
@click.option("--adopt", is_flag=True, help="Take what nobody owns into a provision.")
@click.option("--destroy", is_flag=True, help="Remove what nobody owns at its provider.")
@click.option(
    "--provision", metavar="PROVISION", help="With --adopt: take it in here (a new one per account)."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@table_options
@pass_session
def orphans(session: Session, /, options: TableOptions, **given: Any) -> int:
    """Compare every provider with what is recorded, both ways: what exists there and has no owner here, and
    what is recorded here and missing there. The exit code is 0 when there is no difference.

    Only what bears our tags is looked at. Another installation that works on the same account uses the same
    tags: what is its own looks unowned from here.

    \b
    oneprovision orphans
    oneprovision orphans --destroy --yes
    oneprovision orphans --adopt --provision 42
    """
    from oneprovision.usecases.orphans import compare

    if options.describe:
        describe(_COLUMNS, options)
        return 0
    _check(given)
    with session.working() as deps:
        comparison = compare(deps)
        if given["destroy"]:
            comparison = _destroyed(deps, comparison, given["yes"])
        elif given["adopt"]:
            comparison = _adopted(deps, comparison, given["provision"])
    _tell(session, comparison, options)
    differ = any(each.what in (What.UNOWNED, What.MISSING) for each in comparison.orphans)
    return 1 if differ or comparison.failures else 0


def _check(given: dict[str, Any]) -> None:
    from onecore.errors import InvalidInput

    if given["adopt"] and given["destroy"]:
        raise InvalidInput("both --adopt and --destroy are given: choose one")
    if given["provision"] is not None and not given["adopt"]:
        raise InvalidInput("--provision says where to adopt, and goes with --adopt only")


def _destroyed(deps: "Deps", comparison: "Comparison", yes: bool) -> "Comparison":
    from oneprovision.usecases.orphans import destroy

    strays = [each for each in comparison.orphans if each.what is What.UNOWNED]
    if not strays:
        return comparison
    if not confirm(_question(strays), yes, sys.stdin.isatty()):
        raise click.Abort
    done = destroy(deps, strays)
    return _after(comparison, done.orphans, done.failures)


def _adopted(deps: "Deps", comparison: "Comparison", selector: str | None) -> "Comparison":
    from oneprovision.cli.arguments import provision_id
    from oneprovision.cli.local import LocalProvisions
    from oneprovision.usecases.adoption import adopt

    strays = [each for each in comparison.orphans if each.what is What.UNOWNED]
    number = None if selector is None else provision_id(LocalProvisions(deps), selector)
    done = {each.name: each for each in adopt(deps, strays, number)}
    return _after(comparison, [done.get(each.name, each) for each in strays], ())


def _after(comparison: "Comparison", done: Sequence[Orphan], failures: Sequence[str]) -> "Comparison":
    missing = [each for each in comparison.orphans if each.what is What.MISSING]
    return replace(comparison, orphans=[*done, *missing], failures=[*comparison.failures, *failures])


def _question(strays: Sequence[Orphan]) -> str:
    names = ", ".join(each.name for each in strays[:NAMED])
    more = f" and {len(strays) - NAMED} more" if len(strays) > NAMED else ""
    return f"remove {len(strays)} at their providers: {names}{more}?"


def _tell(session: Session, comparison: "Comparison", options: TableOptions) -> None:
    """The differences on stdout; on stderr what could not be compared, and what to do next."""
    failures = [session.redactor.text(text) for text in comparison.failures]

    def document(kept: Sequence[Orphan]) -> object:
        return {"ORPHAN_POOL": {"ORPHAN": [_document(each) for each in kept], "ERROR": failures}}

    table(_COLUMNS, lambda: comparison.orphans, options, document)
    for text in failures:
        click.echo(f"ERROR: {text}", err=True)
    for text in comparison.blind:
        click.echo(f"note: {text}", err=True)
    for text in _next_steps(comparison.orphans):
        click.echo(f"  hint: {text}", err=True)
    if not comparison.orphans and not failures and options.fmt is OutputFormat.TEXT:
        click.echo("no orphans", err=True)


def _next_steps(orphans: Sequence[Orphan]) -> list[str]:
    steps = []
    if any(each.what is What.UNOWNED and not each.owner for each in orphans):
        steps.append("take them in with --adopt, or remove them with --destroy")
    if any(each.what is What.UNOWNED and each.owner for each in orphans):
        steps.append("a removal was begun: finish it with --destroy")
    owners = dict.fromkeys(each.owner for each in orphans if each.what is What.MISSING)
    numbers = [owner.partition("/")[2] for owner in owners if owner.startswith("provision/")]
    return steps + [f"make anew what is missing: oneprovision retry {number} --force" for number in numbers]


def _document(each: Orphan) -> dict[str, object]:
    provider = each.source.provider_id
    return {
        "KIND": each.source.kind.value,
        "DRIVER": each.source.driver,
        "PROVIDER_ID": None if provider is None else str(provider),
        "NAME": each.name,
        "DEPLOY_ID": each.deploy_id,
        "STATE": each.state,
        "ADDRESSES": list(each.addresses),
        "WHAT": each.what.value,
        "OWNER": each.owner,
        "LABEL": each.label,
    }


def _provider(each: Orphan) -> str:
    return "-" if each.source.provider_id is None else str(each.source.provider_id)


_COLUMNS = [
    Column[Orphan]("KIND", 7, Align.LEFT, lambda each: each.source.kind.value, about="machine or address"),
    Column[Orphan](
        "DRIVER", 8, Align.LEFT, lambda each: each.source.driver, about="the driver that saw it, or misses it"
    ),
    Column[Orphan]("PROVIDER", 8, Align.RIGHT, _provider, about="the account, - for none"),
    Column[Orphan]("NAME", 25, Align.LEFT, lambda each: each.name, about="its tag, which says whose it is"),
    Column[Orphan](
        "DEPLOY_ID", 20, Align.LEFT, lambda each: each.deploy_id or "-", about="what its provider calls it"
    ),
    Column[Orphan]("STATE", 8, Align.LEFT, lambda each: each.state, about="its state"),
    Column[Orphan](
        "WHAT", 8, Align.LEFT, lambda each: each.what.value, about="unowned, missing, adopted or destroyed"
    ),
    Column[Orphan](
        "OWNER", 12, Align.LEFT, lambda each: each.owner or "-", shown=False, about="what it is recorded for"
    ),
    Column[Orphan](
        "LABEL", 12, Align.LEFT, lambda each: each.label or "-", shown=False, about="its name here"
    ),
    Column[Orphan](
        "ADDRESSES",
        15,
        Align.LEFT,
        lambda each: ",".join(each.addresses) or "-",
        shown=False,
        about="its addresses",
    ),
]
