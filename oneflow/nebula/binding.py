"""What the machine loop asks of an OpenNebula: each a task for a thread of its own, no program.

The loop journals before it asks and looks before it asks again, as with every driver; the mark of a VM in its
USER_TEMPLATE tells whose it is.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from onecore.drivers.catalog import Driver
from onecore.drivers.manifest import Limits, Manifest
from onecore.errors import DriverFailed, NotFound, OneError
from onecore.machines.calls import Binding, Seen
from onecore.machines.decide import Facts
from onecore.machines.model import Kind, Resource
from onecore.opennebula import vms
from onecore.opennebula.client import Client, NoAnswer, Refused
from onecore.opennebula.text import rendered
from onecore.opennebula.vms import SeenVm
from onecore.process import Outcome
from onecore.tasks import Task
from oneflow.model.contents import merged
from oneflow.nebula import actions
from oneflow.nebula.patience import Patience
from oneflow.nebula.records import GID, HOST, LCM_STATE, MARK, NAME, REPORTED, STATE, TEMPLATE, UID

DELETE = 3
# On its way out already: to ask again would hurry it, or be refused. EPILOG_STOP (10) ends STOPPED.
ENDING = frozenset({11, 12, 13, 23})
HARD_AFTER = 2
"""So many failed removals are gentle."""

LIMITS = Limits(parallel=8, timeout_s=300.0)
FACTS = Facts(can_list=True, idempotent=False, confirm_s=300.0, boot_s=86_400.0)
"""A VM may wait for a host for long: the deadline of its role decides."""

RunFile = Callable[[str], Path]


def driver() -> Driver:
    return Driver(NAME, Path("/"), "OpenNebula", Manifest(NAME, "VMs of an OpenNebula", limits=LIMITS))


@dataclass(frozen=True)
class NebulaBinding(Binding):
    """`known`: the VM id of each record that has one. `late_s`: how long after its sender died a request may
    still be carried out."""

    client: Client | None = None
    patience: Patience = field(default_factory=Patience)
    known: dict[str, int] = field(default_factory=dict)
    late_s: float = 10.0

    def facts(self, kind: Kind) -> Facts:
        return replace(FACTS, late_s=self.late_s)

    def create(self, resource: Resource, run_file: RunFile) -> Task:
        return self._task(partial(self._instantiate, resource.name, resource.deployment))

    def destroy(self, resource: Resource, run_file: RunFile) -> Task:
        if resource.deployment.get("router") is not None:
            return self._task(partial(self._remove_router, _router(resource)))
        hard = resource.failures >= HARD_AFTER or bool(resource.deployment.get("hard"))
        return self._task(partial(self._terminate, int(resource.deploy_id), hard))

    def act(self, resource: Resource, verb: str, run_file: RunFile) -> Task:
        if verb.startswith(actions.CHOWN) and resource.deployment.get("router") is not None:
            whom = [int(number) for number in verb.split()[1:]]
            return self._task(partial(self._client.call, "vrouter.chown", _router(resource), *whom))
        return self._task(partial(actions.act, self._client, int(resource.deploy_id), verb))

    def list(self, kind: Kind) -> Task:
        return self._task(partial(self._look, dict(self.known)))

    def created_id(self, resource: Resource, outcome: Outcome) -> tuple[str, tuple[str, ...]]:
        return str(outcome.answer), ()

    def listed(self, kind: Kind, outcome: Outcome) -> dict[str, Seen]:
        found: Any = outcome.answer
        for name in self.known.keys() - found.keys():
            del self.known[name]
        return dict(found)

    def failure(self, verb: str, label: str, outcome: Outcome) -> OneError:
        of = f" of {label}" if label else ""
        return DriverFailed(f"OpenNebula: {verb}{of}: {outcome.problem}")

    def remember(self, resource: Resource) -> None:
        if resource.deploy_id:
            self.known[resource.name] = int(resource.deploy_id)

    @property
    def _client(self) -> Client:
        if self.client is None:
            raise AssertionError("made with a client")
        return self.client

    def _task(self, ask: Callable[[], object]) -> Task:
        def work(stopping: Event) -> object:
            return self.patience.call(ask, stopping)

        return Task(work)

    # -- in a thread of its own ----------------------------------------------------------------------------

    def _instantiate(self, name: str, deployment: Mapping[str, Any]) -> int:
        template, contents = int(deployment["template"]), deployment["contents"]
        # What the owner may not use, his service may not either.
        owner = str(deployment["owner"])
        if any(isinstance(value, Mapping | list) for value in contents.values()):
            # The server replaces whole vectors: a CONTEXT of one line would take away the template's.
            own: Any = self._client.call_for(owner, "template.info", template).TEMPLATE
            contents = {key: _merged(own.get(key), value) for key, value in contents.items()}
        extra = {**contents, **deployment["marks"], MARK: name}
        router = deployment.get("router")
        if router is not None:
            return self._instantiate_router(owner, int(router), (template, str(deployment["name"])), extra)
        asked = (template, str(deployment["name"]), False, rendered(extra), False)
        vm_id: int = self._client.call_for(owner, "template.instantiate", *asked)
        return vm_id

    def _instantiate_router(
        self, owner: str, router: int, what: tuple[int, str], extra: Mapping[str, object]
    ) -> int:
        """Its answer is the router: the VM is found by its mark. NICs are those of the router."""
        own = {key: value for key, value in extra.items() if key not in ("NIC", "NIC_ALIAS")}
        self._client.call_for(owner, "vrouter.instantiate", router, 1, *what, False, rendered(own))
        found = self._look({}).get(str(extra[MARK]))
        if found is None:
            raise NoAnswer(f"virtual router {router} has a new VM that cannot be seen yet")
        return int(found.deploy_id)

    def _remove_router(self, router: int) -> None:
        """VMs of a router cannot be terminated: they go with it, all of them."""
        try:
            self._client.call("vrouter.delete", router)
        except NotFound:
            return

    def _terminate(self, vm_id: int, hard: bool) -> None:
        """What is gone is gone; what is going goes on. A VM that cannot be terminated in its state, because
        it boots, say, is deleted."""
        for action in ("terminate-hard",) if hard else ("terminate", "terminate-hard"):
            try:
                self._client.call("vm.action", action, vm_id)
            except NotFound:
                return
            except Refused:
                if self._is_going(vm_id):
                    return
            else:
                return
        self._client.call("vm.recover", vm_id, DELETE)

    def _is_going(self, vm_id: int) -> bool:
        vm = self._client.call("vm.info", vm_id)
        return vm.STATE == vms.DONE or (vm.STATE == vms.ACTIVE and vm.LCM_STATE in ENDING)

    def _look(self, known: Mapping[str, int]) -> dict[str, Seen]:
        """All of ours in one look at the pool. One that we know and that is not there any more is asked for
        by itself: it may only be hidden from us, and what is not gone must not count as gone."""
        everything = vms.every_monitored(self._client)
        found = {name: everything[vm_id] for name, vm_id in known.items() if vm_id in everything}
        for vm in everything.values():
            if MARK in vm.user_template and vm.id not in known.values():
                found.setdefault(vm.user_template[MARK], vm)
        for name in known.keys() - found.keys():
            hidden = self._alone(known[name])
            if hidden is not None:
                found[name] = hidden
        return {name: seen_of(name, vm) for name, vm in found.items()}

    def _alone(self, vm_id: int) -> SeenVm | None:
        try:
            vm = vms.read(self._client.document("vm.info", vm_id))
        except NotFound:
            return None
        return None if vm.state == vms.DONE else vm


def _router(resource: Resource) -> int:
    return int(str(resource.deployment["router"]))


def _merged(own: object, given: object) -> object:
    if isinstance(own, Mapping) and isinstance(given, Mapping):
        return merged(own, given)
    return given


def seen_of(name: str, vm: SeenVm) -> Seen:
    """All that is known of it is kept with its record."""
    kept = {STATE: str(vm.state), LCM_STATE: str(vm.lcm_state), HOST: vm.host}
    kept |= {UID: str(vm.owner[0]), GID: str(vm.owner[1])}
    kept[TEMPLATE] = json.dumps(vm.template)
    kept |= {f"{REPORTED}{key}": value for key, value in vm.user_template.items() if key != MARK}
    return Seen(name, str(vm.id), vm.health, vm.addresses, {**vm.monitoring, **kept})
