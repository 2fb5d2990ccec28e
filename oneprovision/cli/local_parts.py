"""The doors to the providers and OneForm drivers of the state file."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from onecore.deps import Deps
from onecore.document import Document
from oneprovision.cli.door import Names, Row
from oneprovision.cli.local import row_of
from oneprovision.usecases import folder_drivers, provider_documents, providers, visible

if TYPE_CHECKING:
    from oneprovision.model.folder import Input
    from oneprovision.model.provider import ProviderForm


class LocalProviders:
    """See door.Providers."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def names(self) -> Names:
        return provider_documents.names(self._deps)

    def rows(self) -> list[Row]:
        owners = visible.owners(self._deps)
        seen = provider_documents.every(self._deps)
        return [replace(row_of(p, owners), driver=p.driver) for p in seen]

    def pool(self, kept: Sequence[Row]) -> Document:
        chosen = {row.id for row in kept}
        every = provider_documents.every(self._deps)
        return provider_documents.pool(self._deps, [p for p in every if p.id in chosen])

    def document(self, number: int, sensitive: bool = False) -> Document:
        return provider_documents.document(self._deps, number, sensitive)

    def asked(self, driver: str) -> "Sequence[Input]":
        return providers.asked(self._deps, driver)

    def create(self, form: "ProviderForm") -> int:
        return providers.create(self._deps, form).id

    def update(self, number: int, form: "ProviderForm") -> None:
        providers.update(self._deps, number, form)

    def delete(self, number: int) -> None:
        providers.delete(self._deps, number)

    def chmod(self, number: int, mode: str) -> None:
        providers.chmod(self._deps, number, mode)

    def chown(self, number: int, user: str | None, group: str | None) -> None:
        providers.chown(self._deps, number, user, group)


class LocalDrivers:
    """See door.Drivers."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def documents(self, enabled: bool) -> list[Document]:
        return folder_drivers.pool(folder_drivers.every(self._deps, enabled))

    def document(self, name: str) -> Document:
        return folder_drivers.document(folder_drivers.one(self._deps, name))

    def sync(self) -> Document:
        return folder_drivers.summary(folder_drivers.sync(self._deps))

    def enable(self, name: str) -> None:
        folder_drivers.enable(self._deps, name)

    def disable(self, name: str) -> None:
        folder_drivers.disable(self._deps, name)
