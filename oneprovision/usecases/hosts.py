"""Hosts of all provisions: look at them, act on their machines, log in to them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from onecore.access import Right
from onecore.deps import Deps
from onecore.document import Document
from onecore.drivers.catalog import Driver
from onecore.drivers.deployment import Deployment, to_xml
from onecore.errors import NotFound, OneError, WrongState
from onecore.machines.calls import DEPLOY_ID
from onecore.machines.model import SETTLED, Resource
from onecore.machines.power import Action
from onecore.machines.worker import Result
from onecore.store import resources
from oneprovision import host_keys, store
from oneprovision.controller import Controller
from oneprovision.engines import power
from oneprovision.folders import FolderDriver
from oneprovision.model.configuration import configuration_of, host_key_of
from oneprovision.model.host_document import host_document
from oneprovision.model.provision import ObjectKind, Provision, StoredObject
from oneprovision.model.spec import Connection
from oneprovision.model.states import Operation
from oneprovision.readiness import connection_of
from oneprovision.usecases import reading, repair
from oneprovision.usecases.rights import authorized
from oneprovision.usecases.work import at_work, check_all, require


@dataclass(frozen=True)
class Host:
    """A host with the machine that it runs on, and the provision that it is part of."""

    provision: Provision
    object: StoredObject
    machine: Resource | None
    cluster: StoredObject | None = None

    @property
    def id(self) -> int:
        return self.object.id

    @property
    def connection(self) -> Connection:
        return connection_of(self.object, self.machine)


@dataclass(frozen=True)
class Outcome:
    """The hosts as they are now, and by host id why something is not as asked."""

    hosts: Sequence[Host]
    problems: Mapping[int, str]


def every(deps: Deps) -> list[Host]:
    """The hosts of every provision that the asker may see."""
    clusters = {o.provision_id: o for _, o, _ in reading.objects(deps, ObjectKind.CLUSTER)}
    found = reading.objects(deps, ObjectKind.HOST)
    return [Host(provision, o, machine, clusters.get(provision.id)) for provision, o, machine in found]


def names(deps: Deps) -> list[tuple[int, str]]:
    """(id, name) of the hosts that the asker may see."""
    return [(host.id, host.object.name) for host in every(deps)]


def get(deps: Deps, host_id: int, right: Right = Right.USE) -> Host:
    """The host, if the one who asks may do that with its provision."""
    return some(deps, [host_id], right)[0]


def some(deps: Deps, host_ids: Sequence[int], right: Right = Right.USE) -> list[Host]:
    """These hosts, in this order; raises NotFound or NotAuthorized for the first that cannot be had."""
    with deps.database.read() as tx:
        owner = {o.id: o.provision_id for o in store.objects(tx, ObjectKind.HOST)}
        for host_id in host_ids:
            if host_id not in owner:
                raise NotFound(f"there is no host {host_id}", hint="see: oneprovision host list")
        for provision_id in dict.fromkeys(owner[host_id] for host_id in host_ids):
            authorized(tx, deps, provision_id, right)
    visible = {host.id: host for host in every(deps)}
    return [visible[host_id] for host_id in host_ids if host_id in visible]


def document(host: Host) -> Document:
    """`{"HOST": …}` as far as it can be shown to anybody who may see the host."""
    return {"HOST": host_document(host.provision, host.object, host.machine, host.cluster)}


def pool(shown: Iterable[Host]) -> Document:
    return {"HOST_POOL": {"HOST": [document(host)["HOST"] for host in shown]}}


def deployment(deps: Deps, host: Host) -> str:
    """The deployment XML that the driver was given, with its secrets masked."""
    if host.machine is None:
        return ""
    try:
        secrets = frozenset(deps.catalog.get(host.machine.driver).manifest.secrets)
    except OneError:
        secrets = frozenset()
    given = Deployment(**host.machine.deployment)  # type: ignore[arg-type]  # stored by asdict
    if host.machine.deploy_id:
        given = replace(given, provision={**given.provision, DEPLOY_ID: host.machine.deploy_id})
    given = replace(given, configuration_status=configuration_of(host.object).status.value)
    return to_xml(given, secrets, masked=True)


def poll(deps: Deps, host_ids: Sequence[int]) -> Outcome:
    """Look at the machines at their providers and store state, addresses and metrics."""

    def look(controller: Controller, machines: Sequence[Resource]) -> Result:
        wanted = {machine.id for machine in machines}
        result = controller.worker.refresh(lambda machine: machine.id in wanted)
        gone = [m for m in result.resources.values() if m.state not in SETTLED]
        unknown = {m.id: f"{m.label}: the provider does not know it" for m in gone}
        return Result(result.resources, {**unknown, **result.problems})

    return _on_each_provision(deps, host_ids, look)


def act(deps: Deps, host_ids: Sequence[int], action: Action, within_s: float | None = None) -> Outcome:
    """Power actions, side by side; `within_s`: how long the effect may take to show, None: as long as the
    driver declares. Nothing is begun unless every host is one that can be acted on."""

    def carry_out(controller: Controller, machines: Sequence[Resource]) -> Result:
        return controller.worker.act(machines, action, within_s)

    for driver in {_machine(host).driver for host in some(deps, host_ids, Right.MANAGE)}:
        _check_can(deps.catalog.get(driver), action)
    host_keys.export(deps)  # whoever restarts over SSH checks them
    return _on_each_provision(deps, host_ids, carry_out)


def configure(deps: Deps, host_ids: Sequence[int], force: bool = False) -> list[Host]:
    """Run the playbooks on the hosts that are not configured (or on all of these, when forced)."""
    chosen = some(deps, host_ids, Right.MANAGE)
    check_all(deps, _by_provision(chosen), Operation.CONFIGURE)
    for provision_id, hosts in _by_provision(chosen).items():
        repair.configure(deps, provision_id, force, frozenset(host.id for host in hosts))
    return some(deps, host_ids)


def ssh_command(deps: Deps, host_id: int, command: Sequence[str] = ()) -> list[str]:
    """The call of ssh that logs in to the host as the suite does itself: same key, same host key."""
    host = get(deps, host_id, Right.MANAGE)
    machine = _machine(host)
    if not deps.catalog.get(machine.driver).manifest.ssh:
        raise WrongState(
            f"host {host.id} cannot be logged in to: its driver '{machine.driver}' offers no SSH",
            hint="its driver.yaml says ssh: false",
        )
    if not machine.addresses:
        again = f"look again: oneprovision host poll {host.id}"
        raise WrongState(f"host {host.id} has no address to log in to", hint=again)
    how, known = host.connection, str(host_keys.export(deps))
    strict = "yes" if host_key_of(host.object) else "accept-new"
    argv = ["ssh", "-l", how.remote_user, "-p", str(how.remote_port)]
    argv += ["-i", _ssh_path(str(Path(how.private_key).expanduser())), "-o", "IdentitiesOnly=yes"]
    argv += ["-o", f'UserKnownHostsFile="{_ssh_path(known)}"', "-o", f"StrictHostKeyChecking={strict}"]
    return [*argv, "--", machine.addresses[0], *command]


def accept_key(deps: Deps, host_ids: Sequence[int]) -> list[tuple[Host, str]]:
    """Record the host key that each machine answers with now, whatever was recorded before: for machines that
    were really replaced. Returns the hosts with what they had before."""
    from onecore import ssh  # lazy: brings paramiko

    chosen = some(deps, host_ids, Right.MANAGE)
    accepted = []
    for provision_id, hosts in _by_provision(chosen).items():
        with at_work(deps, provision_id, Operation.HOSTS) as controller:
            machines = _machines_now(deps, controller, hosts)
            for host in hosts:
                addresses = machines[host.id].addresses
                key = ssh.host_key(addresses[0] if addresses else "", host.connection.remote_port)
                controller.record_key(host.id, key)
                accepted.append((get(deps, host.id), host_key_of(host.object)))
    host_keys.export(deps)
    return accepted


def _on_each_provision(deps: Deps, host_ids: Sequence[int], do: "_Do") -> Outcome:
    chosen = some(deps, host_ids, Right.MANAGE)
    for host in chosen:
        require(host.provision, Operation.HOSTS)
        _machine(host)
    problems: dict[int, str] = {}
    for provision_id, hosts in _by_provision(chosen).items():
        with at_work(deps, provision_id, Operation.HOSTS) as controller:
            controller.worker.recover()
            machines = _machines_now(deps, controller, hosts)
            result = do(controller, list(machines.values()))
            numbers = {machine.id: host_id for host_id, machine in machines.items()}
            problems |= {numbers[i]: text for i, text in result.problems.items() if i in numbers}
    return Outcome(some(deps, host_ids), problems)


def _machines_now(deps: Deps, controller: Controller, hosts: Iterable[Host]) -> dict[int, Resource]:
    """The machines by host id, read under the lease: whoever had it before may have changed them."""
    with deps.database.read() as tx:
        records = {r.id: r for r in resources.of_owner(tx, controller.provision.key)}
    return {h.id: _machine(replace(h, machine=records.get(_machine(h).id))) for h in hosts}


def _check_can(driver: Driver, action: Action) -> None:
    """Raises OneError where the driver has no such action."""
    if isinstance(driver, FolderDriver):
        power.check(driver.folder.name, driver.folder.ssh, action)
    else:
        driver.executable(action.value)


def _ssh_path(path: str) -> str:
    """ssh takes `%` for the beginning of a token."""
    return path.replace("%", "%%")


def _by_provision(hosts: Iterable[Host]) -> dict[int, list[Host]]:
    grouped: dict[int, list[Host]] = {}
    for host in hosts:
        grouped.setdefault(host.provision.id, []).append(host)
    return grouped


def _machine(host: Host) -> Resource:
    """The machine of a host; raises WrongState unless it exists and is at rest."""
    machine = host.machine
    if machine is None or machine.state not in SETTLED or not machine.deploy_id:
        state = machine.state.value if machine else "gone"
        number = host.provision.id
        raise WrongState(
            f"host {host.id} has no machine that can be acted on (it is {state})",
            hint=f"repair it: oneprovision retry {number} --force, or: oneprovision del-host {number} "
            f"--host-ids {host.id}",
        )
    return machine


_Do = Callable[[Controller, Sequence[Resource]], Result]
