"""`create` and `validate`."""

from pathlib import Path
from typing import Any

import click

from onecore.cli.output import OutputFormat, emit, format_options, write
from onecore.cli.session import Session, pass_session
from oneprovision.cli.arguments import effort, effort_options


@click.command()
@click.argument("template", type=click.Path(path_type=Path))
@click.option(
    "--provider", metavar="PROVIDER", help="Account to work on, by id or name; its driver is the default."
)
@click.option(
    "--set", "sets", metavar="PATH=VALUE", multiple=True, help="Change a value, or an input: input.hosts=5."
)
@click.option("--name", default="", help="Name of the provision instead of the template's.")
@click.option("--no-wait", is_flag=True, help="Only record it; `retry` or a server carries it out.")
@effort_options
@format_options
@pass_session
def create(
    session: Session,
    /,
    template: Path,
    provider: str | None,
    sets: tuple[str, ...],
    fmt: OutputFormat,
    **given: Any,
) -> None:
    """Create a provision from a template and wait until it runs.

    \b
    oneprovision create examples/dummy-cluster.yaml
    oneprovision create examples/dummy-cluster.yaml --set input.hosts=5 --name web -j
    oneprovision create cluster.yaml --provider ams --fail-retry 5 --fail-skip
    """
    from oneprovision.model.provision import Options
    from oneprovision.usecases import provisions, reading
    from oneprovision.usecases.provisions import CreateProvision

    prepared = _read(template, sets)
    with session.working() as deps:
        request = CreateProvision(
            template=prepared,
            name=given["name"],
            provider_id=_provider_id(deps, provider),
            wait=not given["no_wait"],
            options=Options(**effort(given)),
        )
        created = provisions.create(deps, request)
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
