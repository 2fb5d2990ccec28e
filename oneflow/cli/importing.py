"""`import`: services and templates of OneFlow's own server are taken over."""

from typing import TYPE_CHECKING

import click

from oneflow.cli.session import FlowSession, pass_session

if TYPE_CHECKING:
    from oneflow.usecases.imports import Found


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
    from onecore.errors import NotFound, WrongState
    from oneflow.bootstrap import flow_deps
    from oneflow.usecases import imports

    deps = flow_deps(session.deps())
    seen = [each for each in imports.found(deps) if not numbers or each.foreign.id in numbers]
    missing = sorted(set(numbers) - {each.foreign.id for each in seen})
    if missing:
        raise NotFound(f"OneFlow's server keeps no document {', '.join(map(str, missing))} there")
    for each in seen:
        click.echo(_line(each))
    if dry_run:
        click.echo("nothing was changed", err=True)
        return
    imports.take_over(deps, seen)
    left = [str(each.foreign.id) for each in seen if each.problem]
    if left:
        raise WrongState(f"not taken over: {', '.join(left)}")


def _line(each: "Found") -> str:
    what = f"{each.kind.noun} {each.foreign.id} ({each.foreign.name})"
    if each.problem:
        return f"{what}: NOT taken over: {each.problem}"
    if not each.vms:
        return what
    vms = f"VMs {', '.join(map(str, each.vm_ids))}" if each.vm_ids else "no VM"
    gone = f"; gone: {', '.join(map(str, each.gone))}" if each.gone else ""
    return f"{what}: {vms}{gone}"
