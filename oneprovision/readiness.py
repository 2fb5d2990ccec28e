"""Waits until new hosts answer on SSH, several at a time; hosts of drivers without SSH are ready at once."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from onecore.deps import Deps
from onecore.errors import DriverFailed, Interrupted, InvalidInput, OneError
from onecore.machines.model import Resource
from onecore.notice import Notice
from onecore.store import lease
from onecore.store.lease import Lease
from oneprovision import store
from oneprovision.model.configuration import host_key_of
from oneprovision.model.provision import Provision, StoredObject
from oneprovision.model.spec import Connection, HostSpec

Pair = tuple[StoredObject, Resource]


@dataclass
class _Wait:
    host: StoredObject
    resource: Resource
    tries: int = 0
    next_at: float = 0.0
    attempt: "Future[str] | None" = None
    problem: str = ""
    host_key: str = ""
    hopeless: bool = False


@dataclass(frozen=True)
class Waited:
    """The hosts that let us in, with the host key of each, and the problems of the others, by host id."""

    host_keys: dict[int, str] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)


def wait_for_hosts(deps: Deps, held: Lease, provision: Provision, pairs: Sequence[Pair]) -> Waited:
    """Probe each host until it lets us in or its tries are used up: `ping_retries` tries, `ping_timeout_s`
    seconds apart. A host with a recorded key has to have it still.
    """
    has_ssh = {name: deps.catalog.get(name).manifest.ssh for name in {r.driver for _, r in pairs}}
    waits = [_Wait(host, resource) for host, resource in pairs if has_ssh[resource.driver]]
    known = {host.id: "" for host, resource in pairs if not has_ssh[resource.driver]}
    if not waits:
        return Waited(known)
    from onecore import ssh  # lazy: brings paramiko

    options = provision.options
    renewed = deps.clock.now()
    with ThreadPoolExecutor(min(options.threads, 32)) as pool:
        while any(_open(w, options.ping_retries) for w in waits):
            raise_if_asked(deps, provision.id)
            now = deps.clock.now()
            for w in waits:
                _collect(deps, provision, w, now + options.ping_timeout_s)
                if _open(w, options.ping_retries) and w.attempt is None and w.next_at <= now:
                    w.tries += 1
                    address = w.resource.addresses[0] if w.resource.addresses else ""
                    login = connection_of(w.host, w.resource)
                    w.attempt = pool.submit(ssh.probe, address, login, host_key_of(w.host))
            if now > renewed + lease.TTL_S / 4:
                with deps.database.begin() as tx:
                    lease.renew(tx, held, now)
                renewed = now
            deps.clock.sleep(0.05)
    return Waited(
        known | {w.host.id: w.host_key for w in waits if not w.problem},
        {w.host.id: w.problem for w in waits if w.problem},
    )


def check_keys(deps: Deps, hosts: Sequence[HostSpec]) -> None:
    """Refuse a private key that lets nobody in, before there is a machine that cannot be reached."""
    logged_in = [host for host in hosts if deps.catalog.get(host.driver).manifest.ssh]
    if not logged_in:
        return
    from onecore import ssh  # lazy: brings paramiko

    for file in dict.fromkeys(host.connection.private_key for host in logged_in):
        try:
            ssh.private_key(file)
        except DriverFailed as exc:
            first = next(host.name for host in logged_in if host.connection.private_key == file)
            raise InvalidInput(f"host {first}: {exc.message}", hint=exc.hint) from exc


def _open(w: _Wait, retries: int) -> bool:
    """Whether this host still needs attention."""
    if w.attempt is not None:
        return True
    return w.tries == 0 or (bool(w.problem) and not w.hopeless and w.tries < max(retries, 1))


def _collect(deps: Deps, provision: Provision, w: _Wait, next_at: float) -> None:
    if w.attempt is None or not w.attempt.done():
        return
    attempt, w.attempt = w.attempt, None
    try:
        w.host_key = attempt.result()
        w.problem = ""
    except OneError as exc:
        w.problem = exc.message
        if "seen" in exc.context:
            w.problem += f"; if the machine was really replaced: oneprovision host accept-key {w.host.id}"
        w.next_at = next_at
        w.hopeless = not exc.retryable
    text = f"{w.problem or 'ready'} (try {w.tries})"
    subject = f"provision {provision.id}"
    deps.notify(
        Notice(deps.clock.now(), subject, text, "W" if w.problem else "I", w.host.name, "ssh", not w.problem)
    )


def raise_if_asked(deps: Deps, provision_id: int) -> None:
    """To stop: the user of this process may, and any other process."""
    with deps.database.read() as tx:
        reason = store.get(tx, provision_id).stop or deps.interrupted()
    if reason:
        raise Interrupted(reason)


def connection_of(host: StoredObject, machine: Resource | None) -> Connection:
    """How the host is logged in to, as asked for, and as its machine's driver says."""
    asked = Connection.from_json(host.body["connection"])  # type: ignore[arg-type]  # stored by to_json
    return asked.through(machine.metrics) if machine else asked
