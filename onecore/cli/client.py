"""A run of a program that can ask a server instead of the local state: which one, as whom, and the options
that say so after every command."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import click

from onecore.cli.lazy import LazyGroup
from onecore.cli.session import Session
from onecore.errors import InvalidInput

if TYPE_CHECKING:
    from onecore.deps import Deps
    from onecore.http.client import Client

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    (("-s", "--server"), "server", "URL", "Ask this server instead of the local state ({}_URL)."),
    (("-u", "--username"), "username", "NAME", "User at the server ({}_USER)."),
    (("-p", "--password"), "password", "PASSWORD", "His password (better: {}_PASSWORD or ONE_AUTH)."),
)


@dataclass
class ClientSession(Session):
    """`server`, `username`, `password` are the options of those names; `wait` is None without --wait and
    --no-wait. `service` begins the names of the variables: ONEFLOW of ONEFLOW_URL; `endpoint_file` names a
    server, too, if the product has one."""

    service: str = ""
    endpoint_file: str = ""
    server: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    wait: bool | None = None

    @property
    def is_remote(self) -> bool:
        return bool(self.url)

    @property
    def url(self) -> str:
        return self._endpoint[0]

    @property
    def _endpoint(self) -> tuple[str, str]:
        """The server, and who named it."""
        if self.server:
            return self.server, "--server"
        return self.settings.endpoint(f"{self.service}_URL", self.endpoint_file)

    def deps(self) -> "Deps":
        """For commands that need the state itself; see `need_own`."""
        self.need_own()
        return self.own_deps()

    def need_own(self) -> None:
        """Raises InvalidInput where a server is asked instead of what is on this machine."""
        if self.is_remote:
            url, origin = self._endpoint
            context = click.get_current_context(silent=True)
            command = context.command_path if context else self.product
            raise InvalidInput(
                f"`{command}` needs the machine's own store, and {url} is asked",
                hint=f"run it on that machine, without {origin}",
            )

    def own_deps(self) -> "Deps":
        """For what serves others, whichever server commands ask."""
        return super().deps()

    def client(self, base: str = "") -> "Client":
        """What asks the server; `base` is where its routes begin, unless the URL says so itself."""
        from onecore.http.client import Client, credentials  # lazy: brings requests

        user, password = credentials(self.settings.environ, self.service, (self.username, self.password))
        self.conceal([password])
        url = self.url.rstrip("/")
        return Client(url if url.endswith(base) else url + base, user, password)

    def ask(self, server: str, username: str, password: str) -> None:
        """What was said before the command."""
        self.server, self.username, self.password = server, username, password
        if password:
            self.conceal([password])


class ClientGroup(LazyGroup):
    """A lazy group; each command that it hands out takes the options of the server as well, but for those
    that are `local`: they need the state itself."""

    service: ClassVar[str]
    local: ClassVar[frozenset[str]] = frozenset()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        return command if command is None or self._is_local(command) else self._with_options(command)

    def _is_local(self, command: click.Command) -> bool:
        return isinstance(command, click.Group) or command.name in self.local

    def _with_options(self, command: click.Command) -> click.Command:
        """Once per command. A short form that the command has for something else stays the command's."""
        if any(option.name == "server" for option in command.params):
            return command
        taken = {spelling for option in command.params for spelling in option.opts}
        for names, name, metavar, text in _OPTIONS:
            free = [spelling for spelling in names if spelling not in taken]
            command.params.append(
                click.Option(
                    [*free, name],
                    metavar=metavar,
                    help=text.format(self.service),
                    default="",
                    show_default=False,
                    expose_value=False,
                    callback=_remember,
                )
            )
        return command


def server_options(service: str) -> Callable[[Command], Command]:
    """The same, to stand before the command."""

    def add(command: Command) -> Command:
        for names, name, metavar, text in reversed(_OPTIONS):
            option = click.option(*names, name, metavar=metavar, default="", help=text.format(service))
            command = option(command)
        return command

    return add


def _remember(ctx: click.Context, option: click.Parameter, value: Any) -> None:
    session = ctx.find_object(ClientSession)
    if value and session is not None and option.name:
        setattr(session, option.name, value)
        if option.name == "password":
            session.conceal([value])
