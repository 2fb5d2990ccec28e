"""`instance`: create, list, show, wait, reboot, reset, shutdown, start, delete, ssh."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onecore.cli.confirm import confirm
from onecore.cli.listing import TableOptions, table, table_options
from onecore.cli.output import OutputFormat, emit, format_options, sections, write
from onecore.cli.session import Session, pass_session
from onecore.cli.tables import Align, Column
from oneprovision.cli.arguments import effort, effort_options, wait_option
from oneprovision.cli.power import Power, add_commands

if TYPE_CHECKING:
    from onecore.deps import Deps
    from oneprovision.model.instance import InstanceForm
    from oneprovision.usecases.instances import Instance


@click.group()
def instance() -> None:
    """Single machines, without a template. INSTANCE is an id, a name, or the provider's id or address of it.

    \b
    oneprovision instance create web.prod
    oneprovision instance create --provider linode --plan g6-nanode-1 --region us-east --image linode/debian12
    oneprovision instance delete web --yes
    """


@instance.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--provider", default="", metavar="PROVIDER", help="A provider, or a driver with its keys set.")
@click.option("--name", default="", metavar="NAME", help="Instead of the file's name or label.")
@click.option("--plan", metavar="PLAN", help="Size; see `provider plans`.")
@click.option("--region", "--location", metavar="REGION", help="Place; see `provider locations`.")
@click.option("--image", metavar="IMAGE", help="System; see `provider images`.")
@click.option("--set", "sets", metavar="NAME=VALUE", multiple=True, help="Any parameter of the driver.")
@click.option("--user", "remote_user", metavar="USER", help="Who logs in (root).")
@click.option("--key", "private_key", metavar="FILE", help="Private key; FILE.pub is put into the machine.")
@click.option(
    "--wait",
    is_flag=False,
    flag_value="finalised",
    metavar="TYPE",
    help="immediate (until the provider accepts it), created (until its address is known) or finalised "
    "(until it runs; the default).",
)
@wait_option
@effort_options
@format_options
@pass_session
def create(session: Session, /, file: Path | None, fmt: OutputFormat, **given: Any) -> None:
    """Create one machine from a FILE (- for standard input), from options, or from both.

    The file has `key: value` lines as the tool Prod reads them, or YAML: provider, name (or label), waitType,
    and the parameters of the driver; `oneprovision driver show DRIVER` lists those.

    \b
    oneprovision instance create web.prod
    oneprovision instance create --provider vultr --region ams --plan vc2-1c-1gb --image 2136 --name web
    oneprovision instance create web.yaml --wait immediate -j
    """
    from oneprovision.model.provision import Options
    from oneprovision.usecases import instances

    said = _form_of_options(given)
    form = said.over(_form_of_file(file)) if file else said
    with session.working() as deps:
        made = instances.create(deps, form, Options(**effort(given)))
    _print(made, fmt)


@instance.command("list")
@table_options
@pass_session
def list_(session: Session, options: TableOptions) -> None:
    """List the instances, with what was last seen of them.

    \b
    oneprovision instance list
    oneprovision instance list -f DRIVER=vultr -l NAME,IP
    """
    from oneprovision.usecases import instances

    columns: list[Column[Instance]] = [
        Column("ID", 4, Align.RIGHT, lambda i: str(i.id), about="its number"),
        Column("NAME", 20, Align.LEFT, lambda i: i.provision.name, about="its name"),
        Column(
            "DRIVER",
            12,
            Align.LEFT,
            lambda i: i.machine.driver if i.machine else "-",
            about="the pm driver that makes it",
        ),
        Column(
            "DEPLOY_ID",
            12,
            Align.LEFT,
            lambda i: (i.machine and i.machine.deploy_id) or "-",
            about="what its provider calls it",
        ),
        Column("IP", 15, Align.LEFT, lambda i: i.address or "-", about="its address"),
        Column("STATE", 10, Align.LEFT, lambda i: i.state, about="its state"),
    ]
    table(columns, lambda: instances.every(session.deps()), options, _pool)


@instance.command()
@click.argument("selected", metavar="INSTANCE")
@format_options
@pass_session
def show(session: Session, /, selected: str, fmt: OutputFormat) -> None:
    """Show INSTANCE, as it was last seen.

    \b
    oneprovision instance show web
    oneprovision instance show 203.0.113.7 -j
    """
    from oneprovision.usecases import instances

    deps = session.deps()
    one = instances.get(deps, _one(deps, selected))
    body: Any = instances.document(one)["INSTANCE"]
    if fmt is not OutputFormat.TEXT:
        emit({"INSTANCE": body}, fmt)
        return
    pairs = [(key.replace("_", " ").upper(), _text(value)) for key, value in body.items() if key != "metrics"]
    sections([(f"INSTANCE {one.id} INFORMATION", pairs)])


@instance.command()
@click.argument("selected", metavar="INSTANCE")
@wait_option
@format_options
@pass_session
def wait(session: Session, /, selected: str, fmt: OutputFormat) -> None:
    """Wait until INSTANCE runs, and take up what was cut short.

    \b
    oneprovision instance wait web
    """
    from oneprovision.usecases import instances

    with session.working() as deps:
        made = instances.wait(deps, _one(deps, selected))
    _print(made, fmt)


@instance.command()
@click.argument("selected", metavar="INSTANCE")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@wait_option
@pass_session
def delete(session: Session, /, selected: str, yes: bool) -> None:
    """Remove INSTANCE, and forget it once its provider confirms that it is gone.

    \b
    oneprovision instance delete web --yes
    """
    import sys

    from oneprovision.usecases import instances

    number = _one(session.deps(), selected)
    if not confirm(f"remove instance {number}?", yes, sys.stdin.isatty()):
        raise click.Abort
    with session.working() as deps:
        instances.delete(deps, number)


@instance.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("selected", metavar="INSTANCE")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@pass_session
def ssh(session: Session, /, selected: str, command: tuple[str, ...]) -> None:
    """Log in to INSTANCE, or run COMMAND there.

    \b
    oneprovision instance ssh web
    oneprovision instance ssh web uptime
    """
    from onecore import process
    from oneprovision.usecases import instances

    deps = session.deps()
    argv = instances.ssh_command(deps, _one(deps, selected), command)
    session.finish(0)
    process.replace(argv, session.settings.environ)


def _act(session: Session, selected: str, action: str, fmt: OutputFormat, given: dict[str, Any]) -> None:
    from onecore.machines.power import Action
    from oneprovision.usecases import instances

    with session.working() as deps:
        _print(instances.act(deps, _one(deps, selected), Action[action]), fmt)


_POWERS = (
    Power(
        "reboot",
        "REBOOT",
        "Restart INSTANCE in order; a system that does not listen is forced.",
        ("reboot web",),
    ),
    Power("reset", "RESET", "Restart INSTANCE the hard way, as by its switch.", ("reset web",)),
    Power(
        "shutdown",
        "POWER_OFF",
        "Shut INSTANCE down in order. It goes on existing, and mostly goes on costing.",
        ("shutdown web",),
    ),
    Power("start", "POWER_ON", "Turn INSTANCE on again.", ("start web",)),
)
add_commands(instance, "INSTANCE", _POWERS, _act)


def _form_of_options(given: dict[str, Any]) -> "InstanceForm":
    from oneprovision.model.instance import InstanceForm, wait_type
    from oneprovision.usecases.drivers import parameters_of

    said = {name: given[name] for name in ("plan", "region", "image") if given[name]}
    connection = {name: given[name] for name in ("remote_user", "private_key") if given[name]}
    if given["private_key"]:
        connection["public_key"] = f"{given['private_key']}.pub"
    return InstanceForm(
        provider=given["provider"],
        name=given["name"],
        wait=wait_type(given["wait"]) if given["wait"] else None,
        parameters={**said, **parameters_of(given["sets"])},
        connection=connection,
    )


def _form_of_file(file: Path) -> "InstanceForm":
    import sys

    from onecore.errors import InvalidInput
    from onecore.schema import load_text
    from oneprovision.model.instance import parse, parse_lines

    name = "standard input" if str(file) == "-" else str(file)
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidInput(f"cannot read {name}: {getattr(exc, 'strerror', '') or 'it is no text'}") from exc
    lines = parse_lines(text)
    data = load_text(text, name).data if lines is None else lines
    if not isinstance(data, dict):
        raise InvalidInput(f"{name}: this is not a mapping", hint="write lines as in: region: us-east")
    return parse(data)


def _print(made: "Instance", fmt: OutputFormat) -> None:
    from oneprovision.usecases import instances

    if fmt is not OutputFormat.TEXT:
        emit(instances.document(made), fmt)
        return
    write(f"ID: {made.id}\nNAME: {made.provision.name}\nIP: {made.address or '-'}\nSTATE: {made.state}\n")


def _pool(kept: Any) -> object:
    from oneprovision.usecases import instances

    return {"INSTANCE_POOL": {"INSTANCE": [instances.document(each)["INSTANCE"] for each in kept]}}


def _one(deps: "Deps", selector: str) -> int:
    from onecore.cli.idlist import resolve
    from onecore.errors import InvalidInput, NotFound
    from oneprovision.usecases import instances

    known = instances.names(deps)
    numbers = {str(number) for number, _ in known} | {name for _, name in known}
    if selector not in numbers:
        try:
            return instances.find(deps, selector)
        except NotFound:
            pass  # the list of names says it better
    ids = resolve(selector, known, "instance")
    if len(ids) != 1:
        raise InvalidInput(f"'{selector}' names {len(ids)} instances; this command takes one")
    return ids[0]


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return "-" if value in ("", None) else str(value)
