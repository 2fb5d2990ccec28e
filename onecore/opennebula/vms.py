"""The VMs of an OpenNebula: their document, and what their states mean for us."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from onecore.machines.decide import Health
from onecore.opennebula.client import Client, Refused

if TYPE_CHECKING:
    from lxml.etree import _Element

ACTIVE, DONE = 3, 6
RUNNING = (3, 3)
MONITORED_APART: Final = (6, 0, 0)
"""From this version on the pool does not have what was measured; older ones have it there only."""

_STATES: Final = {
    0: Health.PENDING,  # INIT
    1: Health.PENDING,  # PENDING
    2: Health.PENDING,  # HOLD
    4: Health.OFF,  # STOPPED
    5: Health.OFF,  # SUSPENDED
    6: Health.GONE,  # DONE
    7: Health.ERROR,  # FAILED, before 5.0
    8: Health.OFF,  # POWEROFF
    9: Health.OFF,  # UNDEPLOYED
    10: Health.PENDING,  # CLONING
    11: Health.ERROR,  # CLONING_FAILURE
}
_UNKNOWN = 16
_FAILURES: Final = frozenset({14, 36, 37, 38, 39, 40, 41, 42, 44, 46, 47, 48, 49, 50, 61})
"""FAILURE and every LCM_STATE whose name ends in _FAILURE."""


def health_of(state: int, lcm_state: int) -> Health:
    """What a VM in that STATE and LCM_STATE is to us. On its way from one state to another it is PENDING,
    which ends no waiting and changes nothing of a VM that ran."""
    if state != ACTIVE:
        return _STATES.get(state, Health.PENDING)
    if lcm_state == RUNNING[1]:
        return Health.RUNNING
    return Health.ERROR if lcm_state == _UNKNOWN or lcm_state in _FAILURES else Health.PENDING


@dataclass(frozen=True)
class SeenVm:
    """What matters of a VM document."""

    id: int
    name: str
    owner: tuple[int, int]
    state: int
    lcm_state: int
    host: str = ""
    addresses: tuple[str, ...] = ()
    monitoring: Mapping[str, str] = field(default_factory=dict)
    user_template: Mapping[str, str] = field(default_factory=dict)
    template: Mapping[str, object] = field(default_factory=dict)

    @property
    def health(self) -> Health:
        return health_of(self.state, self.lcm_state)


def every(client: Client) -> dict[int, SeenVm]:
    """Those that are there and that we may see, by their numbers."""
    pool = client.document("vmpool.infoextended", -2, -1, -1, -1)
    return {vm.id: vm for vm in map(read, pool.findall("VM"))}


def every_monitored(client: Client) -> dict[int, SeenVm]:
    """The same, with what was measured last, which OpenNebula tells of all VMs at once, too. Where it will
    not, nothing is known of that; everything else goes on."""
    seen = every(client)
    if client.version() < MONITORED_APART:
        return seen
    try:
        records = client.document("vmpool.monitoring", -2, 0)
    except Refused:
        return seen
    for record in records.findall("MONITORING"):
        measured = _flat(record)
        number = int(measured.pop("ID", "-1"))
        if number in seen:
            seen[number] = _measured(seen[number], measured)
    return seen


def _measured(vm: SeenVm, values: Mapping[str, str]) -> SeenVm:
    addresses = dict.fromkeys((*vm.addresses, *_told(values)))
    return replace(vm, addresses=tuple(addresses), monitoring={**vm.monitoring, **values})


def read(vm: "_Element") -> SeenVm:
    """Raises ValueError where the document lacks a number."""
    history = vm.findall("HISTORY_RECORDS/HISTORY")
    without = SeenVm(
        id=int(vm.findtext("ID", "")),
        name=vm.findtext("NAME", ""),
        owner=(int(vm.findtext("UID", "")), int(vm.findtext("GID", ""))),
        state=int(vm.findtext("STATE", "")),
        lcm_state=int(vm.findtext("LCM_STATE", "")),
        host=history[-1].findtext("HOSTNAME", "") if history else "",
        addresses=tuple(_given(vm)),
        user_template=_flat(vm.find("USER_TEMPLATE")),
        template=_nested(vm.find("TEMPLATE")),
    )
    return _measured(without, _flat(vm.find("MONITORING")))


def _given(vm: "_Element") -> Iterable[str]:
    """The addresses that OpenNebula gave it."""
    found = [nic.text for tag in ("IP", "IP6_GLOBAL") for nic in vm.findall(f"TEMPLATE/NIC/{tag}")]
    return (address for address in found if address)


def _told(measured: Mapping[str, str]) -> Iterable[str]:
    """Those that its guest agent tells."""
    told = measured.get("GUEST_IP_ADDRESSES", "").split(",")
    return (address.strip() for address in told if address.strip())


def _nested(element: "_Element | None") -> dict[str, object]:
    """Vectors as mappings; what comes more than once as a list."""
    result: dict[str, object] = {}
    for child in element if element is not None else ():
        value: object = _nested(child) if len(child) else child.text or ""
        before = result.get(str(child.tag))
        if before is None:
            result[str(child.tag)] = value
        else:
            result[str(child.tag)] = [*before, value] if isinstance(before, list) else [before, value]
    return result


def _flat(element: "_Element | None") -> dict[str, str]:
    """Its single values; vectors are of no use to us."""
    if element is None:
        return {}
    return {str(child.tag): child.text or "" for child in element if not len(child)}
