"""Drives the machines of a provision that a driver folder makes: many at a time, in runs of OpenTofu.

It is to such a provision what `onecore.machines.worker` is to one of pm drivers, with the same records,
journal and decisions: no input but what is stored and seen, so a first run, a resume after a crash and a
retry are the same. Public addresses are leased one by one, by that very worker.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from onecore.deps import Deps
from onecore.errors import DriverFailed
from onecore.machines import record
from onecore.machines.calls import Seen
from onecore.machines.decide import Facts, Health, Sight, Step, decide
from onecore.machines.model import SETTLED, Kind, Resource, RetryPolicy, State, Wanted
from onecore.machines.power import Action
from onecore.machines.tools import Tools
from onecore.machines.worker import Result, Worker
from onecore.store import resources
from onecore.store.lease import Lease
from oneprovision.engines import ipam, power, survivors
from oneprovision.engines.attention import Attention
from oneprovision.engines.journal import Journal
from oneprovision.engines.order import Ordered, slot_of
from oneprovision.engines.run import Runs
from oneprovision.model.slots import Picture

Only = Callable[[Resource], bool]


class FolderWorker:
    """Works on the machines and addresses of one provision under its lease."""

    def __init__(self, deps: Deps, tools: Tools, held: Lease, ordered: Ordered, policy: RetryPolicy) -> None:
        self._tools = replace(tools, bind=ipam.binder(ordered, tools))
        self._owner = ordered.provision.key
        self._policy = policy
        self._ordered = ordered
        self._home = deps.settings.home
        self._journal = Journal(self._tools, held, self._owner)
        self._attention = Attention(deps, self._tools, self._journal, ordered)
        self._runs = Runs(deps.process.boot, self._attention, self._journal, ordered, policy)
        threads = ordered.provision.options.threads
        self._addresses = Worker(self._tools, held, self._owner, policy, threads)
        self._resources: dict[int, Resource] = {}
        self._problems: dict[int, str] = {}
        self._mine: set[int] = set()

    # -- what the controller asks for ----------------------------------------------------------------------

    def recover(self) -> None:
        """Resolve what a crashed process left in flight. Every command on a provision begins with it."""
        self._load(lambda resource: True)
        survivors.resolve(self._runs, self._resources)
        self._addresses.recover()

    def settle(self, only: Only = lambda resource: True) -> Result:
        """Work until every resource that `only` lets through is as wanted or cannot become so."""
        released = self._addresses.settle(_all(only, _is_address, _is_absent))
        made = self._settle_machines(only)
        leased = self._addresses.settle(_all(only, _is_address, lambda r: not _is_absent(r)))
        results = (released, made, leased)
        return Result(
            {k: v for result in results for k, v in result.resources.items()},
            {k: v for result in results for k, v in result.problems.items()},
        )

    def refresh(self, only: Only = lambda resource: True) -> Result:
        """Look at everything that exists and record what is seen; what vanished becomes new again."""
        seen = self._addresses.refresh(_all(only, _is_address))
        self._load(_all(only, lambda r: r.state in SETTLED))
        if self._mine:
            self._refresh_machines()
        return Result({**self._chosen(), **seen.resources}, {**self._problems, **seen.problems})

    def act(self, machines: Iterable[Resource], action: Action, within_s: float | None = None) -> Result:
        """What the system inside can be asked for over SSH. Raises OneError for anything else."""
        chosen, folder = list(machines), self._ordered.folder
        power.check(folder.name, folder.ssh, action)
        self._load(lambda r: r.id in {m.id for m in chosen})
        for each in chosen:
            self._journal.note("Resource", f"{each.label}: {action.value}: asked for over SSH")
        self._journal.commit()
        limit = power.WITHIN_S if within_s is None else within_s
        how = power.Restart(power.VERBS[action], limit, self._home)
        problems = power.restart(chosen, how, self._tools.clock, self._attention.raise_if_asked)
        for each in chosen:
            said = problems.get(each.id)
            self._journal.note("Resource", f"{each.label}: {said or 'restarted'}", "W" if said else "I")
        self._journal.commit()
        return Result(self._chosen(), problems)

    # -- machines ------------------------------------------------------------------------------------------

    def _settle_machines(self, only: Only) -> Result:
        self._load(only)
        while self._mine:
            picture = self._runs.picture()
            creating, destroying, wake = self._decide_all(picture)
            if self._journal.pending:
                self._journal.commit()
            if destroying:
                self._run(destroying, Step.DESTROY)
            elif creating:
                self._run(creating, Step.CREATE)
            elif wake:
                self._attention.wait_until(wake)
            else:
                break
        self._leave_nothing()
        return Result(self._chosen(), self._problems)

    def _decide_all(self, picture: Picture) -> tuple[list[Resource], list[Resource], float]:
        """Take every decision that needs no run; what is left to make and remove, and when to look again."""
        creating, destroying, wakes = [], [], []
        self._problems = {}
        for resource_id in sorted(self._mine):
            step, at = self._decide(resource_id, picture)
            if step is Step.CREATE:
                creating.append(self._resources[resource_id])
            elif step is Step.DESTROY:
                destroying.append(self._resources[resource_id])
            elif step is Step.WAIT:
                wakes.append(at)
        return creating, destroying, min(wakes, default=0.0)

    def _decide(self, resource_id: int, picture: Picture) -> tuple[Step, float]:
        while True:
            resource = self._resources[resource_id]
            sight, seen = self._sight(resource, picture)
            facts = Facts(self._can_tell(resource, picture), self._ordered.folder.idempotent)
            decision = decide(resource, facts, sight, self._policy, self._tools.clock.now())
            if decision.step is Step.GONE:
                self._mine.discard(resource_id)
                del self._resources[resource_id]
                self._journal.remove(resource, decision.reason)
                return Step.DONE, 0.0
            if decision.step in (Step.GIVE_UP, Step.HOLD):
                self._problems[resource_id] = decision.reason
                self._change(replace(resource, error=decision.reason), decision.reason, "E")
                return Step.DONE, 0.0
            if decision.step not in _CONCLUSIONS:
                return decision.step, decision.at
            self._change(
                record.concluded(resource, decision.step, decision.reason, sight, seen), decision.reason
            )

    def _can_tell(self, resource: Resource, picture: Picture) -> bool:
        """Whether the state is to be believed. Of a machine whose making was cut short it says something only
        if it knows it whole: one that it does not know may exist, whatever else of it is there."""
        return resource.state is not State.UNKNOWN or picture.whole(slot_of(resource)) is not None

    def _sight(self, resource: Resource, picture: Picture) -> tuple[Sight, Seen | None]:
        slot, now = slot_of(resource), self._tools.clock.now()
        host = picture.whole(slot)
        if host is not None:
            seen = Seen(resource.name, host.instance_id, Health.RUNNING, (host.ip,) if host.ip else ())
            return Sight(now, Health.RUNNING, host.instance_id), seen
        if picture.exists(slot) and resource.wanted is Wanted.ABSENT:
            # Half made, and to be removed: as good as there.
            return Sight(now, Health.ERROR, resource.deploy_id or str(slot)), None
        return Sight(now), None

    def _run(self, chosen: list[Resource], step: Step) -> None:
        for changed in self._runs.carry_out(chosen, step, list(self._resources.values())):
            self._resources[changed.id] = changed
        self._attention.raise_if_asked()

    def _refresh_machines(self) -> None:
        try:
            picture = self._runs.refresh()
        except DriverFailed as exc:
            self._problems = dict.fromkeys(self._mine, exc.message)
            return
        for resource in self._chosen().values():
            slot = slot_of(resource)
            seen = self._sight(resource, picture)[1]
            if seen is None and picture.exists(slot):
                seen = Seen(resource.name, resource.deploy_id, Health.ERROR)
            changed = record.observed(resource, seen, self._tools.clock.now())
            if changed != resource:
                self._change(changed, "seen in the state" if seen else "OpenTofu no longer finds it")
        self._journal.commit()

    def _leave_nothing(self) -> None:
        """Once no machine is wanted, what they shared goes too; also what the state alone knows of."""
        with self._tools.database.read() as tx:
            left = [r for r in resources.of_owner(tx, self._owner) if r.kind is Kind.MACHINE]
        if any(r.wanted is Wanted.PRESENT or r.may_exist for r in left):
            return
        if self._runs.picture().state.instances:
            self._runs.remove_everything()
            self._attention.raise_if_asked()

    # -- small parts ---------------------------------------------------------------------------------------

    def _load(self, only: Only) -> None:
        with self._tools.database.read() as tx:
            every = resources.of_owner(tx, self._owner)
        self._resources = {r.id: r for r in every if r.kind is Kind.MACHINE}
        self._mine = {r.id for r in self._resources.values() if only(r)}
        self._problems = {}

    def _chosen(self) -> dict[int, Resource]:
        return {i: self._resources[i] for i in sorted(self._mine)}

    def _change(self, resource: Resource, text: str, level: str = "I") -> None:
        self._resources[resource.id] = resource
        self._journal.change(resource, self._attention.masked(text), level)


_CONCLUSIONS = (Step.ADOPT, Step.ABSENT, Step.READY, Step.STOPPED, Step.BROKEN, Step.AGAIN)


def _is_address(resource: Resource) -> bool:
    return resource.kind is Kind.ADDRESS


def _is_absent(resource: Resource) -> bool:
    return resource.wanted is Wanted.ABSENT


def _all(*conditions: Only) -> Only:
    return lambda resource: all(condition(resource) for condition in conditions)
