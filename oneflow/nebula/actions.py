"""The actions on VMs that an OpenNebula has: those of 4.x under their new names, and the later ones."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from onecore.errors import InvalidInput
from onecore.machines.decide import Health
from onecore.machines.power import Further
from onecore.opennebula.text import rendered

if TYPE_CHECKING:
    from onecore.opennebula.client import Client

RECREATE: Final = 4
MERGE: Final = 1
CHOWN: Final = "chown"
UNREADY: Final = "unready"

_LEAD_TO: Final[Mapping[str, Health | None]] = MappingProxyType(
    {
        **dict.fromkeys(("undeploy", "undeploy-hard", "poweroff", "poweroff-hard"), Health.OFF),
        **dict.fromkeys(("stop", "suspend"), Health.OFF),
        **dict.fromkeys(("resume", "boot", "delete-recreate"), Health.RUNNING),
        **dict.fromkeys(("reboot", "reboot-hard", "hold", "release"), None),
        **dict.fromkeys(("snapshot-create", "snapshot-revert", "snapshot-delete"), None),
        **dict.fromkeys(("disk-snapshot-create", "disk-snapshot-revert", "disk-snapshot-delete"), None),
        CHOWN: None,
        UNREADY: None,
    }
)
# What was given up in 5.0 for another name.
_NOW_CALLED: Final = MappingProxyType({"boot": "resume"})
_SNAPSHOTS: Final = MappingProxyType(
    {
        "snapshot-create": ("vm.snapshotcreate", (str,)),
        "snapshot-revert": ("vm.snapshotrevert", (int,)),
        "snapshot-delete": ("vm.snapshotdelete", (int,)),
        "disk-snapshot-create": ("vm.disksnapshotcreate", (int, str)),
        "disk-snapshot-revert": ("vm.disksnapshotrevert", (int, int)),
        "disk-snapshot-delete": ("vm.disksnapshotdelete", (int, int)),
    }
)
_Types = tuple[type[str] | type[int], ...]


def order(action: str, arguments: str = "") -> Further:
    """What the machine loop is told to have done."""
    return Further(f"{action} {arguments}".strip(), _LEAD_TO[action])


def check(action: str, arguments: str) -> None:
    """Raises InvalidInput where the arguments of a snapshot are not what it takes."""
    if action in _SNAPSHOTS:
        _snapshot_arguments(action, arguments)


def act(client: "Client", vm_id: int, verb: str) -> None:
    """Have it done; `verb` is what `order` made."""
    action, _, arguments = verb.partition(" ")
    if action in _SNAPSHOTS:
        client.call(_SNAPSHOTS[action][0], vm_id, *_snapshot_arguments(action, arguments))
    elif action == CHOWN:
        client.call("vm.chown", vm_id, *map(int, arguments.split()))
    elif action == UNREADY:
        client.call("vm.update", vm_id, rendered({"READY": "NO"}), MERGE)
    elif action == "delete-recreate":
        client.call("vm.recover", vm_id, RECREATE)
    else:
        client.call("vm.action", _NOW_CALLED.get(action, action), vm_id)


def _snapshot_arguments(action: str, arguments: str) -> tuple[str | int, ...]:
    """`args` of a batch: a snapshot's number, or a disk's number and a name or number, with a comma between.
    A name may be left out."""
    types: _Types = _SNAPSHOTS[action][1]
    given = [part.strip() for part in arguments.split(",", len(types) - 1)]
    if len(given) < len(types) and types[-1] is str:
        given.append("")
    try:
        return tuple(kind(text) for kind, text in zip(types, given, strict=True))
    except ValueError as exc:
        wanted = ", ".join("a number" if kind is int else "a name" for kind in types)
        raise InvalidInput(f"Action {action} takes {wanted} as args, not {arguments[:80]!r}") from exc
