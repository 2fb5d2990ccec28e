"""`create` and `validate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onecore.cli.output import OutputFormat, emit, format_options, write
from oneprovision.cli.arguments import effort, effort_options, wait_options
from oneprovision.cli.session import FormSession, pass_session
from oneprovision.cli.waiting import conclude

if TYPE_CHECKING:
    from oneprovision.usecases.oneform import CreateFromFolder
    from oneprovision.usecases.provisions import CreateProvision


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
@effort_options
@wait_options
@format_options
@pass_session
def create(
    session: FormSession,
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
    request_of = _as_order if _is_driver(source, given) else _as_template
    with session.acting() as door:
        request = request_of(source, sets, given, _provider_id(session, provider))
        number = door.create(request, effort(given))
        conclude(session, door, (number,))
    if fmt is not OutputFormat.TEXT:
        emit(session.provisions().document(number), fmt)
    else:
        write(f"ID: {number}\n")


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
    session: FormSession,
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
    spec = provisions.preview(deps, prepared, given["name"], _provider_id(session, provider))
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


def _as_template(
    source: str, sets: tuple[str, ...], given: dict[str, Any], provider_id: int | None
) -> "CreateProvision":
    from oneprovision.usecases.provisions import CreateProvision

    return CreateProvision(_read(Path(source), sets), given["name"], provider_id)


def _as_order(
    source: str, sets: tuple[str, ...], given: dict[str, Any], provider_id: int | None
) -> "CreateFromFolder":
    from oneprovision.cli.folder_input import form_of
    from oneprovision.usecases.oneform import CreateFromFolder

    form = form_of(given["inputs"], sets)
    return CreateFromFolder(
        driver=source,
        deployment=given["deployment"] or form.deployment,
        provider_id=form.provider_id if provider_id is None else provider_id,
        values=form.values,
        name=given["name"] or form.name,
        description=form.description,
    )


def _read(template: Path, sets: tuple[str, ...]) -> dict[str, object]:
    from oneprovision.template_files import read

    return read(template, sets)


def _provider_id(session: FormSession, selector: str | None) -> int | None:
    if selector is None:
        return None
    from onecore.cli.idlist import resolve

    return resolve(selector, session.providers().names(), "provider")[0]
