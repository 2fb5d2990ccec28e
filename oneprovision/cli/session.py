"""A run of `oneprovision`: the doors to a server, or to the state file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import click

from onecore.cli.client import ClientSession

if TYPE_CHECKING:
    from onecore.config import Settings
    from onecore.http.client import Client
    from oneprovision.cli.door import Drivers, Providers, Provisions


@dataclass
class FormSession(ClientSession):
    service: str = "ONEFORM"
    endpoint_file: str = "oneform_endpoint"
    embedded: bool = False

    @property
    def settings(self) -> "Settings":
        """With ONE_XMLRPC objects are registered in its OpenNebula, unless the user wants none."""
        read = super().settings
        return read if self.embedded else read.registering()

    def provisions(self) -> "Provisions":
        """For commands that look, or change a record and no more."""
        if self.is_remote:
            from oneprovision.cli.remote import RemoteProvisions  # lazy: brings requests

            return RemoteProvisions(self._asking, self.wait_timeout_s)
        from oneprovision.cli.local import LocalProvisions

        return LocalProvisions(self.deps())

    @contextmanager
    def acting(self) -> "Iterator[Provisions]":
        """For commands that have something done: with progress on stderr and an orderly Ctrl-C."""
        if self.is_remote:
            yield self.provisions()
            return
        from oneprovision.cli.local import LocalProvisions

        with self.working() as deps:
            yield LocalProvisions(replace(deps, waits=self.wait is not False))

    def providers(self) -> "Providers":
        if self.is_remote:
            from oneprovision.cli.remote_parts import RemoteProviders

            return RemoteProviders(self._asking)
        from oneprovision.cli.local_parts import LocalProviders

        return LocalProviders(self.deps())

    def drivers(self) -> "Drivers":
        if self.is_remote:
            from oneprovision.cli.remote_parts import RemoteDrivers

            return RemoteDrivers(self._asking)
        from oneprovision.cli.local_parts import LocalDrivers

        return LocalDrivers(self.deps())

    @property
    def waits(self) -> bool:
        """Here commands wait unless told otherwise; at a distance they wait when told so."""
        if self.wait is not None:
            return self.wait
        return not self.is_remote or self.wait_timeout_s is not None

    @cached_property
    def _asking(self) -> "Client":
        return self.client(f"/api/{self.settings.environ.get('ONEFORM_VERSION') or 'v1'}")


pass_session = click.make_pass_decorator(FormSession)
