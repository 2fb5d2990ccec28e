"""`create` and `validate`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onecore.cli.output import OutputFormat, emit, format_options, write
from onecore.cli.session import Session, pass_session
from oneprovision.cli.arguments import effort, effort_options

if TYPE_CHECKING:
    from onecore.deps import Deps
    from oneprovision.model.provision import Provision

CarryOut = Callable[["Deps", "int | None"], "Provision"]


@click.command()
@click.argument("source", metavar="TEMPLATE|DRIVER")
@click.argument("inputs", metavar="[INPUTS]", required=False, type=click.Path(path_type=Path))
@click.option(
    *("-p", "--provider", "--provider-id"),
    metavar="PROVIDER",
    help="Account to work on, by id or name; its driver is the default of a template.",
)
@click.option("-d", "--deployment", metavar="NAME", default="", help="Which of the DRIVER's deployments.")
@click.option(
    "--set",
    "sets",
    metavar="PATH=VALUE",
    multiple=True,
    help="Change a value, or an input: input.hosts=5; of a DRIVER the input itself: oneform_hosts=5.",
)
@click.option("--name", default="", help="Name of the provision instead of the template's.")
@click.option("--no-wait", is_flag=True, help="Only record it; `retry` or a server carries it out.")
@effort_options
@format_options
@pass_session
def create(
    session: Session,
    /,
    source: str,
    provider: str | None,
    sets: tuple[str, ...],
    fmt: OutputFormat,
    **given: Any,
) -> None:
    """Create a provision and wait until it runs: from a TEMPLATE, or with a OneForm DRIVER and its INPUTS (a
    JSON or YAML file, - for standard input).

    \b
    oneprovision create examples/dummy-cluster.yaml
    oneprovision create examples/dummy-cluster.yaml --set input.hosts=5 --name web -j
    oneprovision create cluster.yaml --provider ams --fail-retry 5 --fail-skip
    oneprovision create dummy inputs.json -p 1 -d dummy_cluster
    """
    from oneprovision.usecases import reading

    order = _as_order if _is_driver(source, given) else _as_template
    carry_out = order(source, sets, given)
    with session.working() as deps:
        created = carry_out(replace(deps, waits=not given["no_wait"]), _provider_id(deps, provider))
    if fmt is not OutputFormat.TEXT:
        emit(reading.document(deps, created.id), fmt)
    else:
        write(f"ID: {created.id}\n")
    if given["no_wait"]:
        click.echo(f"recorded; carry it out with: oneprovision retry {created.id}", err=True)


@click.command()
@click.argument("template", type=click.Path(path_type=Path))
@click.option("--provider", metavar="PROVIDER", help="Account to work on, by id or name.")
@click.option(
    "--set", "sets", metavar="PATH=VALUE", multiple=True, help="Change a value, or an input: input.hosts=5."
)
@click.option("--name", default="", help="Name of the provision instead of the template's.")
@click.option(
    "--dump", is_flag=True, help="Print the template fully evaluated, with the ids of a fresh installation."
)
@format_options
@pass_session
def validate(
    session: Session,
    /,
    template: Path,
    provider: str | None,
    sets: tuple[str, ...],
    fmt: OutputFormat,
    **given: Any,
) -> None:
    """Check a template and its drivers; make nothing.

    \b
    oneprovision validate examples/dummy-cluster.yaml
    oneprovision validate examples/dummy-cluster.yaml --dump --set input.hosts=1
    """
    from oneprovision.model.preview import dump as dumped
    from oneprovision.usecases import provisions

    prepared = _read(template, sets)
    deps = session.deps()
    spec = provisions.preview(deps, prepared, given["name"], _provider_id(deps, provider))
    if given["dump"]:
        emit(dumped(spec), OutputFormat.YAML if fmt is OutputFormat.TEXT else fmt)
    else:
        counts = f"{len(spec.hosts)} hosts, {len(spec.datastores)} datastores, {len(spec.networks)} networks"
        emit(
            f"{template}: valid: {counts}"
            if fmt is OutputFormat.TEXT
            else {"valid": True, "name": spec.name},
            fmt,
        )


def _is_driver(source: str, given: dict[str, Any]) -> bool:
    """A template is a file; whatever is said of inputs or deployments is said of a driver."""
    if given["deployment"] or given["inputs"] is not None:
        return True
    file = Path(source)
    try:
        is_there = file.exists()
    except OSError:  # a name no file can have, or a folder that we may not look into: the reader says so
        return False
    return not is_there and not file.suffix and file.name == source.removeprefix("oneform/")


def _as_template(source: str, sets: tuple[str, ...], given: dict[str, Any]) -> CarryOut:
    from oneprovision.model.provision import Options
    from oneprovision.usecases import provisions
    from oneprovision.usecases.provisions import CreateProvision

    prepared = _read(Path(source), sets)
    options = Options(**effort(given))
    return lambda deps, provider_id: provisions.create(
        deps,
        CreateProvision(
            template=prepared,
            name=given["name"],
            provider_id=provider_id,
            options=options,
        ),
    )


def _as_order(source: str, sets: tuple[str, ...], given: dict[str, Any]) -> CarryOut:
    from oneprovision.cli.folder_input import form_of
    from oneprovision.model.provision import Options
    from oneprovision.usecases import oneform

    form = form_of(given["inputs"], sets)
    options = Options(**effort(given))
    return lambda deps, provider_id: oneform.create(
        deps,
        oneform.CreateFromFolder(
            driver=source,
            deployment=given["deployment"] or form.deployment,
            provider_id=form.provider_id if provider_id is None else provider_id,
            values=form.values,
            name=given["name"] or form.name,
            description=form.description,
            options=options,
        ),
    )


def _read(template: Path, sets: tuple[str, ...]) -> dict[str, object]:
    from oneprovision.template_files import read

    return read(template, sets)


def _provider_id(deps: Any, selector: str | None) -> int | None:
    if selector is None:
        return None
    from onecore.cli.idlist import resolve
    from onecore.store import providers

    with deps.database.read() as tx:
        known = [(p.id, p.name) for p in providers.every(tx)]
    return resolve(selector, [(int(i), n) for i, n in known], "provider")[0]
