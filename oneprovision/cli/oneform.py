"""`oneform`, and the parts of `driver` that are about OneForm's driver folders."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from onecore.cli.listing import TableOptions, table, table_options
from onecore.cli.output import OutputFormat, Table, emit, format_options, sections
from onecore.cli.tables import Align, Column
from oneprovision.cli.group import FormGroup
from oneprovision.cli.session import FormSession, pass_session

Entry = Mapping[str, Any]


@click.group(cls=FormGroup, table={})
def oneform() -> None:
    """OneForm drivers: folders that make clusters with OpenTofu and configure them with Ansible.

    \b
    oneprovision oneform list
    oneprovision oneform show dummy
    oneprovision create dummy inputs.json -d dummy_cluster
    """


@oneform.command("list")
@click.option("-e", "--enabled", is_flag=True, help="Only those that may be used.")
@table_options
@pass_session
def list_(session: FormSession, /, enabled: bool, options: TableOptions) -> None:
    """List the OneForm drivers in effect; CHANGED since the last `sync` or not.

    The first folder that has a name wins: oneform/ in --remotes and ONE_REMOTES, /etc/one/oneform,
    /usr/lib/one/oneform/drivers, the registries in /var/lib/one/oneform/drivers, built in.

    \b
    oneprovision oneform list
    oneprovision oneform list -l NAME,PROBLEM,PATH
    """
    table(_DRIVERS, lambda: session.drivers().documents(enabled), options, list)


@oneform.command()
@click.argument("name")
@format_options
@pass_session
def show(session: FormSession, /, name: str, fmt: OutputFormat) -> None:
    """Show what the OneForm driver NAME asks for, and its deployments.

    \b
    oneprovision oneform show dummy
    oneprovision oneform show dummy -j
    """
    show_folder(session, name, fmt)


@oneform.command()
@format_options
@pass_session
def sync(session: FormSession, /, fmt: OutputFormat) -> int:
    """Look at every OneForm driver, say which are in order, and take note of their content.

    \b
    oneprovision oneform sync
    """
    done = session.drivers().sync()
    if fmt is OutputFormat.TEXT:
        rows = [(name, "ok", "-") for name in done["success"]]
        rows += [(each["name"], "ERROR", each["error"]) for each in done["failed"]]
        table(_SYNCED, lambda: sorted(rows), TableOptions())
    else:
        emit(done, fmt)
    return 1 if done["failed"] else 0


@oneform.command()
@click.argument("name")
@pass_session
def enable(session: FormSession, /, name: str) -> None:
    """Let provisions be ordered from the OneForm driver NAME again.

    \b
    oneprovision oneform enable dummy
    """
    session.drivers().enable(name)


@oneform.command()
@click.argument("name")
@pass_session
def disable(session: FormSession, /, name: str) -> None:
    """Order nothing new from the OneForm driver NAME; what it made stays, and can be scaled and removed.

    \b
    oneprovision oneform disable dummy
    """
    session.drivers().disable(name)


def show_folder(session: FormSession, name: str, fmt: OutputFormat) -> None:
    document = session.drivers().document(name)
    if fmt is OutputFormat.TEXT:
        sections(list(_sections(document)))
    else:
        emit(document, fmt)


def _deployments(document: Entry) -> str:
    return ",".join(each["inventory"] for each in document.get("deployment_confs", [])) or "-"


def _sections(document: Entry) -> Iterator[tuple[str, Any]]:
    yield (
        f"DRIVER {document['name']}",
        [
            ("NAME", document["name"]),
            ("DESCRIPTION", document["description"]),
            ("STATE", document["state"]),
            ("CHANGED", "yes" if document["changed"] else "no"),
            ("SOURCE", document["registry"]),
            ("VERSION", document["version"]),
            ("CHECKSUM", document["checksum"]),
            ("PATH", document["system_path"]),
        ],
    )
    yield "CONNECTION INPUTS", Table(_INPUTS, [_row(each) for each in document["connection"]])
    yield "PROVISIONING INPUTS", Table(_INPUTS, [_row(each) for each in document["user_inputs"]])
    for each in document["deployment_confs"]:
        rows = [_row(asked) for asked in each["user_inputs"]]
        yield f"DEPLOYMENT {each['inventory']}: {each['name']}", Table(_INPUTS, rows)


def _row(asked: Entry) -> tuple[str, str, str, str]:
    default = "(required)" if asked["mandatory"] else asked.get("default", "-")
    secret = " (secret)" if asked["sensitive"] else ""
    return asked["name"], asked["type"] + secret, _text(default), asked.get("description", "")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) if value != "" else "-"


def input_columns(*widths: int) -> list[Column[tuple[str, str, str, str]]]:
    """What a driver asks for: name, type, default and description."""

    def column(name: str, width: int, place: int) -> Column[tuple[str, str, str, str]]:
        return Column(name, width, Align.LEFT, lambda row: row[place])

    names = ("NAME", "TYPE", "DEFAULT", "DESCRIPTION")
    return [column(name, width, place) for place, (name, width) in enumerate(zip(names, widths, strict=True))]


_INPUTS = input_columns(20, 16, 12, 20)
_DRIVERS: list[Column[Entry]] = [
    Column("NAME", 16, Align.LEFT, lambda d: str(d["name"]), about="its name"),
    Column("DEPLOYMENTS", 24, Align.LEFT, _deployments, about="what it can make"),
    Column("STATE", 8, Align.LEFT, lambda d: str(d["state"]), about="whether it may be used"),
    Column(
        "CHANGED",
        7,
        Align.LEFT,
        lambda d: "yes" if d.get("changed") else "no",
        about="whether it changed since the last sync",
    ),
    Column("ORIGIN", 10, Align.LEFT, lambda d: d.get("registry") or "-", about="where it was found"),
    Column(
        "PROBLEM",
        8,
        Align.LEFT,
        lambda d: d.get("error_msg") or "-",
        shown=False,
        about="why it cannot be used",
    ),
    Column("PATH", 20, Align.LEFT, lambda d: d.get("system_path") or "-", shown=False, about="its folder"),
]
_SYNCED: list[Column[tuple[str, str, str]]] = [
    Column("NAME", 16, Align.LEFT, lambda row: row[0], about="its name"),
    Column("RESULT", 6, Align.LEFT, lambda row: row[1]),
    Column("PROBLEM", 20, Align.LEFT, lambda row: row[2], about="why it cannot be used"),
]
