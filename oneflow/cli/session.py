"""A run of `oneflow`: the door to a server, or to the state file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from onecore.cli.client import ClientSession

if TYPE_CHECKING:
    from onecore.config import Settings
    from onecore.deps import Deps
    from oneflow.cli.door import Door
    from oneflow.cli.remote import RemoteDoor


@dataclass
class FlowSession(ClientSession):
    """`embedded`: work without the OpenNebula of ONE_XMLRPC."""

    service: str = "ONEFLOW"
    endpoint_file: str = "oneflow_endpoint"
    embedded: bool = False

    @property
    def settings(self) -> "Settings":
        """With ONE_XMLRPC those of its OpenNebula, unless the user wants none."""
        read = super().settings
        return read if self.embedded else read.in_opennebula()

    def own_deps(self) -> "Deps":
        if self._deps is None and self.settings.opennebula:
            super().settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            (super().settings.home / "opennebula").mkdir(mode=0o700, exist_ok=True)
            from oneflow.bootstrap import as_its_user

            self._deps = as_its_user(super().own_deps())
        return super().own_deps()

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

    def _remote(self) -> "RemoteDoor":
        from oneflow.cli.remote import RemoteDoor  # lazy: brings requests

        return RemoteDoor(self.client(), self.wait_timeout_s)


pass_session = click.make_pass_decorator(FlowSession)
