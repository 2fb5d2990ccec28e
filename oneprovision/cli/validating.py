"""`validate`, and `create --dry-run`: what would be made, and nothing is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from onecore.cli.output import OutputFormat, emit, format_options, write
from oneprovision.cli.ordering import is_folder, request_of, source_options
from oneprovision.cli.session import FormSession, pass_session

if TYPE_CHECKING:
    from onecore.deps import Deps
    from onecore.tofu_output import Change
    from oneprovision.model.spec import ProvisionSpec


@click.command()
@source_options
@click.option(
    "--dump", is_flag=True, help="Print the template fully evaluated, with the ids of a fresh installation."
)
@format_options
@pass_session
def validate(session: FormSession, /, dump: bool, fmt: OutputFormat, **given: Any) -> None:
    """Check a TEMPLATE and its drivers, or a OneForm DRIVER (its name, or where its folder lies) with INPUTS;
    make nothing.

    \b
    oneprovision validate examples/dummy-cluster.yaml
    oneprovision validate examples/dummy-cluster.yaml --dump --set input.hosts=1
    oneprovision validate dummy inputs.json -d dummy_cluster
    oneprovision validate ./drivers/oneform/mine --set oneform_hosts=2
    """
    from oneprovision.model.preview import dump as dumped

    spec, _ = _tried(session, given, planned=False)
    if dump:
        emit(dumped(spec), OutputFormat.YAML if fmt is OutputFormat.TEXT else fmt)
    elif fmt is OutputFormat.TEXT:
        emit(f"{given['source']}: valid: {_counts(spec)}", fmt)
    else:
        emit({"valid": True, "name": spec.name}, fmt)


def rehearse(session: FormSession, given: dict[str, Any], fmt: OutputFormat) -> None:
    """`create --dry-run`: the plan of the objects and, of a driver folder, that of OpenTofu."""
    from oneprovision import planner

    spec, changes = _tried(session, given, planned=True)
    lines = [str(each) for each in planner.plan_objects(spec, [])]
    lines += [f"{each.action} {each.address}" for each in changes]
    if fmt is OutputFormat.TEXT:
        write("".join(f"plan: {line}\n" for line in lines))
        click.echo(f"{given['source']}: would make {_counts(spec)}; nothing was made", err=True)
    else:
        emit({"valid": True, "name": spec.name, "plan": lines}, fmt)


def _tried(
    session: FormSession, given: dict[str, Any], planned: bool
) -> "tuple[ProvisionSpec, Sequence[Change]]":
    from oneprovision.usecases import provisions, rehearsing
    from oneprovision.usecases.oneform import CreateFromFolder

    session.need_own()
    request = request_of(session, given)
    with session.working() as opened:
        deps = _where_it_lies(opened, given["source"])
        if not isinstance(request, CreateFromFolder):
            return provisions.preview(deps, request.template, request.name, request.provider_id), ()
        if planned:
            return rehearsing.plan(deps, request)
        return rehearsing.check(deps, request), ()


def _where_it_lies(deps: "Deps", source: str) -> "Deps":
    from pathlib import Path

    from oneprovision.usecases import rehearsing

    return rehearsing.with_folder(deps, Path(source)) if is_folder(source) else deps


def _counts(spec: "ProvisionSpec") -> str:
    return f"{len(spec.hosts)} hosts, {len(spec.datastores)} datastores, {len(spec.networks)} networks"
