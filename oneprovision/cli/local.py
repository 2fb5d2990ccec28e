"""The doors to the state file: the use cases, called here. This process does the work."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from onecore.deps import Deps
from onecore.document import Document
from onecore.history import Event
from oneprovision import store
from oneprovision.cli.door import Effort, Names, Row
from oneprovision.model.provision import ObjectKind
from oneprovision.usecases import visible

if TYPE_CHECKING:
    from onecore.store.providers import Provider
    from oneprovision.model.provision import Provision
    from oneprovision.model.states import Operation
    from oneprovision.usecases.oneform import CreateFromFolder
    from oneprovision.usecases.provisions import CreateProvision
    from oneprovision.usecases.scaling import RemoveHosts


def row_of(thing: "Provision | Provider", owners: visible.Names) -> Row:
    """What lists tell of everything that somebody owns."""
    users, groups = owners
    return Row(
        id=thing.id,
        user=users.get(thing.uid, str(thing.uid)),
        group=groups.get(thing.gid, str(thing.gid)),
        name=thing.name,
        registered_at=thing.created_at,
    )


class LocalProvisions:
    """See door.Provisions. What is asked has been done when a method returns, if `deps.waits`."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def names(self) -> Names:
        with self._deps.database.read() as tx:
            return store.names(tx)

    def check(self, numbers: Sequence[int]) -> None:
        with self._deps.database.read() as tx:
            for number in numbers:
                store.get(tx, number)

    def rows(self, done: bool) -> list[Row]:
        seen = visible.every(self._deps, done)
        owners = visible.owners(self._deps)
        with self._deps.database.read() as tx:
            counts = store.object_counts(tx)
        return [
            replace(row_of(p, owners), hosts=counts.get(p.id, {}).get("host", 0), state=p.state.name)
            for p in seen
        ]

    def pool(self, kept: Sequence[Row]) -> Document:
        from oneprovision.usecases import reading  # lazy: a table needs no bodies

        chosen = {row.id for row in kept}
        return reading.pool(self._deps, [p for p in visible.every(self._deps, done=True) if p.id in chosen])

    def document(self, number: int) -> Document:
        from oneprovision.usecases import reading

        return reading.document(self._deps, number)

    def objects(self, number: int, kind: str) -> Names:
        from oneprovision.usecases import scaling

        return scaling.names_of(self._deps, number, ObjectKind(kind))

    def log(self, number: int, after: int = 0) -> list[Event]:
        from oneprovision.usecases import reading

        return reading.log(self._deps, number, after)

    def is_busy(self, number: int) -> bool:
        from oneprovision.usecases import reading

        return reading.is_busy(self._deps, number)

    def update(self, number: int, changes: Mapping[str, object]) -> None:
        from oneprovision.usecases import editing

        editing.update(self._deps, number, changes)

    def chmod(self, number: int, mode: str) -> None:
        from oneprovision.usecases import editing

        editing.chmod(self._deps, number, mode)

    def chown(self, number: int, user: str, group: str | None) -> None:
        from oneprovision.usecases import editing

        editing.chown(self._deps, number, user, group)

    def chgrp(self, number: int, group: str) -> None:
        from oneprovision.usecases import editing

        editing.chgrp(self._deps, number, group)

    def create(self, request: "CreateProvision | CreateFromFolder", effort: Effort) -> int:
        from oneprovision.usecases import oneform, provisions

        options = request.options.changed(effort)
        if isinstance(request, oneform.CreateFromFolder):
            return oneform.create(self._deps, replace(request, options=options)).id
        return provisions.create(self._deps, replace(request, options=options)).id

    def add_hosts(self, number: int, amount: int, ips: tuple[str, ...], effort: Effort) -> None:
        from oneprovision.usecases import scaling

        scaling.add_host(self._deps, number, amount, effort, ips)

    def remove_hosts(self, number: int, request: "RemoveHosts", effort: Effort) -> None:
        from oneprovision.usecases import scaling

        scaling.remove_hosts(self._deps, number, request, effort)

    def add_ip(self, number: int, amount: int, network: int | None, effort: Effort) -> None:
        from oneprovision.usecases import scaling

        scaling.add_ip(self._deps, number, amount, effort, network)

    def remove_ip(self, number: int, ar_id: int, network: int | None, effort: Effort) -> None:
        from oneprovision.usecases import scaling

        scaling.remove_ip(self._deps, number, ar_id, network, effort)

    def require(self, numbers: Sequence[int], operation: "Operation", force: bool = False) -> None:
        from oneprovision.usecases.work import check_all

        check_all(self._deps, numbers, operation, force)

    def retry(self, number: int, force: bool, effort: Effort) -> None:
        from oneprovision.usecases import repair

        repair.retry(self._deps, number, force, effort)

    def configure(self, number: int, force: bool) -> None:
        from oneprovision.usecases import repair

        repair.configure(self._deps, number, force)

    def deprovision(self, number: int, force: bool, effort: Effort) -> None:
        from oneprovision.usecases import removal

        removal.deprovision(self._deps, number, force, effort)

    def cancel(self, number: int) -> str:
        from oneprovision.usecases import removal

        return removal.cancel(self._deps, number)

    def delete(self, number: int, force: bool, from_db: bool) -> list[str]:
        from oneprovision.usecases import removal

        if not self._deps.waits:
            removal.asked_to_delete(self._deps, number, force, from_db)
            return []
        left = removal.delete(self._deps, number, force, from_db)
        return [f"{each.kind} {each.name} {each.driver} {each.deploy_id or '-'}" for each in left]

    def see_through(self, numbers: Sequence[int], tell: Callable[[int, Event], None]) -> None:
        """Nothing is left to wait for."""
