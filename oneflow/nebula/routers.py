"""Virtual routers that are made for the roles of a service, found again by their names like its networks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onecore.drivers.catalog import Driver
from onecore.drivers.manifest import Manifest
from onecore.errors import NotFound
from onecore.machines.calls import Seen
from onecore.machines.decide import Health
from onecore.opennebula.text import rendered
from oneflow.nebula.binding import LIMITS
from oneflow.nebula.networks import NetworkBinding
from oneflow.nebula.records import FLOATING, ROUTER

if TYPE_CHECKING:
    from lxml.etree import _Element


def driver() -> Driver:
    return Driver(
        ROUTER, Path("/"), "OpenNebula", Manifest(ROUTER, "routers of an OpenNebula", limits=LIMITS)
    )


@dataclass(frozen=True)
class RouterBinding(NetworkBinding):
    """What the machine loop asks of an OpenNebula for virtual routers."""

    known: dict[str, int] = field(default_factory=dict)

    def _make(self, name: str, deployment: Mapping[str, Any]) -> int:
        text = rendered({**deployment["contents"], "NAME": name})
        made: int = self._client.call_for(str(deployment["owner"]), "vrouter.allocate", text)
        return made

    def _delete(self, number: int) -> None:
        try:
            self._client.call("vrouter.delete", number)
        except NotFound:
            return  # it went with its VMs

    def _look(self, known: Mapping[str, int]) -> dict[str, Seen]:
        pool = self._client.document("vrouterpool.info", -2, -1, -1).findall("VROUTER")
        by_id = {int(router.findtext("ID", "")): router for router in pool}
        found = {name: number for name, number in known.items() if number in by_id}
        for number, router in by_id.items():
            found.setdefault(router.findtext("NAME", ""), number)
        for name in known.keys() - found.keys():
            if self._is_hidden(known[name]):
                found[name] = known[name]
        return {name: _seen(name, number, by_id.get(number)) for name, number in found.items()}

    def _is_hidden(self, number: int) -> bool:
        try:
            self._client.call("vrouter.info", number)
        except NotFound:
            return False
        return True


def _seen(name: str, number: int, router: "_Element | None") -> Seen:
    """With its floating addresses, as far as it can be seen itself."""
    nics = router.findall("TEMPLATE/NIC") if router is not None else []
    shared = [
        {key: nic.findtext(key, "") for key in ("NETWORK_ID", "VROUTER_IP")}
        for nic in nics
        if nic.findtext("VROUTER_IP")
    ]
    return Seen(name, str(number), Health.RUNNING, metrics={FLOATING: json.dumps(shared)} if shared else {})
