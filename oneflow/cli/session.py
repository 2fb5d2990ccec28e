"""A run of `oneflow`: which server is asked, if any, and the door to it or to the state file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from onecore.cli.session import Session

if TYPE_CHECKING:
    from oneflow.cli.door import Door
    from oneflow.cli.remote import RemoteDoor


@dataclass
class FlowSession(Session):
    """`server`, `username`, `password` are the options of those names; `wait` is None without --wait and
    --no-wait."""

    server: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    wait: bool | None = None

    @property
    def is_remote(self) -> bool:
        return bool(self._url)

    def door(self) -> "Door":
        """For commands that look, or change a record and no more."""
        if self.is_remote:
            return self._remote()
        from oneflow.cli.local import LocalDoor

        return LocalDoor(self.deps())

    @contextmanager
    def acting(self) -> "Iterator[Door]":
        """For commands that have something done: with progress on stderr and an orderly Ctrl-C."""
        if self.is_remote:
            yield self._remote()
            return
        from oneflow.cli.local import LocalDoor

        with self.working() as deps:
            yield LocalDoor(deps)

    @property
    def _url(self) -> str:
        return self.server or self.settings.environ.get("ONEFLOW_URL", "")

    def _remote(self) -> "RemoteDoor":
        from onecore.http.client import Client, credentials  # lazy: brings requests
        from oneflow.cli.remote import RemoteDoor

        user, password = credentials(self.settings.environ, "ONEFLOW", (self.username, self.password))
        self.conceal([password])
        return RemoteDoor(Client(self._url, user, password), self.wait_timeout_s)


pass_session = click.make_pass_decorator(FlowSession)
