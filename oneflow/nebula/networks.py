"""Virtual networks that are made for a service: as records of the machine loop, found again by their name,
which has a random end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from onecore.drivers.catalog import Driver
from onecore.drivers.manifest import Manifest
from onecore.errors import NotFound
from onecore.machines.calls import Seen
from onecore.machines.decide import Facts, Health
from onecore.machines.model import Kind, Resource
from onecore.opennebula.text import rendered
from onecore.tasks import Task
from oneflow.model.contents import parsed
from oneflow.nebula.binding import LIMITS, NebulaBinding
from oneflow.nebula.records import NETWORK

if TYPE_CHECKING:
    from lxml.etree import _Element

_READY, _DONE = 1, 4
_STATES: Final = {0: Health.PENDING, _READY: Health.RUNNING, _DONE: Health.GONE, 5: Health.ERROR}
"""VNET states since 6.0; LOCK_CREATE (2), LOCK_DELETE (3) and UPDATE_FAILURE (6) end no waiting."""

RunFile = Callable[[str], Path]


def driver() -> Driver:
    return Driver(
        NETWORK, Path("/"), "OpenNebula", Manifest(NETWORK, "networks of an OpenNebula", limits=LIMITS)
    )


@dataclass(frozen=True)
class NetworkBinding(NebulaBinding):
    """What the machine loop asks of an OpenNebula for networks."""

    known: dict[str, int] = field(default_factory=dict)

    def facts(self, kind: Kind) -> Facts:
        return Facts(can_list=True, idempotent=False, confirm_s=60.0, boot_s=600.0, late_s=self.late_s)

    def create(self, resource: Resource, run_file: RunFile) -> Task:
        return self._task(partial(self._make, resource.name, resource.deployment))

    def destroy(self, resource: Resource, run_file: RunFile) -> Task:
        return self._task(partial(self._delete, int(resource.deploy_id)))

    def list(self, kind: Kind) -> Task:
        return self._task(partial(self._look, dict(self.known)))

    # -- in a thread of its own ----------------------------------------------------------------------------

    def _make(self, name: str, deployment: Mapping[str, Any]) -> int:
        owner = str(deployment["owner"])
        number, extra = int(deployment["number"]), parsed(deployment["extra"])
        made: int
        if deployment["way"] == "template_id":
            made = self._client.call_for(owner, "vntemplate.instantiate", number, name, rendered(extra))
        else:
            made = self._client.call_for(owner, "vn.reserve", number, rendered({**extra, "NAME": name}))
        return made

    def _delete(self, number: int) -> None:
        try:
            self._client.call("vn.delete", number)
        except NotFound:
            return

    def _look(self, known: Mapping[str, int]) -> dict[str, Seen]:
        pool = self._client.document("vnpool.info", -2, -1, -1).findall("VNET")
        by_id = {int(net.findtext("ID", "")): net for net in pool}
        found = {name: by_id[number] for name, number in known.items() if number in by_id}
        for net in pool:
            found.setdefault(net.findtext("NAME", ""), net)
        for name in known.keys() - found.keys():
            hidden = self._hidden(known[name])
            if hidden is not None:
                found[name] = hidden
        return {name: _seen(name, net) for name, net in found.items()}

    def _hidden(self, number: int) -> "_Element | None":
        """One that we know and that the pool does not have: gone, or only out of our sight?"""
        try:
            return self._client.document("vn.info", number)
        except NotFound:
            return None


def _seen(name: str, net: "_Element") -> Seen:
    """Before 6.0 a network has no state: it is there, or it is not."""
    state = int(net.findtext("STATE") or _READY)
    return Seen(name, net.findtext("ID", ""), _STATES.get(state, Health.PENDING))
