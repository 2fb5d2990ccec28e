"""`cluster`, `datastore` and `network`: list and show."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from onecore.cli.idlist import resolve
from onecore.cli.listing import TableOptions, table, table_options
from onecore.cli.output import OutputFormat, Table, emit, format_options, sections
from onecore.cli.session import Session, pass_session
from onecore.cli.tables import Align, Column
from oneprovision.model.provision import ObjectKind

if TYPE_CHECKING:
    from onecore.deps import Deps

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class _Words:
    """What the help says of a kind: what its group is, how a list of it goes on, and what `show` adds."""

    about: str
    listed: str
    listing: str
    shown: str = ""
    example: str = "0"


def _group(kind: ObjectKind, words: _Words) -> click.Group:
    name, plural, metavar = kind.value, f"{kind.value}s", kind.value.upper()
    program = f"oneprovision {name}"

    @click.command(
        "list", help=f"List the {plural}{words.listed}.\n\n\b\n{program} list\n{program} {words.listing}"
    )
    @table_options
    @pass_session
    def list_(session: Session, options: TableOptions) -> None:
        _list(session, kind, options)

    @click.command(
        "show",
        help=f"Show {metavar}, by id or name{words.shown}.\n\n\b\n{program} show {words.example}",
    )
    @click.argument("selected", metavar=metavar)
    @format_options
    @pass_session
    def show(session: Session, /, selected: str, fmt: OutputFormat) -> None:
        _show(session, kind, selected, fmt)

    text = f"{words.about}.\n\n\b\n{program} list\n{program} show {words.example} -j"
    return click.Group(name, commands=[list_, show], help=text)


cluster = _group(
    ObjectKind.CLUSTER,
    _Words(
        "The clusters of all provisions",
        listed=", with how many hosts, networks and datastores each has",
        listing="list -f PROVISION=0 -j",
    ),
)
datastore = _group(
    ObjectKind.DATASTORE,
    _Words("The datastores of all provisions", listed="", listing="list -f TYPE=system_ds -j"),
)
network = _group(
    ObjectKind.NETWORK,
    _Words(
        "The networks of all provisions, and their addresses",
        listed=", with how many address ranges each has and how many addresses are in them",
        listing="list -f PUBLIC=YES -j",
        shown=", with its address ranges: static ones, and those leased from a provider",
        example="1",
    ),
)


def _list(session: Session, kind: ObjectKind, options: TableOptions) -> None:
    from oneprovision.usecases import objects

    def rows() -> Sequence[Entry]:
        found: Sequence[Entry] = objects.every(session.deps(), kind)
        return found

    table(_COLUMNS[kind], rows, options, lambda kept: objects.pool(kind, kept))


def _show(session: Session, kind: ObjectKind, selected: str, fmt: OutputFormat) -> None:
    from oneprovision.usecases import objects

    deps = session.deps()
    document: Entry = objects.get(deps, kind, _one(deps, kind, selected))
    if fmt is OutputFormat.TEXT:
        sections(_sections(objects.TAGS[kind], document))
    else:
        emit({objects.TAGS[kind]: document}, fmt)


def _one(deps: "Deps", kind: ObjectKind, selector: str) -> int:
    from onecore.errors import InvalidInput

    def known() -> Iterator[tuple[int, str]]:
        from oneprovision.usecases import objects

        yield from objects.names(deps, kind)

    ids = resolve(selector, known(), kind.value)
    if len(ids) != 1:
        raise InvalidInput(f"'{selector}' names {len(ids)} {kind}s; this command takes one")
    return ids[0]


def _sections(tag: str, document: Entry) -> list[tuple[str, Any]]:
    plain = [(key, value) for key, value in document.items() if isinstance(value, str)]
    members = [(key, ", ".join(document[key]["ID"]) or "-") for key in _MEMBERS if key in document]
    template = [(key, str(value)) for key, value in document["TEMPLATE"].items()]
    ranges = document.get("AR_POOL", {}).get("AR", [])
    return [
        (f"{tag} {document['ID']} INFORMATION", plain + members),
        *([("ADDRESS RANGES", Table(_RANGES, ranges))] if ranges else []),
        *([("TEMPLATE", template)] if template else []),
    ]


def _of(key: str) -> Callable[[Entry], str]:
    return lambda row: row.get(key) or "-"


def _count(key: str) -> Callable[[Entry], str]:
    return lambda row: str(len(row[key]["ID"]))


def _ranges(row: Entry) -> str:
    return str(len(row["AR_POOL"]["AR"]))


def _addresses(row: Entry) -> str:
    sizes = [str(each.get("SIZE", "")) for each in row["AR_POOL"]["AR"]]
    return str(sum(int(size) for size in sizes if size.isdecimal()))


_MEMBERS = ("HOSTS", "DATASTORES", "VNETS")
_ID = Column[Entry]("ID", 4, Align.RIGHT, _of("ID"), about="its number")
_NAME = Column[Entry]("NAME", 25, Align.LEFT, _of("NAME"), about="its name")
_CLUSTER = Column[Entry]("CLUSTER", 15, Align.LEFT, _of("CLUSTER"), about="the cluster that it is in")
_PROVISION = Column[Entry](
    "PROVISION", 9, Align.RIGHT, _of("PROVISION_ID"), about="the provision that it belongs to"
)
_COLUMNS = {
    ObjectKind.CLUSTER: [
        _ID,
        _NAME,
        _PROVISION,
        Column[Entry]("HOSTS", 5, Align.RIGHT, _count("HOSTS"), about="how many hosts it has"),
        Column[Entry]("VNETS", 5, Align.RIGHT, _count("VNETS"), about="how many networks it has"),
        Column[Entry](
            "DATASTORES", 10, Align.RIGHT, _count("DATASTORES"), about="how many datastores it has"
        ),
    ],
    ObjectKind.DATASTORE: [
        _ID,
        _NAME,
        _CLUSTER,
        _PROVISION,
        Column[Entry]("TYPE", 10, Align.LEFT, _of("TYPE"), about="what it is for: image_ds or system_ds"),
        Column[Entry]("DS", 8, Align.LEFT, _of("DS_MAD"), about="its datastore driver"),
        Column[Entry]("TM", 8, Align.LEFT, _of("TM_MAD"), about="its transfer driver"),
    ],
    ObjectKind.NETWORK: [
        _ID,
        _NAME,
        _CLUSTER,
        _PROVISION,
        Column[Entry]("VN_MAD", 10, Align.LEFT, _of("VN_MAD"), about="its network driver"),
        Column[Entry](
            "PUBLIC", 6, Align.LEFT, _of("PUBLIC"), about="whether its addresses are leased from the provider"
        ),
        Column[Entry]("ARS", 4, Align.RIGHT, _ranges, about="how many address ranges it has"),
        Column[Entry]("ADDRESSES", 9, Align.RIGHT, _addresses, about="how many addresses are in them"),
    ],
}
_RANGES = [
    Column[Entry]("AR_ID", 5, Align.RIGHT, _of("AR_ID")),
    Column[Entry]("IP", 15, Align.LEFT, _of("IP")),
    Column[Entry]("SIZE", 5, Align.RIGHT, _of("SIZE")),
    Column[Entry]("IPAM", 8, Align.LEFT, _of("IPAM_MAD")),
    Column[Entry]("STATE", 8, Align.LEFT, lambda row: row.get("STATE") or "static"),
]
