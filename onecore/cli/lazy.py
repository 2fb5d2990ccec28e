"""A command group that knows its commands by name and imports one only when it is run."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Entry(NamedTuple):
    """Where a command lives and what help says of it. A plain tuple of three strings does as well."""

    module: str
    attribute: str
    help: str


class LazyGroup(click.Group):
    """`@click.group(cls=LazyGroup, table={"list": Entry(...)}, aliases={"ls": "list"})`.

    Help and TAB read the table and import no command. Aliases work but are not shown.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        table: Mapping[str, tuple[str, str, str]],
        aliases: Mapping[str, str] | None = None,
        **attributes: Any,  # whatever click.Group takes; it checks them itself
    ) -> None:
        super().__init__(name, **attributes)
        self._table = {command: Entry(*entry) for command, entry in table.items()}
        self._aliases = dict(aliases or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The table in its own order (related commands stand together), then what was added by hand."""
        return [*self._table, *sorted(name for name in self.commands if name not in self._table)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = self._aliases.get(cmd_name, cmd_name)
        if name not in self.commands and name in self._table:
            self.commands[name] = _load(self._table[name])
        return super().get_command(ctx, name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = self._aliases.get(args[0], args[0])
        known = name in self._table or name in self.commands
        if not (known or name.startswith("-") or ctx.resilient_parsing):
            raise click.UsageError(f"no such command {name!r}{self._suggestion(name)}", ctx)
        return super().resolve_command(ctx, [name, *args[1:]])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = list(self._visible())
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem  # lazy: only TAB needs it

        visible = [(name, text) for name, text in self._visible() if name.startswith(incomplete)]
        items = [CompletionItem(name, help=text) for name, text in visible]
        # Not super(): Group.shell_complete asks every command for its help and so imports them all.
        return items + click.Command.shell_complete(self, ctx, incomplete)

    def _visible(self) -> Iterator[tuple[str, str]]:
        for name, entry in self._table.items():
            yield name, entry.help
        for name, command in sorted(self.commands.items()):
            if name not in self._table and not command.hidden:
                yield name, command.get_short_help_str(limit=70)

    def _suggestion(self, name: str) -> str:
        from difflib import get_close_matches  # lazy: only a mistyped command needs it

        names = [*(visible for visible, _ in self._visible()), *self._aliases]
        close = get_close_matches(name, names, n=1, cutoff=0.5)
        return f"; did you mean '{close[0]}'?" if close else ""


def _load(entry: Entry) -> click.Command:
    command = getattr(import_module(entry.module), entry.attribute)
    if not isinstance(command, click.Command):
        raise TypeError(f"{entry.module}.{entry.attribute} is a {type(command).__name__}, not a command")
    return command
