"""The actions that are alike at every provider of machines: never two of one name, and gone means gone.

A driver brings a Cloud, which speaks with its provider; Fleet makes the six actions and `list` of it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from onecore.clock import Clock, SystemClock
from onecore.drivers.kit import waiting
from onecore.drivers.kit.http import Refused, Uncertain
from onecore.drivers.kit.memory import Memory
from onecore.drivers.kit.program import Action, Call, Failed
from onecore.drivers.kit.values import number

# Machines of ours end like this, whatever stands before it (onecore.ids).
OURS = re.compile(r".+-[0-9a-f]{48}")

# How long a provider may not find what it has just made (Vultr: terraform-provider-vultr issue 462).
YOUNG_S = 90.0
# How long a machine may take to show up whose creation was not answered.
LOST_S = 30.0

RUNNING, OFF, PENDING, ERROR = "running", "off", "pending", "error"
_LETTERS = {RUNNING: "a", OFF: "p", PENDING: "-", ERROR: "e"}
_CREATED, _ID, _SEEN = "CREATED", "ID", "SEEN"


@dataclass(frozen=True)
class Machine:
    """What a provider says of one machine. `name`: its owner tag, empty if it is none of ours."""

    id: str
    name: str
    state: str
    addresses: tuple[str, ...] = ()


class Cloud(Protocol):
    """One provider. An id that cannot be one of its ids names nothing."""

    def named(self, name: str) -> list[Machine]:
        """The machines that carry this owner tag."""

    def get(self, machine_id: str) -> Machine | None: ...

    def every(self) -> list[Machine]:
        """Every machine of ours; absence from it may end a record."""

    def create(self, call: Call) -> str:
        """Ask for a machine, once; returns its id."""

    def remove(self, machine_id: str) -> bool:
        """False when there is none."""

    def power_on(self, machine: Machine) -> None: ...

    def reboot(self, machine: Machine, host: str) -> None: ...

    def reset(self, machine: Machine) -> None: ...

    def shutdown(self, machine: Machine, host: str) -> None: ...


class Fleet:
    """The actions of one driver."""

    def __init__(self, cloud: Cloud, memory: Memory, clock: Clock | None = None) -> None:
        self.cloud = cloud
        self._memory = memory
        self._clock = clock or SystemClock()

    def deploy(self, call: Call) -> str:
        existing = call.asked("deploy_id")
        if existing:
            self.cloud.power_on(self._machine(existing, call.name))
            return existing
        found = self._named(call.name)
        if found:
            return found
        notes = {**call.connection, "ORDERLY_S": call.asked("orderly_s"), _CREATED: str(self._clock.now())}
        self._memory.remember(call.name, notes)
        try:
            made = self.cloud.create(call)
        except Uncertain as exc:
            shown = waiting.until(lambda: self._named(call.name) or None, self._clock, LOST_S)
            if shown:
                return shown
            raise Failed(f"{exc}; no machine '{call.name}' has shown up since") from exc
        except Refused:
            # A name that is taken: by a request of ours whose answer nobody heard.
            if shown := self._named(call.name):
                return shown
            raise
        self._memory.remember(call.name, {**notes, _ID: made})
        return made

    def cancel(self, call: Call) -> None:
        """What is gone is a success; what the provider does not find because it is new is not gone."""
        self._note_if_seen(call)

        def gone() -> bool | None:
            if self.cloud.remove(call.deploy_id):
                return True
            return None if self._is_young(call.host, call.deploy_id) else True

        if waiting.until(gone, self._clock, 2 * YOUNG_S):
            self._memory.forget(call.host)

    def poll(self, call: Call) -> Mapping[str, str]:
        machine = self.cloud.get(call.deploy_id)
        if machine is None:
            return {"STATE": "-" if self._is_young(call.host, call.deploy_id) else "d"}
        addresses = {"GUEST_IP_ADDRESSES": ",".join(machine.addresses)} if machine.addresses else {}
        return {"STATE": _LETTERS[machine.state], **addresses}

    def list(self, call: Call) -> object:
        return [
            {
                "name": m.name,
                "deploy_id": m.id,
                "state": m.state,
                "addresses": list(m.addresses),
                "metrics": {},
            }
            for m in self.cloud.every()
        ]

    def reboot(self, call: Call) -> None:
        self.cloud.reboot(self._machine(call.deploy_id, call.host), call.host)

    def reset(self, call: Call) -> None:
        self.cloud.reset(self._machine(call.deploy_id, call.host))

    def shutdown(self, call: Call) -> None:
        self.cloud.shutdown(self._machine(call.deploy_id, call.host), call.host)

    def _machine(self, machine_id: str, name: str) -> Machine:
        """The machine; a new one may take a while to be found."""

        def found() -> Machine | bool | None:
            machine = self.cloud.get(machine_id)
            return machine or (None if self._is_young(name, machine_id) else False)

        machine = waiting.until(found, self._clock, 2 * YOUNG_S)
        if not isinstance(machine, Machine):
            raise Failed(f"there is no machine '{machine_id}' at the provider")
        return machine

    def _named(self, name: str) -> str:
        """The id of the machine of that name, empty where there is none."""
        if not name:
            raise Failed("the deployment file gives the machine no name")
        ids = [machine.id for machine in self.cloud.named(name)]
        if len(ids) > 1:
            raise Failed(f"{len(ids)} machines carry the name '{name}': {', '.join(ids)}; remove all but one")
        return ids[0] if ids else ""

    def _note_if_seen(self, call: Call) -> None:
        """Of a machine that was seen before its removal, nobody waits whether it shows up after all."""
        if self._is_young(call.host, call.deploy_id) and self.cloud.get(call.deploy_id):
            self._memory.remember(call.host, {**self._memory.recall(call.host), _SEEN: "1"})

    def _is_young(self, name: str, machine_id: str) -> bool:
        """Whether we asked for that machine so lately that the provider may not find it yet."""
        notes = self._memory.recall(name)
        if _SEEN in notes or notes.get(_ID, machine_id) != machine_id:
            return False
        return self._clock.now() - number(notes, _CREATED) < YOUNG_S


def actions(fleet: Callable[[str], Fleet]) -> dict[str, Action]:
    """The six actions and `list`. `fleet` is made for an action, by its name, when one is called."""

    def action(name: str) -> Action:
        return lambda call: getattr(fleet(name), name)(call)

    return {name: action(name) for name in _ACTIONS}


def is_ours(name: str) -> bool:
    return OURS.fullmatch(name) is not None


_ACTIONS = ("deploy", "cancel", "poll", "reboot", "reset", "shutdown", "list")
