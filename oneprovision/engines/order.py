"""What a provision of a driver folder was ordered with: the folder, the values, and the secrets."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from onecore.deps import Deps
from onecore.errors import WrongState
from onecore.machines.model import Resource
from onecore.store import providers
from onecore.vault import unseal
from oneprovision.engines.place import Place, kept_folder
from oneprovision.model.answers import resolve
from oneprovision.model.folder import HOSTS, ONPREM_HOSTS, Folder, HostsBy
from oneprovision.model.oneform import variables
from oneprovision.model.order import Order
from oneprovision.model.provision import Provision
from oneprovision.model.slots import Slot


@dataclass(frozen=True)
class Ordered:
    """`connection` has the values of the provider's account; `secrets` is what must be shown nowhere."""

    provision: Provision
    order: Order
    folder: Folder
    place: Place
    values: Mapping[str, object] = field(repr=False)
    connection: Mapping[str, object] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    def variables(self, machines: Sequence[Resource], slots: set[Slot]) -> dict[str, object]:
        """What OpenTofu is told, for a run after which these slots exist. A driver that counts is told a
        number above all of them, so that none falls out by its place."""
        told: dict[str, object] = dict(self.values)
        if self.folder.hosts_by is HostsBy.IPS:
            told[ONPREM_HOSTS] = [str(s) for s in _in_order(machines, slots)]
        else:
            numbers = [s for s in slots if isinstance(s, int)]
            told |= {HOSTS: max(numbers) + 1} if numbers else {}
        tags = {
            "provision_id": str(self.provision.id),
            "provider_id": "" if self.provision.provider_id is None else str(self.provision.provider_id),
            "driver": self.order.driver,
            **self.provision.tags,
            **({"owner": self.order.owner} if self.order.owner else {}),
        }
        return variables(self.folder, {**told, **self.connection}, tags)


def ordered(deps: Deps, provision: Provision) -> Ordered:
    """Raises what keeps the provision from being worked on."""
    order = Order.of(provision.template)
    if order is None:
        raise WrongState(f"provision {provision.id} was not made by a driver folder")
    folder = kept_folder(deps, order.driver, order.checksum)
    connection = connection_of(deps, provision.provider_id, folder)
    hidden = _sealed_values(deps, order)
    secrets = [str(v) for n, v in connection.items() if n in folder.secret_connection] + [
        str(value) for value in hidden.values()
    ]
    deps.conceal(secrets)
    return Ordered(
        provision=provision,
        order=order,
        folder=folder,
        place=Place(deps, provision.id, folder),
        values={**order.values, **hidden},
        connection=connection,
        secrets=tuple(secrets),
    )


def slot_of(resource: Resource) -> Slot:
    """The slot of a machine, as it was enrolled."""
    parameters = resource.deployment.get("provision")
    if not isinstance(parameters, Mapping):
        raise TypeError(f"{resource.name} was enrolled without parameters")
    return str(parameters["ip"]) if parameters.get("ip") else int(str(parameters["index"]))


def _in_order(machines: Sequence[Resource], slots: set[Slot]) -> list[Slot]:
    known = [slot_of(r) for r in sorted(machines, key=lambda r: r.id) if slot_of(r) in slots]
    return [*dict.fromkeys(known), *sorted(map(str, slots - set(known)))]


def connection_of(deps: Deps, provider_id: int | None, folder: Folder) -> dict[str, object]:
    """The values of a provider's account, with the driver's defaults."""
    if provider_id is None:
        return resolve(folder.connection, {}, "connection value")
    with deps.database.read() as tx:
        provider = providers.get(tx, provider_id)
    if provider.driver != folder.key:
        raise WrongState(f"provider {provider.id} is of driver '{provider.driver}', not of '{folder.key}'")
    given = unseal(deps.settings.home / "key", provider.sealed)
    known = {each.name for each in folder.connection}
    # The account may have been written for a newer version of the driver than this provision's.
    return resolve(folder.connection, {n: v for n, v in given.items() if n in known}, "connection value")


def _sealed_values(deps: Deps, order: Order) -> dict[str, object]:
    content = unseal(deps.settings.home / "key", order.sealed)
    return {name: json.loads(text) for name, text in content.items()}
