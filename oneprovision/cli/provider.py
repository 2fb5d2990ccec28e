"""`provider`: the accounts that drivers work on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onecore.cli.listing import TableOptions, table, table_options
from onecore.cli.output import OutputFormat, emit, format_options, sections, write
from onecore.cli.ownership import Kind, ownership_commands
from onecore.cli.tables import Align, Column
from onecore.clock import iso
from oneprovision.cli.group import FormGroup
from oneprovision.cli.session import FormSession, pass_session

if TYPE_CHECKING:
    from oneprovision.cli.door import Providers, Row
    from oneprovision.model.provider import ProviderForm


_HERE = "oneprovision.cli.offers"
_TABLE = {
    "locations": (_HERE, "locations", "List the places where machines can be."),
    "plans": (_HERE, "plans", "List the sizes that machines can have, with prices."),
    "images": (_HERE, "images", "List the systems that machines can start with."),
    "prices": (_HERE, "prices", "List what each plan costs."),
}
_ALIASES = {"regions": "locations", "types": "plans", "sizes": "plans", "oss": "images", "os": "images"}


@click.group(cls=FormGroup, table=_TABLE, aliases=_ALIASES)
def provider() -> None:
    """Accounts that drivers work on, and what they offer. Their secrets are kept encrypted, and reach the
    driver only.

    \b
    oneprovision provider create ams.yaml
    oneprovision create cluster.yaml --provider ams
    """


@provider.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--name", metavar="NAME", help="Instead of the file's.")
@click.option("--driver", metavar="DRIVER", help="Instead of the file's.")
@click.option("--description", metavar="TEXT", help="Instead of the file's.")
@click.option(
    "--connection",
    metavar="KEY=@FILE",
    multiple=True,
    help="A connection value from a file, or (KEY=-) standard input. KEY=VALUE can be seen by others here.",
)
@click.option(
    "--set", "sets", metavar="NAME=VALUE", multiple=True, help="A parameter below every template's own."
)
@format_options
@pass_session
def create(session: FormSession, /, file: Path | None, fmt: OutputFormat, **given: Any) -> None:
    """Create a provider from a YAML or JSON FILE (- for standard input), from options, or from both.

    The file has: name, driver (or provider), description, connection (a mapping), parameters (a mapping).

    \b
    oneprovision provider create ams.yaml
    oneprovision provider create --name ams --driver mycloud --connection token=@token.txt
    pass show mycloud | oneprovision provider create ams.yaml --connection token=-
    """
    from oneprovision.cli.provider_input import form_of_file, form_of_options

    said = form_of_options(given, session.conceal)
    form = said.over(form_of_file(file, session.conceal)) if file else said
    door = session.providers()
    number = door.create(_completed(session, door, form))
    if fmt is OutputFormat.TEXT:
        write(f"ID: {number}\n")
    else:
        emit(door.document(number), fmt)


@provider.command("list")
@table_options
@pass_session
def list_(session: FormSession, options: TableOptions) -> None:
    """List the providers that you may use.

    \b
    oneprovision provider list
    oneprovision provider list -j
    """
    door = session.providers()
    columns: list[Column[Row]] = [
        Column("ID", 4, Align.RIGHT, lambda row: str(row.id), about="its number"),
        Column("USER", 10, Align.LEFT, lambda row: row.user, about="its owner"),
        Column("GROUP", 10, Align.LEFT, lambda row: row.group, about="the group of its owner"),
        Column("NAME", 25, Align.LEFT, lambda row: row.name, about="its name"),
        Column("DRIVER", 12, Align.LEFT, lambda row: row.driver, about="the pm driver that knows it"),
        Column("REGTIME", 19, Align.LEFT, lambda row: iso(row.registered_at), about="when it was made"),
    ]
    table(columns, door.rows, options, door.pool)


@provider.command()
@click.argument("selected", metavar="PROVIDER")
@click.option("-s", "--sensitive", is_flag=True, help="With the secrets. For its owner and administrators.")
@format_options
@pass_session
def show(session: FormSession, /, selected: str, sensitive: bool, fmt: OutputFormat) -> None:
    """Show PROVIDER (an id or a name); its secrets are masked.

    \b
    oneprovision provider show ams
    oneprovision provider show ams --sensitive -j
    """
    from oneprovision.cli.provider_view import sections_of

    door = session.providers()
    document = door.document(_one(door, selected), sensitive)
    if fmt is OutputFormat.TEXT:
        sections(list(sections_of(document["DOCUMENT"])))
    else:
        emit(document, fmt)


@provider.command()
@click.argument("selected", metavar="PROVIDER")
@click.argument("file", type=click.Path(path_type=Path))
@format_options
@pass_session
def update(session: FormSession, /, selected: str, file: Path, fmt: OutputFormat) -> None:
    """Change PROVIDER as a YAML or JSON FILE (- for standard input) says; what is not in it stays.

    Connection values are merged, and masks (***** or __redacted__) leave the value as it is, so that what
    `show -j` prints can be edited and given back.

    \b
    oneprovision provider update ams changes.yaml
    echo '{"connection": {"token": "..."}}' | oneprovision provider update ams -
    """
    from oneprovision.cli.provider_input import form_of_file

    form = form_of_file(file, session.conceal)
    door = session.providers()
    number = _one(door, selected)
    door.update(number, form)
    if fmt is not OutputFormat.TEXT:
        emit(door.document(number), fmt)


@provider.command()
@click.argument("selected", metavar="PROVIDER")
@click.argument("name")
@pass_session
def rename(session: FormSession, /, selected: str, name: str) -> None:
    """Give PROVIDER another NAME.

    \b
    oneprovision provider rename 0 ams
    """
    from oneprovision.model.provider import ProviderForm

    door = session.providers()
    door.update(_one(door, selected), ProviderForm(name=name))


@provider.command()
@click.argument("selected", metavar="PROVIDERS")
@pass_session
def delete(session: FormSession, /, selected: str) -> None:
    """Delete PROVIDERS that no provision uses any more.

    \b
    oneprovision provider delete ams
    oneprovision provider delete 0,3..5
    """
    door = session.providers()
    for number in _some(door, selected):
        door.delete(number)


@dataclass(frozen=True)
class _Providers:
    door: "Providers"

    def numbers(self, selector: str) -> tuple[int, ...]:
        return _some(self.door, selector)

    def chown(self, number: int, user: str, group: str | None) -> None:
        self.door.chown(number, user, group)

    def chgrp(self, number: int, group: str) -> None:
        self.door.chown(number, None, group)

    def chmod(self, number: int, mode: str) -> None:
        self.door.chmod(number, mode)


def _providers(session: FormSession) -> _Providers:
    return _Providers(session.providers())


for _command in ownership_commands(Kind("PROVIDERS", "oneprovision provider", _providers, "ams", "ams")):
    provider.add_command(_command)


def _completed(session: FormSession, door: "Providers", form: "ProviderForm") -> "ProviderForm":
    """People who are there are asked for what is missing."""
    from dataclasses import replace

    from oneprovision.cli import prompting
    from oneprovision.model.shapes import text_of

    if not (form.driver and prompting.somebody_is_there()):
        return form
    name = form.name or prompting.ask("name of the provider", False)
    values = prompting.values(door.asked(form.driver), form.connection, everything=False)
    session.conceal(str(value) for value in values.values())
    return replace(form, name=name, connection={key: text_of(value) for key, value in values.items()})


def _some(door: "Providers", selector: str) -> tuple[int, ...]:
    from onecore.cli.idlist import resolve

    def known() -> Iterator[tuple[int, str]]:
        yield from door.names()

    return resolve(selector, known(), "provider")


def _one(door: "Providers", selector: str) -> int:
    from onecore.errors import InvalidInput

    numbers = _some(door, selector)
    if len(numbers) != 1:
        raise InvalidInput(f"'{selector}' names {len(numbers)} providers; this command takes one")
    return numbers[0]
