"""The recorded host keys as a file for ssh and for drivers: an export, made anew from the store."""

from pathlib import Path

from onecore.deps import Deps
from onecore.host_keys import write
from onecore.machines.model import Kind
from onecore.store import resources
from oneprovision import store
from oneprovision.model.configuration import host_key_of
from oneprovision.model.provision import ObjectKind, owner_key
from oneprovision.readiness import connection_of


def export(deps: Deps) -> Path:
    """Keys of machines that are gone are not in it, so that an address which passes on takes no key along."""
    with deps.database.read() as tx:
        hosts = [o for o in store.objects(tx, ObjectKind.HOST) if host_key_of(o)]
        every = resources.everything(tx) if hosts else []
    machines = {(r.owner, r.number): r for r in every if r.kind is Kind.MACHINE}
    found = [(h, machines.get((owner_key(h.provision_id), h.id))) for h in hosts]
    keys = [
        (m.addresses[0], connection_of(h, m).remote_port, host_key_of(h))
        for h, m in found
        if m and m.addresses
    ]
    file = deps.settings.home / "known_hosts"
    write(file, keys)
    return file
