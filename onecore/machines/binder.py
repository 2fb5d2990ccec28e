"""Which driver and account serve a resource."""

from onecore.deps import Deps
from onecore.drivers.catalog import Driver
from onecore.machines.calls import Binding
from onecore.machines.model import Resource
from onecore.store import providers
from onecore.vault import unseal

# How long somebody else's change of an account may go unnoticed.
UNNOTICED_S = 0.25


class Binder:
    """Remembers each driver and account until somebody else changes the state: an account, perhaps."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._bindings: dict[tuple[str, int | None], Binding] = {}
        self._changes = deps.database.changes()
        self._looked_at = deps.clock.monotonic()

    def bind(self, resource: Resource) -> Binding:
        return self.binding(resource.driver, resource.provider_id)

    def binding(self, driver_name: str, provider_id: int | None) -> Binding:
        self._notice_changes()
        key = (driver_name, provider_id)
        if key not in self._bindings:
            driver = self._deps.catalog.get(driver_name)
            settings = self._deps.settings
            self._bindings[key] = Binding(
                driver,
                self._secrets(driver, provider_id),
                settings.home,
                settings.base_environment.get("PATH", "/usr/bin:/bin"),
            )
        return self._bindings[key]

    def _notice_changes(self) -> None:
        now = self._deps.clock.monotonic()
        if now < self._looked_at + UNNOTICED_S:
            return
        self._looked_at = now
        changes = self._deps.database.changes()
        if changes != self._changes:
            self._changes = changes
            self._bindings.clear()

    def _secrets(self, driver: Driver, provider_id: int | None) -> dict[str, str]:
        """By environment variable: from the provider's connection, else from our own environment."""
        manifest = driver.manifest
        if provider_id is None:
            given = self._deps.settings.account_from_environment(manifest.variables)
            self._deps.conceal(manifest.hidden(given))
            return given
        with self._deps.database.read() as tx:
            sealed = providers.get(tx, provider_id).sealed
        connection = unseal(self._deps.settings.home / "key", sealed)
        # A driver without a manifest is given every value under its upper-case name, as the old tool did.
        account = {manifest.connection.get(name, name.upper()): text for name, text in connection.items()}
        self._deps.conceal(manifest.hidden(account))
        return account
