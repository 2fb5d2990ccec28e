"""Compares every provider with what is recorded, and removes what nobody owns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from onecore.deps import Deps
from onecore.drivers.catalog import Driver
from onecore.errors import Interrupted, NotAuthorized, OneError
from onecore.machines import record
from onecore.machines.binder import Binder
from onecore.machines.calls import VERBS, Binding
from onecore.machines.model import Kind, Resource, RetryPolicy, State, Wanted
from onecore.machines.tools import Tools
from onecore.machines.worker import Worker
from onecore.notice import Notice
from onecore.process import Outcome, Runner
from onecore.store import lease, providers, resources
from onecore.store.lease import Lease
from oneprovision.model.orphans import OWNER, Found, Orphan, Source, What, missing, unowned

THREADS = 16
TICK_S = 1.0


@dataclass(frozen=True)
class Comparison:
    """`failures`: whose list could not be had, and why; `blind`: what cannot be compared by its nature."""

    orphans: Sequence[Orphan]
    failures: Sequence[str] = ()
    blind: Sequence[str] = ()


def compare(deps: Deps) -> Comparison:
    """Ask every provider, all at once. Changes nothing."""
    require_admin(deps)
    with deps.database.read() as tx:
        before = resources.everything(tx)
        accounts = {(p.driver, p.id) for p in providers.every(tx)}
    inquiry = Inquiry(deps)
    used = {(r.driver, r.provider_id) for r in before}
    for driver, provider_id in sorted({*used, *accounts, *_free(deps)}, key=str):
        inquiry.prepare(driver, provider_id)
    found = inquiry.ask()
    with deps.database.read() as tx:
        after = resources.everything(tx)
    differences = [*unowned(found, before, after), *missing(found, before, after, inquiry.asked_at)]
    return Comparison(differences, inquiry.failures, inquiry.blind)


def destroy(deps: Deps, strays: Iterable[Orphan]) -> Comparison:
    """Remove them at their providers, each under a journaled record, so that the next call carries on after
    a crash. Returns what became of each, and what could not be removed."""
    require_admin(deps)
    with deps.database.begin() as tx:
        held = lease.claim(tx, OWNER, "orphans --destroy", deps.clock.now(), deps.process)
    try:
        worker = Worker(_tools(deps), held, OWNER, RetryPolicy(), THREADS)
        worker.recover()
        ours = _record(deps, held, [stray for stray in strays if stray.what is What.UNOWNED])
        result = worker.settle()
    finally:
        with deps.database.begin() as tx:
            lease.release(tx, held)
    left = {resource.name for resource in result.resources.values()}
    done = [each if each.name in left else replace(each, what=What.DESTROYED) for each in ours]
    return Comparison(done, [f"{result.resources[i].label}: {text}" for i, text in result.problems.items()])


def require_admin(deps: Deps) -> None:
    """What belongs to others must not look unowned to somebody who may not see it."""
    if not deps.principal.is_admin:
        raise NotAuthorized(
            "only members of the group oneadmin may compare the providers with what is recorded",
            hint="ask oneadmin",
        )


class Inquiry:
    """One round of lists of all providers, side by side."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._engine = Binder(deps)
        self._bindings: dict[Source, Binding] = {}
        self.asked_at: dict[Source, float] = {}
        self.failures: list[str] = []
        self.blind: list[str] = []

    def prepare(self, driver: str, provider_id: int | None) -> None:
        account = driver if provider_id is None else f"{driver} of provider {provider_id}"
        try:
            binding = self._engine.binding(driver, provider_id)
        except OneError as exc:
            self.failures.append(f"{account}: {exc.message}")
            return
        if not binding.driver.can(VERBS[Kind.MACHINE].list):
            self.blind.append(f"{account} cannot list: its machines are not compared")
        for kind, verbs in VERBS.items():
            if binding.driver.can(verbs.list):
                self._bindings[Source(driver, provider_id, kind)] = binding

    def ask(self) -> list[Found]:
        runner: Runner[Source] = Runner()
        for source, binding in self._bindings.items():
            self.asked_at[source] = self._deps.clock.now()
            try:
                runner.start(source, binding.list(source.kind))
            except OneError as exc:
                self._failed(source, exc)
        found: list[Found] = []
        while len(runner):
            for source, outcome in runner.wait(TICK_S):
                found += self._answered(source, outcome)
            reason = self._deps.interrupted()
            if reason:
                runner.kill()
                runner.wait(TICK_S)
                raise Interrupted(reason)
        return found

    def _answered(self, source: Source, outcome: Outcome) -> list[Found]:
        binding = self._bindings[source]
        try:
            if not outcome.ok:
                raise binding.failure(VERBS[source.kind].list, "", outcome)
            listed = binding.listed(source.kind, outcome)
        except OneError as exc:
            self._failed(source, exc)
            return []
        return [Found(source, s.name, s.deploy_id, s.health.value, s.addresses) for s in listed.values()]

    def _failed(self, source: Source, error: OneError) -> None:
        self.asked_at.pop(source, None)
        account = "" if source.provider_id is None else f" (provider {source.provider_id})"
        self.failures.append(f"{error.message}{account}")


def _free(deps: Deps) -> set[tuple[str, int | None]]:
    """Drivers that can be asked without an account, or with that of the environment."""
    drivers = [entry.driver for entry in deps.catalog.list() if entry.driver]
    listing = [driver for driver in drivers if driver.can(VERBS[Kind.MACHINE].list)]
    return {(driver.name, None) for driver in listing if _is_known(deps, driver)}


def _is_known(deps: Deps, driver: Driver) -> bool:
    """Whether the environment holds every secret that the driver needs."""
    account = deps.settings.account_from_environment(driver.manifest.variables)
    return all(variable in account for variable in driver.manifest.secrets.values())


def _record(deps: Deps, held: Lease, strays: Sequence[Orphan]) -> list[Orphan]:
    """A record for each that has none yet; returns those that are ours to remove."""
    drivers = {stray.source.driver for stray in strays if not stray.owner}
    lags = {name: deps.catalog.get(name).manifest.limits.list_lag_s for name in drivers}
    with deps.database.begin() as tx:
        lease.check(tx, held)
        # While the user was asked, somebody else may have taken some of them over.
        known = resources.everything(tx)
        resources.update(tx, [record.encouraged(r) for r in known if r.owner == OWNER])
        owners = {r.name: r.owner for r in known}
        for stray in strays:
            if not stray.owner and stray.name not in owners:
                number, lag_s = tx.next_id("resource"), lags[stray.source.driver]
                resources.insert(tx, _doomed(stray, number, lag_s, deps.clock.now()))
                owners[stray.name] = OWNER
    return [stray for stray in strays if owners.get(stray.name, OWNER) == OWNER]


def _doomed(stray: Orphan, number: int, lag_s: float, now: float) -> Resource:
    return Resource(
        id=number,
        kind=stray.source.kind,
        name=stray.name,
        owner=OWNER,
        driver=stray.source.driver,
        provider_id=stray.source.provider_id,
        number=0,
        label=stray.name,
        wanted=Wanted.ABSENT,
        state=State.READY,
        deploy_id=stray.deploy_id,
        lag_s=lag_s,
        addresses=stray.addresses,
        since=now,
    )


def _tools(deps: Deps) -> Tools:
    def report(resource: Resource, text: str, level: str) -> None:
        state = resource.state.value
        gone = resource.state is State.GONE
        deps.notify(Notice(deps.clock.now(), OWNER, text, level, resource.label, state, gone))

    return Tools(
        database=deps.database,
        clock=deps.clock,
        jitter=deps.jitter,
        bind=Binder(deps).bind,
        run_directory=deps.settings.run_directory,
        report=report,
        boundary=deps.boundary,
        interrupted=deps.interrupted,
    )
