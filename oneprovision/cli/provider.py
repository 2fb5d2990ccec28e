"""`provider`: the accounts that drivers work on."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onecore.cli.lazy import LazyGroup
from onecore.cli.listing import TableOptions, table, table_options
from onecore.cli.output import OutputFormat, emit, format_options, sections, write
from onecore.cli.session import Session, pass_session
from onecore.cli.tables import Align, Column

if TYPE_CHECKING:
    from onecore.deps import Deps
    from onecore.store.providers import Provider


_HERE = "oneprovision.cli.offers"
_TABLE = {
    "locations": (_HERE, "locations", "List the places where machines can be."),
    "plans": (_HERE, "plans", "List the sizes that machines can have, with prices."),
    "images": (_HERE, "images", "List the systems that machines can start with."),
    "prices": (_HERE, "prices", "List what each plan costs."),
}
_ALIASES = {"regions": "locations", "types": "plans", "sizes": "plans", "oss": "images", "os": "images"}


@click.group(cls=LazyGroup, table=_TABLE, aliases=_ALIASES)
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
def create(session: Session, /, file: Path | None, fmt: OutputFormat, **given: Any) -> None:
    """Create a provider from a YAML or JSON FILE (- for standard input), from options, or from both.

    The file has: name, driver (or provider), description, connection (a mapping), parameters (a mapping).

    \b
    oneprovision provider create ams.yaml
    oneprovision provider create --name ams --driver mycloud --connection token=@token.txt
    pass show mycloud | oneprovision provider create ams.yaml --connection token=-
    """
    from oneprovision.cli.provider_input import form_of_file, form_of_options
    from oneprovision.usecases import provider_documents, providers

    said = form_of_options(given, session.conceal)
    form = said.over(form_of_file(file, session.conceal)) if file else said
    deps = session.deps()
    created = providers.create(deps, form)
    if fmt is OutputFormat.TEXT:
        write(f"ID: {created.id}\n")
    else:
        emit(provider_documents.document(deps, created.id), fmt)


@provider.command("list")
@table_options
@pass_session
def list_(session: Session, options: TableOptions) -> None:
    """List the providers that you may use.

    \b
    oneprovision provider list
    oneprovision provider list -j
    """
    from onecore.clock import iso
    from oneprovision.usecases import provider_documents, visible

    deps = session.deps()
    users, groups = visible.owners(deps)
    columns: list[Column[Provider]] = [
        Column("ID", 4, Align.RIGHT, lambda p: str(p.id), about="its number"),
        Column("USER", 10, Align.LEFT, lambda p: users.get(p.uid, str(p.uid)), about="its owner"),
        Column(
            "GROUP", 10, Align.LEFT, lambda p: groups.get(p.gid, str(p.gid)), about="the group of its owner"
        ),
        Column("NAME", 25, Align.LEFT, lambda p: p.name, about="its name"),
        Column("DRIVER", 12, Align.LEFT, lambda p: p.driver, about="the pm driver that knows it"),
        Column("REGTIME", 19, Align.LEFT, lambda p: iso(p.created_at), about="when it was made"),
    ]
    table(
        columns,
        lambda: provider_documents.every(deps),
        options,
        lambda kept: provider_documents.pool(deps, kept),
    )


@provider.command()
@click.argument("selected", metavar="PROVIDER")
@click.option("-s", "--sensitive", is_flag=True, help="With the secrets. For its owner and administrators.")
@format_options
@pass_session
def show(session: Session, /, selected: str, sensitive: bool, fmt: OutputFormat) -> None:
    """Show PROVIDER (an id or a name); its secrets are masked.

    \b
    oneprovision provider show ams
    oneprovision provider show ams --sensitive -j
    """
    from oneprovision.cli.provider_view import sections_of
    from oneprovision.usecases import provider_documents

    deps = session.deps()
    document = provider_documents.document(deps, _one(deps, selected), sensitive)
    if fmt is OutputFormat.TEXT:
        sections(list(sections_of(document["DOCUMENT"])))
    else:
        emit(document, fmt)


@provider.command()
@click.argument("selected", metavar="PROVIDER")
@click.argument("file", type=click.Path(path_type=Path))
@format_options
@pass_session
def update(session: Session, /, selected: str, file: Path, fmt: OutputFormat) -> None:
    """Change PROVIDER as a YAML or JSON FILE (- for standard input) says; what is not in it stays.

    Connection values are merged, and masks (***** or __redacted__) leave the value as it is, so that what
    `show -j` prints can be edited and given back.

    \b
    oneprovision provider update ams changes.yaml
    echo '{"connection": {"token": "..."}}' | oneprovision provider update ams -
    """
    from oneprovision.cli.provider_input import form_of_file
    from oneprovision.usecases import provider_documents, providers

    form = form_of_file(file, session.conceal)
    deps = session.deps()
    number = _one(deps, selected)
    providers.update(deps, number, form)
    if fmt is not OutputFormat.TEXT:
        emit(provider_documents.document(deps, number), fmt)


@provider.command()
@click.argument("selected", metavar="PROVIDER")
@click.argument("name")
@pass_session
def rename(session: Session, /, selected: str, name: str) -> None:
    """Give PROVIDER another NAME.

    \b
    oneprovision provider rename 0 ams
    """
    from oneprovision.usecases import providers

    deps = session.deps()
    providers.rename(deps, _one(deps, selected), name)


@provider.command()
@click.argument("selected", metavar="PROVIDERS")
@pass_session
def delete(session: Session, /, selected: str) -> None:
    """Delete PROVIDERS that no provision uses any more.

    \b
    oneprovision provider delete ams
    oneprovision provider delete 0,3..5
    """
    from oneprovision.usecases import providers

    deps = session.deps()
    for number in _some(deps, selected):
        providers.delete(deps, number)


@provider.command()
@click.argument("selected", metavar="PROVIDERS")
@click.argument("mode")
@pass_session
def chmod(session: Session, /, selected: str, mode: str) -> None:
    """Change who may do what with PROVIDERS: MODE is an octet of use 4, manage 2, admin 1, for owner, group
    and others, or what changes: for u, g, o or a(ll), add +, take - or set = some of u(se), m(anage),
    a(dmin).

    \b
    oneprovision provider chmod ams 640
    oneprovision provider chmod ams g+u
    """
    from oneprovision.usecases import providers

    deps = session.deps()
    for number in _some(deps, selected):
        providers.chmod(deps, number, mode)


@provider.command()
@click.argument("selected", metavar="PROVIDERS")
@click.argument("user")
@click.argument("group", required=False)
@pass_session
def chown(session: Session, /, selected: str, user: str, group: str | None) -> None:
    """Give PROVIDERS to USER, and to GROUP if named. For members of the group oneadmin.

    \b
    oneprovision provider chown ams alice users
    """
    from oneprovision.usecases import providers

    deps = session.deps()
    for number in _some(deps, selected):
        providers.chown(deps, number, user, group)


@provider.command()
@click.argument("selected", metavar="PROVIDERS")
@click.argument("group")
@pass_session
def chgrp(session: Session, /, selected: str, group: str) -> None:
    """Give PROVIDERS to GROUP. For members of the group oneadmin.

    \b
    oneprovision provider chgrp ams users
    """
    from oneprovision.usecases import providers

    deps = session.deps()
    for number in _some(deps, selected):
        providers.chown(deps, number, None, group)


def _some(deps: "Deps", selector: str) -> tuple[int, ...]:
    from onecore.cli.idlist import resolve
    from oneprovision.usecases import provider_documents

    return resolve(selector, provider_documents.names(deps), "provider")


def _one(deps: "Deps", selector: str) -> int:
    from onecore.errors import InvalidInput

    numbers = _some(deps, selector)
    if len(numbers) != 1:
        raise InvalidInput(f"'{selector}' names {len(numbers)} providers; this command takes one")
    return numbers[0]
