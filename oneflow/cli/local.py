"""The door to the state file: the use cases, called here. Without a server this process does the work."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from onecore.deps import Deps
from onecore.document import Document
from onecore.errors import NotFound
from onecore.history import Event
from onecore.store import events
from oneflow.cli.door import Progress
from oneflow.cli.settled import progress_of, stopped
from oneflow.deps import FlowDeps
from oneflow.model.document import Kind
from oneflow.model.states import ServiceState
from oneflow.usecases import documents

if TYPE_CHECKING:
    from oneflow.usecases.jobs import Batch
    from oneflow.usecases.services import Scale

_LOOK_S = 0.2


class LocalDoor:
    """See Door."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    @cached_property
    def _flow(self) -> FlowDeps:
        """With the settings for services; looking at a list needs none of them."""
        from oneflow.bootstrap import flow_deps

        return flow_deps(self._deps)

    # -- documents -----------------------------------------------------------------------------------------

    def listed(self, kind: Kind, brief: bool = False) -> Document:
        if brief or kind is not Kind.SERVICE:
            return documents.listed(self._deps, kind)
        from oneflow.usecases import reading

        return reading.services(self._deps)

    def shown(self, kind: Kind, number: int) -> Document:
        if kind is not Kind.SERVICE:
            return documents.shown(self._deps, kind, number)
        from oneflow.usecases import reading

        return reading.service(self._deps, number)

    def create(self, kind: Kind, data: object) -> Document:
        from oneflow.usecases import templates, vm_templates

        made = templates.create if kind is Kind.TEMPLATE else vm_templates.create
        return made(self._flow, data)

    def update(self, kind: Kind, number: int, data: object, append: bool = False) -> None:
        from oneflow.usecases import roles, templates, vm_templates

        if kind is Kind.SERVICE:
            roles.update(self._flow, number, data, append)
        elif kind is Kind.TEMPLATE:
            templates.update(self._flow, number, data, append)
        else:
            vm_templates.update(self._flow, number, data)

    def delete(self, kind: Kind, number: int, deep: bool = False) -> None:
        from oneflow.usecases import services, templates, vm_templates

        if kind is Kind.TEMPLATE:
            templates.delete(self._flow, number, deep)
        else:
            remove = services.delete if kind is Kind.SERVICE else vm_templates.delete
            remove(self._flow, number)

    def rename(self, kind: Kind, number: int, name: str) -> None:
        documents.rename(self._deps, kind, number, name)

    def chown(self, kind: Kind, number: int, user: str, group: str | None) -> None:
        self._know_everybody()
        documents.chown(self._deps, kind, number, user, group)

    def chgrp(self, kind: Kind, number: int, group: str) -> None:
        self._know_everybody()
        documents.chgrp(self._deps, kind, number, group)

    def _know_everybody(self) -> None:
        if self._deps.settings.opennebula:
            from oneflow.usecases import people

            people.refresh(self._flow)

    def chmod(self, kind: Kind, number: int, mode: str) -> None:
        documents.chmod(self._deps, kind, number, mode)

    def clone(self, number: int, name: str, deep: bool = False) -> Document:
        from oneflow.usecases import templates

        return templates.clone(self._flow, number, name, deep)

    def instantiate(self, number: int, changes: object) -> Document:
        from oneflow.usecases import templates

        return templates.instantiate(self._flow, number, changes)

    # -- services ------------------------------------------------------------------------------------------

    def shutdown(self, number: int) -> None:
        from oneflow.usecases import services

        services.shutdown(self._flow, number)

    def recover(self, number: int, and_delete: bool = False) -> None:
        """Without a server nobody has looked since the last command: what is wrong may not be known yet."""
        from onecore import serving
        from oneflow.usecases import services

        seen = self.progress(number)
        rests = seen is not None and seen.state is ServiceState.RUNNING and not seen.busy
        if rests and not serving.server(self._deps, "oneflow"):
            from oneflow.controller import Controller  # lazy: brings the drivers

            Controller(self._flow, frozenset([number])).look()
        services.recover(self._flow, number, and_delete)

    def release(self, number: int) -> None:
        from oneflow.usecases import services

        services.release(self._flow, number)

    def scale(self, number: int, asked: "Scale") -> None:
        from oneflow.usecases import services

        services.scale(self._flow, number, asked)

    def add_role(self, number: int, data: object) -> None:
        from oneflow.usecases import roles

        roles.add_role(self._flow, number, data)

    def remove_role(self, number: int, role: str) -> None:
        from oneflow.usecases import roles

        roles.remove_role(self._flow, number, role)

    def act(self, number: int, role: str | None, batch: "Batch") -> str:
        from oneflow.usecases import jobs

        return jobs.act(self._flow, number, role, batch)

    def cancel(self, number: int, job: int, role: str | None) -> None:
        from oneflow.usecases import jobs

        jobs.cancel(self._flow, number, job, role)

    def purge_done(self) -> None:
        from oneflow.usecases import services

        services.purge_done(self._flow)

    def log(self, number: int, after: int = 0) -> list[Event]:
        from oneflow.usecases import reading

        return reading.log(self._deps, number, after)

    def explain(self, number: int) -> list[str]:
        from oneflow.usecases import explaining

        return explaining.explain(self._flow, number)

    def token(self, vm: int) -> tuple[str, str]:
        from oneflow.usecases import gate

        return gate.token(self._flow, vm), self._flow.flow.gate_url

    # -- waiting -------------------------------------------------------------------------------------------

    def progress(self, number: int) -> Progress | None:
        from oneflow import store

        with self._deps.database.read() as tx:
            try:
                found = store.get(tx, Kind.SERVICE, number)
            except NotFound:
                return None
            jobs = store.jobs_of(tx, number)
            errors = [event for event in events.of(tx, found.key) if event.level == "E"]
        return progress_of(number, found.body, bool(jobs), errors)

    def carry_out(self, numbers: Sequence[int], wait: bool | None) -> None:
        from onecore import serving

        if serving.server(self._deps, "oneflow"):
            if wait:
                self._watch(numbers)
        elif wait is not False:
            from oneflow.controller import Controller  # lazy: brings the drivers

            Controller(self._flow, frozenset(numbers)).run(lambda: self._is_over(numbers))
            self._check_stopped(numbers)

    def _watch(self, numbers: Sequence[int]) -> None:
        while not self._is_over(numbers):
            self._deps.clock.sleep(_LOOK_S)
        self._check_stopped(numbers)

    def _is_over(self, numbers: Sequence[int]) -> bool:
        if self._deps.interrupted():
            return True
        return all(seen is None or seen.settled for seen in map(self.progress, numbers))

    def _check_stopped(self, numbers: Sequence[int]) -> None:
        reason = self._deps.interrupted()
        if reason and not all(seen is None or seen.settled for seen in map(self.progress, numbers)):
            raise stopped(reason, numbers)
