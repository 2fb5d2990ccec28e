"""`driver`: list, show, test."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from onecore.cli.listing import TableOptions, table, table_options
from onecore.cli.numbers import FiniteRange
from onecore.cli.output import OutputFormat, Table, emit, format_options, sections
from onecore.cli.tables import Align, Column
from oneprovision.cli.group import FormGroup
from oneprovision.cli.oneform import disable, enable, input_columns, show_folder, sync
from oneprovision.cli.session import FormSession, pass_session

if TYPE_CHECKING:
    from onecore.drivers.catalog import Catalog, Entry
    from onecore.drivers.conformance import Check


class DriverGroup(FormGroup):
    """What is installed here is asked of this machine, OneForm drivers of a server, too."""

    local = frozenset({"list", "show", "test"})


@click.group(cls=DriverGroup, table={})
def driver() -> None:
    """Find, read and test drivers: the programs that make and remove machines at a provider.

    OneForm drivers, which are folders for OpenTofu and Ansible, are listed as oneform/NAME.

    \b
    oneprovision driver list
    oneprovision driver show dummy
    oneprovision driver test ./remotes/pm/mine
    """


@driver.command("list")
@table_options
@pass_session
def list_(session: FormSession, options: TableOptions) -> None:
    """List the drivers in effect, and where each was found.

    The first that has a name wins: --remotes, ONE_REMOTES, /etc/one/remotes, /var/lib/one/remotes, built in.

    \b
    oneprovision driver list
    oneprovision driver list -f STATE=ERROR -l NAME,PROBLEM
    """
    from oneprovision.usecases import drivers

    columns: list[Column[Entry]] = [
        Column("NAME", 16, Align.LEFT, lambda e: e.name, about="its name"),
        Column("ORIGIN", 10, Align.LEFT, lambda e: e.origin, about="where it was found"),
        Column("STATE", 7, Align.LEFT, drivers.state, about="whether it can be used"),
        Column("EXTENSIONS", 10, Align.LEFT, _extensions, about="what it can do besides the six actions"),
        Column("PROBLEM", 8, Align.LEFT, lambda e: e.problem or "-", about="why it cannot be used"),
        Column("PATH", 20, Align.LEFT, lambda e: str(e.path), shown=False, about="its folder"),
    ]
    table(
        columns,
        lambda: [*drivers.every(_catalog(session)), *_folder_entries(session)],
        options,
        lambda kept: [drivers.summary(entry) for entry in kept],
    )


@driver.command()
@click.argument("name")
@format_options
@pass_session
def show(session: FormSession, /, name: str, fmt: OutputFormat) -> None:
    """Show what the driver NAME takes, can do, and where it is.

    \b
    oneprovision driver show dummy
    oneprovision driver show dummy -j | jq -r .path
    """
    from oneprovision.model.folder import is_oneform
    from oneprovision.usecases import drivers

    if is_oneform(name):
        show_folder(session, name, fmt)
        return
    document = drivers.document(_catalog(session), name)
    if fmt is OutputFormat.TEXT:
        sections(list(_sections(document)))
    else:
        emit(document, fmt)


@driver.command()
@click.argument("path")
@click.option("--set", "sets", metavar="NAME=VALUE", multiple=True, help="A parameter of the machine.")
@click.option(
    "--deadline",
    type=FiniteRange(0.1, 86_400),
    default=300.0,
    show_default=True,
    metavar="S",
    help="Seconds for one call, and for the machine to reach a state.",
)
@format_options
@pass_session
def test(
    session: FormSession, /, path: str, sets: tuple[str, ...], deadline: float, fmt: OutputFormat
) -> int:
    """Whether the driver at PATH (its folder, or its name) keeps the protocol.

    One real machine is made, taken through its whole life and removed: the cheapest on offer, as far as --set
    does not say its place, size and system. The driver gets the secrets that its
    driver.yaml names from the environment, and a state folder of its own. Ends with 0 only if all is well.

    \b
    oneprovision driver test dummy
    oneprovision driver test ./remotes/pm/mine --set plan=small --deadline 600
    """
    from oneprovision.usecases import drivers

    request = drivers.Examine(path, drivers.parameters_of(sets), deadline)
    report = drivers.examine(session.settings, _catalog(session), request)
    if fmt is OutputFormat.TEXT:
        table(_REPORT, lambda: report.checks, TableOptions())
    else:
        checks = [{"check": check.name, "ok": check.ok, "detail": check.detail} for check in report.checks]
        emit({"driver": report.driver, "passed": report.passed, "checks": checks}, fmt)
    if not report.passed:
        failed = sum(check.ok is False for check in report.checks)
        click.echo(f"driver {report.driver}: {failed} of {len(report.checks)} checks failed", err=True)
    return 0 if report.passed else 1


for _command in (sync, enable, disable):
    driver.add_command(_command)


def _folder_entries(session: FormSession) -> "list[Entry]":
    """The OneForm drivers as lines of the same list."""
    from onecore.drivers.catalog import Entry
    from oneprovision.folders import Folders, as_driver, search_path
    from oneprovision.model.folder import PREFIX

    return [
        Entry(PREFIX + f.name, f.origin, f.path, as_driver(f.folder) if f.folder else None, f.problem)
        for f in Folders(search_path(session.settings.remotes)).list()
    ]


def _catalog(session: FormSession) -> "Catalog":
    from oneprovision.folders import open_catalog

    session.need_own()
    return open_catalog(session.settings)


def _extensions(entry: "Entry") -> str:
    return ",".join(sorted(entry.driver.manifest.extensions)) if entry.driver else "-"


def _sections(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield (
        f"DRIVER {document['name']}",
        [
            ("NAME", document["name"]),
            ("DESCRIPTION", document["description"]),
            ("PATH", document["path"]),
            ("ORIGIN", document["origin"]),
            ("STATE", document["state"]),
            *([("PROBLEM", document["problem"])] if document["problem"] else []),
            ("SSH", _yes(document["ssh"])),
            ("IDEMPOTENT", _yes(document["idempotent"])),
        ],
    )
    yield "INPUTS", Table(_INPUTS, list(_inputs(document["inputs"])))
    if document["secrets"]:
        yield "SECRETS", Table(_pairs("CONNECTION VALUE", "VARIABLE"), list(document["secrets"].items()))
    yield "LIMITS", list(_limits(document["limits"]))
    yield "EXECUTABLES", Table(_pairs("ACTION", "PATH"), list(document["executables"].items()))


def _inputs(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    required = schema.get("required", [])
    for key in ("properties", "patternProperties"):
        for name, part in schema.get(key, {}).items():
            part = part if isinstance(part, dict) else {}
            default = part.get("default", "(required)" if name in required else "-")
            yield name, _type(part), _text(default), str(part.get("description", ""))


def _type(part: Mapping[str, Any]) -> str:
    if "enum" in part:
        return "|".join(map(_text, part["enum"]))
    types = part.get("type", "any")
    return types if isinstance(types, str) else "|".join(types)


def _limits(limits: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "PARALLEL CALLS", str(limits["parallel"])
    yield "CALLS PER SECOND", f"{limits['calls_per_second']:g}" if limits["calls_per_second"] else "no limit"
    yield "TIMEOUT", f"{limits['timeout_s']:g} s"
    for action, seconds in sorted(limits["timeouts"].items()):
        yield f"TIMEOUT OF {action.upper()}", f"{seconds:g} s"
    yield "LIST LAG", f"{limits['list_lag_s']:g} s"


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _pairs(first: str, second: str) -> list[Column[tuple[str, str]]]:
    return [
        Column(first, 16, Align.LEFT, lambda pair: pair[0]),
        Column(second, 16, Align.LEFT, lambda pair: pair[1]),
    ]


_INPUTS = input_columns(16, 10, 10, 20)
_REPORT: "list[Column[Check]]" = [
    Column("CHECK", 50, Align.LEFT, lambda check: check.name),
    Column("OK", 3, Align.LEFT, lambda check: {True: "yes", False: "NO", None: "-"}[check.ok]),
    Column("DETAIL", 20, Align.LEFT, lambda check: check.detail or "-"),
]
