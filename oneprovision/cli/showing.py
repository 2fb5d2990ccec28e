"""`show` and `logs`."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from onecore.cli.following import Work, print_log
from onecore.cli.output import OutputFormat, Table, emit, format_options, sections
from onecore.cli.ownership import permissions
from onecore.cli.tables import Align, Column
from oneprovision.cli.arguments import provision_id
from oneprovision.cli.session import FormSession, pass_session

Entry = Mapping[str, Any]


@click.command()
@click.argument("provision")
@format_options
@pass_session
def show(session: FormSession, /, provision: str, fmt: OutputFormat) -> None:
    """Show PROVISION with its objects, hosts, addresses and history.

    \b
    oneprovision show 42
    oneprovision show web -j
    """
    door = session.provisions()
    document = door.document(provision_id(door, provision))
    if fmt is OutputFormat.TEXT:
        sections(_sections(document["DOCUMENT"]))
    else:
        emit(document, fmt)


@click.command()
@click.argument("provision")
@click.option("-f", "--follow", is_flag=True, help="Go on printing until the work ends or Ctrl-C.")
@format_options
@pass_session
def logs(session: FormSession, /, provision: str, follow: bool, fmt: OutputFormat) -> None:
    """Show what happened to PROVISION, and why, oldest first. With --follow, JSON and YAML are a document a
    line.

    \b
    oneprovision logs 42
    oneprovision logs 42 --follow
    """
    door = session.provisions()
    number = provision_id(door, provision)

    def work() -> Work:
        return Work.GOES_ON if door.is_busy(number) else Work.IS_OVER

    print_log(lambda after: door.log(number, after), work, follow, fmt)


def _sections(document: Entry) -> list[tuple[str, Any]]:
    body: Entry = document["TEMPLATE"]["PROVISION_BODY"]
    objects: Entry = body["one_objects"]
    return [
        (f"PROVISION {document['ID']} INFORMATION", _information(document, body)),
        ("PERMISSIONS", permissions(document["PERMISSIONS"])),
        *_unless_empty("PROVISION VALUES", _pairs(body["user_inputs_values"])),
        *_unless_empty("TAGS", _pairs(body["tags"])),
        ("CLUSTER", Table(_ID_NAME, [objects["cluster"]] if objects["cluster"] else [])),
        ("HOSTS", Table(_HOSTS, objects["hosts"])),
        *_unless_empty("PENDING HOSTS", body["pending"], lambda rows: Table(_HOSTS, rows)),
        ("NETWORKS", Table(_NETWORKS, objects["networks"])),
        *_unless_empty("ADDRESS RANGES", _ranges(objects["networks"]), lambda rows: Table(_RANGES, rows)),
        ("DATASTORES", Table(_DATASTORES, objects["datastores"])),
        ("PROVISION HISTORIC", Table(_HISTORIC, body["historic"])),
    ]


def _information(document: Entry, body: Entry) -> list[tuple[str, str]]:
    pairs = [
        ("ID", document["ID"]),
        ("NAME", document["NAME"]),
        ("DESCRIPTION", body["description"]),
        ("USER", document["UNAME"]),
        ("GROUP", document["GNAME"]),
        ("STATE", body["state"]),
        ("PROVIDER ID", _text(body["provider_id"])),
        ("REGISTRATION TIME", _time(body["registration_time"])),
    ]
    return [*pairs, ("ERROR", body["error"])] if body["error"] else pairs


def _pairs(values: Entry) -> list[tuple[str, str]]:
    return [(key, _text(value)) for key, value in sorted(values.items())]


def _unless_empty(title: str, rows: Sequence[Any], show: Any = lambda rows: rows) -> list[tuple[str, Any]]:
    return [(title, show(rows))] if rows else []


def _ranges(networks: Sequence[Entry]) -> list[Entry]:
    return [{**each, "network": network["id"]} for network in networks for each in network["ar"]]


def _text(value: object) -> str:
    return "-" if value is None else str(value)


def _time(seconds: int) -> str:
    from onecore.clock import iso

    return iso(seconds)


def _column(name: str, key: str, width: int = 10, align: Align = Align.LEFT) -> Column[Entry]:
    return Column(name, width, align, lambda row: _text(row.get(key)))


_ID = _column("ID", "id", 4, Align.RIGHT)
_ID_NAME = [_ID, _column("NAME", "name", 25)]
_HOSTS = [
    _ID,
    _column("NAME", "name", 25),
    _column("IP", "ip", 15),
    _column("STATE", "state", 8),
    _column("CONFIGURED", "configuration", 10),
    _column("DRIVER", "driver", 8),
    _column("RESOURCE_ID", "resource_id", 20),
]
_NETWORKS = [
    _ID,
    Column[Entry]("TYPE", 10, Align.LEFT, lambda row: _text(row["template"].get("vn_mad"))),
    _column("NAME", "name", 25),
]
_DATASTORES = [
    _ID,
    Column[Entry]("TYPE", 10, Align.LEFT, lambda row: _text(row["template"].get("type") or "image_ds")),
    _column("NAME", "name", 25),
]
_RANGES = [
    _column("NETWORK", "network", 7, Align.RIGHT),
    _column("AR_ID", "ar_id", 5, Align.RIGHT),
    _column("IP", "ip", 15),
    _column("SIZE", "size", 5, Align.RIGHT),
    _column("IPAM", "ipam_mad", 8),
    _column("STATE", "state", 8),
]
_HISTORIC = [
    Column[Entry]("TIME", 19, Align.LEFT, lambda row: _time(row["time"])),
    _column("ACTION", "action", 26),
    _column("DESCRIPTION", "description", 20),
]
