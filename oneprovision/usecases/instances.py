"""Single machines, as the tool of spec/002 makes them: each is a provision of one host."""

from dataclasses import dataclass, replace
from pathlib import Path

from onecore import process
from onecore.deps import Deps
from onecore.document import Document
from onecore.drivers.kit.waiting import pause
from onecore.errors import DriverFailed, Interrupted, InvalidInput, NotFound, TimedOut
from onecore.machines.binder import Binder
from onecore.machines.model import Kind, Resource
from onecore.machines.power import Action
from onecore.notice import Notice
from onecore.store import providers, resources
from oneprovision import store
from oneprovision.model.instance import WAYS_IN, InstanceForm, WaitType, is_instance, template_of
from oneprovision.model.provision import Options, Provision
from oneprovision.model.spec import Connection
from oneprovision.usecases import hosts, provisions, removal, repair, visible
from oneprovision.usecases.hosts import Host
from oneprovision.usecases.provisions import CreateProvision


@dataclass(frozen=True)
class Instance:
    """The provision, and its machine, which is missing before it is planned and after it is removed."""

    provision: Provision
    machine: Resource | None

    @property
    def id(self) -> int:
        return int(self.provision.id)

    @property
    def address(self) -> str:
        return self.machine.addresses[0] if self.machine and self.machine.addresses else ""

    @property
    def state(self) -> str:
        """What is seen of the machine, as far as anything is; else how far its making has come."""
        return self.machine.state.value if self.machine else self.provision.state.name.lower()


def create(deps: Deps, form: InstanceForm, options: Options) -> Instance:
    """Make the machine and wait as the form says. DriverFailed when it did not come to run."""
    provider_id, driver = _provider(deps, form.provider)
    _warn_of_no_way_in(deps, form, driver)
    name = form.name or f"{driver}-{deps.random_bytes(3).hex()}"
    request = CreateProvision(
        template=template_of(replace(form, name=name), driver), provider_id=provider_id, options=options
    )
    if form.wait in (None, WaitType.FINALISED):
        return get(deps, int(provisions.create(deps, request).id))
    recorded = provisions.create(replace(deps, waits=False), request)
    _until_accepted(deps, int(recorded.id))
    if form.wait is WaitType.CREATED:
        _wait_for_address(deps, int(recorded.id))
    return get(deps, int(recorded.id))


def every(deps: Deps) -> list[Instance]:
    """Those that the asker may see."""
    seen = [provision for provision in visible.every(deps) if is_instance(provision)]
    with deps.database.read() as tx:
        return [Instance(p, _machine(resources.of_owner(tx, p.key))) for p in seen]


def names(deps: Deps) -> list[tuple[int, str]]:
    return [(instance.id, instance.provision.name) for instance in every(deps)]


def get(deps: Deps, number: int) -> Instance:
    """The instance of that id; raises NotFound also for a provision that is none."""
    found = next((instance for instance in every(deps) if instance.id == number), None)
    if found is None:
        raise NotFound(f"there is no instance {number}", hint="see: oneprovision instance list")
    return found


def find(deps: Deps, word: str) -> int:
    """The number of an instance by the id that its provider gave it, or by its address."""
    fits = [i.id for i in every(deps) if i.machine and word in (i.machine.deploy_id, *i.machine.addresses)]
    if len(fits) != 1:
        raise NotFound(f"there is no instance {word!r}", hint="see: oneprovision instance list")
    return fits[0]


def wait(deps: Deps, number: int) -> Instance:
    """Carry on until it runs."""
    get(deps, number)
    repair.retry(deps, number)
    return get(deps, number)


def act(deps: Deps, number: int, action: Action) -> Instance:
    """A power action; DriverFailed when it does not show."""
    outcome = hosts.act(deps, [_host(deps, number).id], action)
    for problem in outcome.problems.values():
        raise DriverFailed(f"instance {number}: {problem}", hint="look again: oneprovision instance list")
    return get(deps, number)


def ssh_command(deps: Deps, number: int, command: tuple[str, ...]) -> list[str]:
    return hosts.ssh_command(deps, _host(deps, number).id, command)


def delete(deps: Deps, number: int) -> None:
    """Remove the machine, and forget it once its provider confirms that it is gone."""
    get(deps, number)
    removal.delete(deps, number, force=True)


def document(instance: Instance) -> Document:
    provision, machine = instance.provision, instance.machine
    body: Document = {
        "id": instance.id,
        "name": provision.name,
        "state": instance.state,
        "provision_state": provision.state.name,
        "error": provision.error,
        "provider_id": provision.provider_id,
        "driver": machine.driver if machine else "",
        "deploy_id": machine.deploy_id if machine else "",
        "ip": instance.address,
        "addresses": list(machine.addresses) if machine else [],
        "machine": machine.name if machine else "",
        "metrics": dict(machine.metrics) if machine else {},
        "registration_time": int(provision.created_at),
    }
    return {"INSTANCE": body}


def _provider(deps: Deps, word: str) -> tuple[int | None, str]:
    """The provider's number and driver; or the driver that is named, on the account of the environment."""
    if not word:
        raise InvalidInput(
            "nothing says where the instance is to be", hint="as `provider:` in the file, or as --provider"
        )
    with deps.database.read() as tx:
        known = [p for p in providers.every(tx) if word in (p.name, str(p.id))]
    if known:
        return int(known[0].id), known[0].driver
    return None, deps.catalog.get(word).name


def _warn_of_no_way_in(deps: Deps, form: InstanceForm, driver: str) -> None:
    """A machine that got neither a key nor a password runs and costs, and lets nobody in."""
    connection = Connection(**form.connection)  # type: ignore[arg-type]  # the names that the form knows
    file = Path(connection.public_key).expanduser()
    given = any(form.parameters.get(name) for name in WAYS_IN)
    if given or file.is_file() or not deps.catalog.get(driver).manifest.ssh:
        return
    text = f"there is no public key {file}: perhaps nobody can log in; name one by --key, or set root_pass"
    deps.notify(Notice(deps.clock.now(), f"instance {form.name or 'to be'}", text, "W", lasting=True))


def _until_accepted(deps: Deps, number: int) -> None:
    """Work until the provider has accepted the machine, and stop in order then."""

    def accepted() -> str:
        with deps.database.read() as tx:
            machine = _machine(resources.of_owner(tx, store.get(tx, number).key))
        return _ACCEPTED if machine is not None and machine.deploy_id else ""

    stopping = replace(deps, interrupted=lambda: deps.interrupted() or accepted())
    try:
        repair.retry(stopping, number)
    except (Interrupted, TimedOut):
        # The user may have wanted to stop at the same moment; what he waits for has come, then, too.
        if not accepted():
            raise


def _wait_for_address(deps: Deps, number: int) -> None:
    """Poll the machine until its address is known, and note it."""
    turn = 0
    while not (seen := _polled_addresses(deps, get(deps, number))):
        if reason := deps.interrupted():
            raise Interrupted(
                f"stopped waiting for the address of instance {number}: {reason}",
                hint=f"carry on with: oneprovision instance wait {number}",
            )
        deps.clock.sleep(pause(turn))
        turn += 1
    with deps.database.begin() as tx:
        machine = _machine(resources.of_owner(tx, store.get(tx, number).key))
        if machine is not None and not machine.addresses:
            resources.update(tx, [replace(machine, addresses=seen)])


def _polled_addresses(deps: Deps, instance: Instance) -> tuple[str, ...]:
    machine = instance.machine
    if machine is None or machine.addresses:
        return machine.addresses if machine else ()
    binding = Binder(deps).bind(machine)
    outcome = process.run(binding.poll(machine))
    return binding.polled(machine, outcome).addresses if outcome.ok else ()


def _host(deps: Deps, number: int) -> Host:
    get(deps, number)
    found = [host for host in hosts.every(deps) if host.provision.id == number]
    if not found:
        raise NotFound(f"instance {number} has no machine yet", hint=f"oneprovision instance wait {number}")
    return found[0]


def _machine(every: list[Resource]) -> Resource | None:
    return next((r for r in every if r.kind is Kind.MACHINE), None)


_ACCEPTED = "the provider has accepted it"
