"""Carries a provision from its state to rest, step by step: claim, load, decide, act, record, repeat.

Every step may run twice. It looks only at what is stored and what is seen, so that a first run, a resume
after a crash, and a retry are the same code.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from onecore.deps import Deps
from onecore.errors import CANCELLED, TIMED_OUT, DriverFailed, Interrupted, OneError, TimedOut
from onecore.machines import record
from onecore.machines.binder import Binder
from onecore.machines.model import SETTLED as STANDING
from onecore.machines.model import Kind, Resource, Wanted
from onecore.machines.model import State as MachineState
from onecore.machines.tools import Tools
from onecore.machines.worker import Result
from onecore.notice import Notice
from onecore.store import events, lease, resources
from onecore.store.engine import Transaction
from onecore.store.lease import Lease
from oneprovision import configuring, enrolment, planner, registering, store
from oneprovision.engines.choice import worker_of
from oneprovision.model.provision import ObjectKind, OnFailure, Provision, StoredObject
from oneprovision.model.states import FAILURES, SETTLED, Event, State


@dataclass(frozen=True)
class Next:
    """How a step ended: what moves the provision on, and why."""

    event: Event
    why: str
    error: str = ""


class Controller:
    """Works on one provision under its lease, until it rests."""

    def __init__(self, deps: Deps, held: Lease, provision: Provision) -> None:
        self.deps = deps
        self.lease = held
        self.provision = provision
        self.tools = Tools(
            database=deps.database,
            clock=deps.clock,
            jitter=deps.jitter,
            bind=Binder(deps).bind,
            run_directory=deps.settings.run_directory,
            report=self._report,
            told=deps.told,
            boundary=deps.boundary,
            stop_requested=lambda tx: store.get(tx, provision.id).stop,
            interrupted=deps.interrupted,
        )
        self.worker = worker_of(deps, self.tools, held, provision)

    def run(self) -> Provision:
        """Work until the provision rests; returns it as it is then.

        Raises Interrupted when the user stops waiting: everything that was begun is recorded.
        """
        self._tell_state("")
        self.worker.recover()
        while self.provision.state not in SETTLED:
            self._advance()
        return self.provision

    @contextmanager
    def stopping_in_order(self) -> Iterator[None]:
        """Who stops waiting is told how to carry on with this provision."""
        try:
            yield
        except (Interrupted, KeyboardInterrupt) as exc:
            raise self._stopped(exc) from exc

    def _stopped(self, exc: BaseException) -> OneError:
        number, state = self.provision.id, self.provision.state
        at_once = "" if isinstance(exc, Interrupted) else " at once; driver calls may still run"
        begun = "nothing was begun" if state in SETTLED else "what was begun is recorded"
        carry_on = "repeat the command" if state in SETTLED else f"carry on with: oneprovision retry {number}"
        stopped = TimedOut if str(exc) == TIMED_OUT else Interrupted
        return stopped(
            f"stopped waiting for provision {number} ({state.name}){at_once}; {begun}",
            hint=f"{carry_on}; watch with: oneprovision logs {number} --follow",
            context={"id": number, "state": state.name},
        )

    def _advance(self) -> None:
        step = _STEPS[self.provision.state]
        try:
            result = step(self)
        except Interrupted as exc:
            if exc.message != CANCELLED:
                raise
            result = Next(Event.FAIL, CANCELLED, f"cancelled while {self.provision.state.name}")
        except OneError as exc:
            result = Next(Event.FAIL, exc.message, exc.message)
        self._move(result)

    def concluded(self) -> Provision:
        """Work until the provision rests; raises DriverFailed when it did not become as wanted. Where nobody
        waits, what is wanted is recorded by now, and the provision is returned as it is."""
        return conclude(self.run()) if self.deps.waits else self.provision

    def move_in(self, tx: Transaction, event: Event, why: str, error: str = "") -> None:
        """Change the state together with what else the transaction changes."""
        now = self.deps.clock.now()
        # Name, owner and the like may have been edited meanwhile; error and options are the worker's own.
        ours = {"error": self.provision.error, "options": self.provision.options}
        stored = replace(store.get(tx, self.provision.id), **ours)  # type: ignore[arg-type]
        moved = store.move(tx, self.lease, stored, event, why, now)
        stop = "" if moved.state in SETTLED else moved.stop
        self.provision = replace(moved, error=error or moved.error, stop=stop)
        store.edit(tx, self.provision)

    def _move(self, result: Next) -> None:
        with self.deps.database.begin() as tx:
            self.move_in(tx, result.event, result.why, result.error)
        self._tell_state(result.why if result.event is Event.FAIL else "")

    def _tell_state(self, problem: str) -> None:
        state, subject = self.provision.state.name, f"provision {self.provision.id}"
        text, level = (f"{state}: {problem}", "E") if problem else (state, "I")
        self.deps.notify(Notice(self.deps.clock.now(), subject, text, level))

    # -- the steps -----------------------------------------------------------------------------------------

    def begin(self) -> Next:
        return Next(Event.SUCCEED, "accepted")

    def init(self) -> Next:
        """Evaluate the template and check everything that can be checked without making anything."""
        given = enrolment.defaults(self.deps, self.provision.provider_id)
        spec = enrolment.previewed(self.provision, given)
        enrolment.check_drivers(self.deps, spec)
        return Next(Event.SUCCEED, "template and drivers are in order")

    def plan(self) -> Next:
        """Record every object and machine that is to be; nothing is made yet."""
        given = enrolment.defaults(self.deps, self.provision.provider_id)
        with self.deps.database.begin() as tx:
            lease.check(tx, self.lease)
            changes = enrolment.enrol(tx, self.deps, self.provision, given)
            self.log_plan(tx, changes)
        self.tell_plan(changes)
        added = sum(change.action is planner.Action.ADD for change in changes)
        return Next(Event.SUCCEED, f"{added} objects to add")

    def apply(self) -> Next:
        failed = self._make(lambda resource: resource.kind is Kind.MACHINE)
        return failed or Next(Event.SUCCEED, "every machine is made")

    def register(self) -> Next:
        """Put cluster, datastores, networks and hosts in service, and lease the public addresses."""
        registering.register(self.deps, self.lease, self.provision)
        failed = self._make(lambda resource: resource.kind is Kind.ADDRESS)
        return failed or Next(Event.SUCCEED, "every object is in service")

    def configure(self) -> Next:
        """Wait until the hosts let us in, and run the playbooks on those that need it."""
        unready, failed = self._make_ready()
        registering.enable(self.deps, self.lease, self.provision, unready)
        return failed or Next(Event.SUCCEED, "every host is ready", self.provision.error)

    def scale(self) -> Next:
        """Everything that a change of hosts or addresses needs; what is done already is not repeated."""
        failed = self._make(lambda resource: True)
        if failed:
            return failed
        self._drop_removed()
        # New hosts are put in service once they are configured, so that a failure can be taken back.
        unready, failed = self._make_ready()
        if failed:
            return failed
        registering.register(self.deps, self.lease, self.provision, unready)
        registering.enable(self.deps, self.lease, self.provision, unready)
        return Next(Event.SUCCEED, "every host and address is as wanted", self.provision.error)

    def unregister(self) -> Next:
        """Take out of service what is to be removed, after its cleanup playbooks."""
        self._clean()
        with self.deps.database.read() as tx:
            doomed = self._doomed(tx)
        registering.unregister(self.deps, self.lease, self.provision, doomed)
        return Next(Event.SUCCEED, f"{len(doomed)} objects are out of service")

    def remove(self) -> Next:
        """Remove the machines and addresses that are not wanted; the records go with them."""
        result = self._settle(lambda resource: resource.wanted is Wanted.ABSENT)
        left = planner.leftovers(list(result.resources.values()), result.problems)
        if left:
            raise DriverFailed("not removed: " + "; ".join(left))
        self._drop_removed()
        with self.deps.database.read() as tx:
            remaining = resources.of_owner(tx, self.provision.key)
        if any(r.state not in STANDING for r in remaining):
            return Next(Event.SCALE, "what a scale left undone is still wanted", self.provision.error)
        if remaining:
            return Next(Event.KEEP, f"{len(remaining)} machines and addresses remain", self.provision.error)
        with self.deps.database.begin() as tx:
            lease.check(tx, self.lease)
            store.remove_objects(tx, store.objects_of(tx, self.provision.id))
        return Next(Event.SUCCEED, "nothing is left", self.provision.error)

    # -- their parts ---------------------------------------------------------------------------------------

    def _make(self, only: Callable[[Resource], bool]) -> Next | None:
        """Drive the resources to what is wanted; what to do about failures is the user's choice."""
        result = self._settle(only)
        if not result.problems:
            return None
        error = _summary(result)
        lost = [r for r in result.resources.values() if r.id in result.problems]
        newly = [r for r in lost if r.wanted is Wanted.PRESENT]
        if not newly:
            return Next(Event.FAIL, error, error)
        choice = planner.after_failures(self.provision.options.on_failure, len(result.resources) - len(lost))
        if choice is OnFailure.QUIT:
            return Next(Event.FAIL, error, error)
        return self._give_up_on(newly, choice, error)

    def _settle(self, only: Callable[[Resource], bool]) -> Result:
        """An address leaves its network before it is given back, and enters it once it is leased."""
        registering.match_ranges(self.deps, self.lease, self.provision)
        result = self.worker.settle(only)
        registering.match_ranges(self.deps, self.lease, self.provision)
        return result

    def _give_up_on(self, failed: list[Resource], choice: OnFailure, error: str) -> Next | None:
        with self.deps.database.begin() as tx:
            self._note_error(tx, error)
            if choice is OnFailure.CLEANUP:
                failed = self._begun(tx)
            resources.update(tx, [record.unwanted(r) for r in failed])
            now = self.deps.clock.now()
            events.add(tx, self.provision.key, now, "Plan", f"{choice}: {len(failed)} removed: {error}", "W")
        if choice is OnFailure.CLEANUP and self.provision.state is not State.SCALING:
            return Next(Event.DEPROVISION, f"cleaning up: {error}", error)
        again = self._settle(lambda r: r.wanted is Wanted.ABSENT)
        if again.problems:
            return Next(Event.FAIL, _summary(again), _summary(again))
        self._drop_removed()
        return None

    def _begun(self, tx: Transaction) -> list[Resource]:
        """What a cleanup takes back: all of a new provision, only the additions of one that ran."""
        in_service = {o.id for o in store.objects_of(tx, self.provision.id) if _is_host(o) and o.registered}
        every = resources.of_owner(tx, self.provision.key)
        if self.provision.state is not State.SCALING:
            return every
        return [
            r
            for r in every
            if r.state is not MachineState.READY or (r.kind is Kind.MACHINE and r.number not in in_service)
        ]

    def _make_ready(self) -> tuple[Collection[int], Next | None]:
        """The hosts that are not ready, and how to go on if that is a reason to stop: the user's choice."""
        unready = configuring.make_ready(self.deps, self.lease, self.provision)
        problems, error = unready.problems, unready.summary
        if not problems:
            return (), None
        choice = planner.after_failures(self.provision.options.on_failure, unready.working)
        if choice is OnFailure.QUIT:
            return problems, Next(Event.FAIL, error, error)
        if choice is OnFailure.CLEANUP:
            return problems, self._give_up_on([], choice, error)
        with self.deps.database.begin() as tx:
            self._note_error(tx, error)
        return problems, None

    def _clean(self) -> None:
        with self.deps.database.read() as tx:
            doomed = [o.id for o in self._doomed(tx) if _is_host(o)]
        failed = configuring.clean(self.deps, self.lease, self.provision, doomed)
        if failed and not self.provision.options.force:
            raise DriverFailed(f"cleanup: {failed}; --force goes on without it")
        if failed:
            self._tell_state(f"goes on by force without a cleanup: {failed}")

    def record_key(self, host_id: int, key: str) -> None:
        """The host key that this host is to have from now on."""
        with self.deps.database.begin() as tx:
            lease.check(tx, self.lease)
            every = store.objects_of(tx, self.provision.id)
            hosts = [o for o in every if _is_host(o) and o.id == host_id]
            store.save_objects(tx, [replace(o, body={**o.body, "host_key": key}) for o in hosts])

    def _note_error(self, tx: Transaction, error: str) -> None:
        """What went wrong with a part, while the rest goes on."""
        lease.check(tx, self.lease)
        self.provision = replace(self.provision, error=error)
        store.edit(tx, replace(store.get(tx, self.provision.id), error=error))

    def _doomed(self, tx: Transaction) -> list[StoredObject]:
        """The objects that go: hosts whose machine is not wanted, and everything once no machine is."""
        every = store.objects_of(tx, self.provision.id)
        kept = {r.number for r in _machines(tx, self.provision) if r.wanted is Wanted.PRESENT}
        doomed = [o for o in every if _is_host(o) and o.id not in kept]
        return every if self.provision_ends(tx) else doomed

    def provision_ends(self, tx: Transaction) -> bool:
        """Whether nothing of the provision is wanted any more."""
        return all(r.wanted is Wanted.ABSENT for r in resources.of_owner(tx, self.provision.key))

    def _drop_removed(self) -> None:
        """Hosts whose machine is confirmed gone have no record left; their objects follow."""
        with self.deps.database.begin() as tx:
            lease.check(tx, self.lease)
            machines = {r.number for r in _machines(tx, self.provision)}
            hosts = [o for o in store.objects_of(tx, self.provision.id) if _is_host(o)]
            store.remove_objects(tx, [o for o in hosts if o.id not in machines])

    def log_plan(self, tx: Transaction, changes: list[planner.Change]) -> None:
        now = self.deps.clock.now()
        for change in changes:
            events.add(tx, self.provision.key, now, "Plan", str(change))

    def tell_plan(self, changes: list[planner.Change]) -> None:
        """What will be done, before it is; a long plan is cut here and whole in the log."""
        lines = [f"plan: {change}" for change in changes if change.action is not planner.Action.KEEP]
        kept = len(changes) - len(lines)
        lines += [f"plan: keep {kept} as they are"] if kept else []
        for line in planner.cut(lines):
            now = self.deps.clock.now()
            self.deps.notify(Notice(now, f"provision {self.provision.id}", line, lasting=True))

    def _report(self, resource: Resource, text: str, level: str) -> None:
        self.deps.notify(
            Notice(
                at=self.deps.clock.now(),
                subject=f"provision {self.provision.id}",
                text=text,
                level=level,
                label=resource.label,
                step=resource.state.value,
                done=resource.state in (MachineState.READY, MachineState.GONE),
                more=True,
            )
        )


def conclude(provision: Provision) -> Provision:
    """The provision, unless something went wrong with it: then DriverFailed with the next step."""
    if not provision.error:
        return provision
    number = provision.id
    hint = {
        State.RUNNING: f"it runs without what failed; see: oneprovision logs {number}",
        State.DONE: "what had been made was removed again",
    }.get(provision.state, f"repeat: oneprovision retry {number}, or: oneprovision deprovision {number}")
    raise DriverFailed(
        f"provision {number} is {provision.state.name}: {provision.error}",
        hint=hint,
        context={"id": number, "state": provision.state.name},
    )


def _machines(tx: Transaction, provision: Provision) -> list[Resource]:
    return [r for r in resources.of_owner(tx, provision.key) if r.kind is Kind.MACHINE]


def _is_host(each: StoredObject) -> bool:
    return each.kind is ObjectKind.HOST


def _summary(result: Result) -> str:
    return planner.summary((result.resources[i], text) for i, text in sorted(result.problems.items()))


_STEPS: dict[State, Callable[[Controller], Next]] = {
    State.PENDING: Controller.begin,
    State.INIT: Controller.init,
    State.PLANNING: Controller.plan,
    State.APPLYING: Controller.apply,
    State.CONFIGURING_ONE: Controller.register,
    State.CONFIGURING_PROVISION: Controller.configure,
    State.SCALING: Controller.scale,
    State.DEPROVISIONING_ONE: Controller.unregister,
    State.DEPROVISIONING: Controller.remove,
}
assert not (_STEPS.keys() & FAILURES)  # noqa: S101 a table, checked where it is written
