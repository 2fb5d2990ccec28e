"""From what stands in a command line to the request for a provision: a template, or a driver with inputs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from oneprovision.cli.session import FormSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneprovision.cli.folder_input import FolderForm
    from oneprovision.usecases.oneform import CreateFromFolder
    from oneprovision.usecases.provisions import CreateProvision


def source_options(command: "Callable[..., Any]") -> "Callable[..., Any]":
    """SOURCE and [INPUTS] with what is said of them; the command gets them by name."""
    for add in reversed(_SOURCE):
        command = add(command)
    return command


_SOURCE = [
    click.argument("source", metavar="TEMPLATE|DRIVER"),
    click.argument("inputs", metavar="[INPUTS]", required=False, type=click.Path(path_type=Path)),
    click.option(
        *("-p", "--provider", "--provider-id"),
        metavar="PROVIDER",
        help="Account to work on, by id or name; its driver is the default of a template.",
    ),
    click.option("-d", "--deployment", metavar="NAME", default="", help="Which of the DRIVER's deployments."),
    click.option(
        "--set",
        "sets",
        metavar="PATH=VALUE",
        multiple=True,
        help="Change a value, or an input: input.hosts=5; of a DRIVER the input itself: oneform_hosts=5.",
    ),
    click.option("--name", default="", help="Name of the provision instead of the template's."),
]


def request_of(session: FormSession, given: dict[str, Any]) -> "CreateProvision | CreateFromFolder":
    """What is asked for; of people who are there, what is missing."""
    if _is_driver(given["source"], given) or is_folder(given["source"]):
        return _as_order(session, given)
    return _as_template(session, given)


def is_folder(source: str) -> bool:
    """Whether this is where a driver folder lies."""
    try:
        return Path(source, "driver.conf").is_file()
    except (OSError, ValueError):  # ValueError: a name no file can have
        return False


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


def _as_template(session: FormSession, given: dict[str, Any]) -> "CreateProvision":
    from oneprovision.cli import prompting
    from oneprovision.template_files import read
    from oneprovision.usecases.provisions import CreateProvision

    template = read(Path(given["source"]), given["sets"])
    if prompting.somebody_is_there():
        prompting.template_inputs(template)
    return CreateProvision(template, given["name"], _provider_id(session, given["provider"]))


def _as_order(session: FormSession, given: dict[str, Any]) -> "CreateFromFolder":
    from oneprovision.cli.folder_input import form_of
    from oneprovision.usecases.oneform import CreateFromFolder

    form = form_of(given["inputs"], given["sets"])
    named = _provider_id(session, given["provider"])
    deployment = given["deployment"] or form.deployment
    deployment, values = _asked_for(session, given, deployment, form)
    return CreateFromFolder(
        driver=Path(given["source"]).resolve().name if is_folder(given["source"]) else given["source"],
        deployment=deployment,
        provider_id=form.provider_id if named is None else named,
        values=values,
        name=given["name"] or form.name,
        description=form.description,
    )


def _asked_for(
    session: FormSession, given: dict[str, Any], deployment: str, form: "FolderForm"
) -> "tuple[str, dict[str, object]]":
    """Which deployment, and the values of its inputs; who said nothing at all is asked for all of them."""
    from oneprovision.cli import prompting
    from oneprovision.model.folder import HOSTS, TAGS, Input, bare

    if not prompting.somebody_is_there() or str(given["inputs"]) == "-" or is_folder(given["source"]):
        return deployment, dict(form.values)
    document = session.drivers().document(bare(given["source"]))
    known = {each["inventory"]: each["user_inputs"] for each in document.get("deployment_confs", [])}
    if not deployment and len(known) > 1:
        deployment = prompting.one_of("deployment", list(known))
    own: list[Any] = known.get(deployment) or next(iter(known.values()), [])
    names = {each["name"] for each in own}
    common = [each for each in document.get("user_inputs", []) if each["name"] not in names]
    asked = [Input.of_document(each) for each in (*common, *own) if each["name"] != TAGS]
    asked.sort(key=lambda each: each.name != HOSTS)
    values = prompting.values(asked, form.values, everything=not form.values)
    session.conceal(str(values[each.name]) for each in asked if each.sensitive and each.name in values)
    return deployment, values


def _provider_id(session: FormSession, selector: str | None) -> int | None:
    if selector is None:
        return None
    from onecore.cli.idlist import resolve

    return resolve(selector, session.providers().names(), "provider")[0]
