"""The OpenNebula that an installation works with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from onecore.deps import Deps
from onecore.machines.calls import Binding
from onecore.machines.model import Resource
from onecore.opennebula import documents
from onecore.opennebula.client import Client, Unauthenticated
from onecore.opennebula.documents import Foreign, Known
from onecore.opennebula.vms import SeenVm, every
from oneflow.nebula.binding import NebulaBinding, driver
from oneflow.nebula.networks import NetworkBinding
from oneflow.nebula.networks import driver as network_driver
from oneflow.nebula.patience import Patience
from oneflow.nebula.records import NAME, NETWORK, ROUTER, is_nebula, is_network
from oneflow.nebula.routers import RouterBinding
from oneflow.nebula.routers import driver as router_driver

OWN = -1
NOBODY = -1


@dataclass(frozen=True)
class Nebula:
    """`patience` knows whether its server is being waited for."""

    client: Client
    patience: Patience = field(default_factory=Patience)
    late_s: float = 10.0

    def binder(self, deps: Deps, others: Callable[[Resource], Binding]) -> Callable[[Resource], Binding]:
        """Who serves a record: this OpenNebula its VMs, `others` the rest."""
        tools = {"client": self.client, "patience": self.patience, "late_s": self.late_s}
        mine = NebulaBinding(driver(), {}, deps.settings.home, "", **tools)  # type: ignore[arg-type]

        networks = NetworkBinding(network_driver(), {}, deps.settings.home, "", **tools)  # type: ignore[arg-type]
        routers = RouterBinding(router_driver(), {}, deps.settings.home, "", **tools)  # type: ignore[arg-type]
        by_driver = {NAME: mine, NETWORK: networks, ROUTER: routers}

        def bind(resource: Resource) -> Binding:
            if not is_nebula(resource) and not is_network(resource):
                return others(resource)
            binding = by_driver[resource.driver]
            binding.remember(resource)
            return binding

        return bind

    def who(self) -> Known:
        """Whose credentials we use. Raises NotAuthorized, or that nobody answers."""
        return _known(self.client.call("user.info", OWN))

    def authenticated(self, name: str, password: str) -> Known | None:
        """The user of that password or token, if it is one."""
        try:
            return _known(self.client.call_as(f"{name}:{password}", "user.info", OWN))
        except Unauthenticated:
            return None

    def everybody(self) -> list[Known]:
        """The users and groups that we may see; a group without a user has no name of one."""
        groups = {
            int(group.findtext("ID", "")): group.findtext("NAME", "")
            for group in self.client.document("grouppool.info").findall("GROUP")
        }
        users = self.client.document("userpool.info").findall("USER")
        return [
            *(Known(NOBODY, "", gid, group) for gid, group in groups.items()),
            *(
                Known(int(u.findtext("ID", "")), u.findtext("NAME", ""), gid, groups.get(gid, str(gid)))
                for u in users
                for gid in [int(u.findtext("GID", ""))]
            ),
        ]

    def documents(self, kind: str) -> list[Foreign]:
        """What another program keeps there, by the type of its documents."""
        return documents.every(self.client, kind)

    def vms(self) -> dict[int, SeenVm]:
        """Every VM that is there and that we may see."""
        return every(self.client)

    def routers(self) -> frozenset[int]:
        """The virtual routers that are there and that we may see."""
        pool = self.client.document("vrouterpool.info", -2, -1, -1)
        return frozenset(int(number.text or "") for number in pool.findall("VROUTER/ID"))

    def templates(self) -> frozenset[int]:
        """The VM templates that exist and that we may use."""
        self.client.version()
        pool = self.client.document("templatepool.info", -2, -1, -1)
        return frozenset(int(number.text or "") for number in pool.findall("VMTEMPLATE/ID"))


def _known(user: Any) -> Known:
    return Known(user.ID, user.NAME, user.GID, user.GNAME)
