"""Makes hosts ready: waits until they let us in, then runs the playbooks on those that need it.

What each host came through is stored after every playbook. A run that was cut short by a crash is taken up:
if ansible-playbook still works it is waited for, and what it told is believed; what has no result runs again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from onecore.ansible import HostResult
from onecore.deps import Deps
from onecore.drivers.secrecy import masked_text
from onecore.errors import DriverFailed, Interrupted, InvalidInput, NotFound
from onecore.machines.model import Kind, RetryPolicy, Wanted
from onecore.notice import Notice
from onecore.store import events, lease, resources
from onecore.store.engine import Transaction
from onecore.store.lease import Lease
from oneprovision import host_keys, readiness, recipes, store
from oneprovision.model.configuration import (
    Batch,
    Goal,
    configuration_of,
    configured_as,
    host_key_of,
    is_ready,
    made_ready,
    next_batch,
    summary,
    with_host_key,
)
from oneprovision.model.instance import is_instance
from oneprovision.model.provision import ObjectKind, Provision, StoredObject
from oneprovision.model.recipe import Recipe
from oneprovision.playbook_job import job_of, secrets_of, trouble
from oneprovision.playbook_run import Note, PlaybookRun, Ran
from oneprovision.readiness import Pair, raise_if_asked


@dataclass(frozen=True)
class Unready:
    """The hosts that are not as they should be, by id, in words, and how many are."""

    problems: Mapping[int, str]
    summary: str
    working: int


def make_ready(deps: Deps, held: Lease, provision: Provision) -> Unready:
    """Every host that is to stay: reachable and configured, as far as it goes. A single instance is ready
    when its provider says that it runs: perhaps nobody of ours may log in (spec/002)."""
    if is_instance(provision):
        return Unready({}, "", 1)
    configuring = Configuring(
        deps, held, provision, recipes.recipe(deps, provision, _drivers(deps, provision))
    )
    problems = configuring.make_ready()
    host_keys.export(deps)
    names = configuring.names()
    told = summary([(names[i], text) for i, text in sorted(problems.items())])
    return Unready(problems, told, len(names) - len(problems))


def _drivers(deps: Deps, provision: Provision) -> set[str]:
    with deps.database.read() as tx:
        every = resources.of_owner(tx, provision.key)
    return {machine.driver for machine in every if machine.kind is Kind.MACHINE}


def clean(deps: Deps, held: Lease, provision: Provision, host_ids: Sequence[int]) -> str:
    """Run the cleanup playbooks on hosts that go; returns in words what failed."""
    try:
        recipe = recipes.cleanup(deps, provision, _drivers(deps, provision))
        configuring = Configuring(deps, held, provision, recipe)
        problems = configuring.clean(host_ids)
    except (InvalidInput, NotFound, DriverFailed) as exc:  # no playbook, no ansible: a removal may go on
        return exc.message
    names = configuring.names(also_leaving=True)
    return summary([(names[i], text) for i, text in sorted(problems.items())])


class Configuring:
    """The playbooks of one provision, under its lease."""

    def __init__(self, deps: Deps, held: Lease, provision: Provision, recipe: Recipe) -> None:
        self._deps = deps
        self._lease = held
        self._provision = provision
        self._recipe = recipe
        self._run = PlaybookRun(deps, held, provision)
        self._secrets: frozenset[str] = frozenset()
        self._ssh: dict[str, bool] = {}

    def make_ready(self) -> dict[int, str]:
        """Every host that is to stay: reachable and configured. Returns the problems by host id."""
        self._take_up()
        waiting = [(h, m) for h, m in self._pairs() if not is_ready(h) or self._lacks_key(h, m.driver)]
        waited = readiness.wait_for_hosts(self._deps, self._lease, self._provision, waiting)
        self._save([made_ready(h, waited.host_keys[h.id]) for h, _ in waiting if h.id in waited.host_keys])
        reachable = [(h, m) for h, m in self._pairs() if is_ready(h)]
        self._complete_those_without_ssh([h for h, m in reachable if not self._can_run(m.driver)])
        todo = [h.id for h, m in reachable if self._can_run(m.driver) and not configuration_of(h).complete]
        return waited.problems | self._bring_through(Goal(self._recipe.playbooks), todo)

    def clean(self, host_ids: Sequence[int]) -> dict[int, str]:
        """Run the cleanup playbooks on hosts that go, where playbooks of ours had run."""
        self._take_up(end_it=True)
        if not self._recipe.cleanup:
            return {}
        meant = [h for h, m in self._pairs(also_leaving=True) if h.id in host_ids and self._can_run(m.driver)]
        goal = Goal(self._recipe.cleanup, cleanup=True)
        return self._bring_through(goal, [h.id for h in meant if configuration_of(h).touched])

    def names(self, also_leaving: bool = False) -> dict[int, str]:
        return {h.id: h.name for h, _ in self._pairs(also_leaving)}

    # -- what is there -------------------------------------------------------------------------------------

    def _pairs(self, also_leaving: bool = False) -> list[Pair]:
        with self._deps.database.read() as tx:
            hosts = store.objects_of(tx, self._provision.id)
            every = resources.of_owner(tx, self._provision.key)
        machines = {r.number: r for r in every if r.kind is Kind.MACHINE}
        if not also_leaving:
            machines = {number: r for number, r in machines.items() if r.wanted is Wanted.PRESENT}
        return [(o, machines[o.id]) for o in hosts if o.kind is ObjectKind.HOST and o.id in machines]

    def _has_ssh(self, driver: str) -> bool:
        """The catalog checks a driver anew at every call: once for all hosts is enough."""
        if driver not in self._ssh:
            self._ssh[driver] = self._deps.catalog.get(driver).manifest.ssh
        return self._ssh[driver]

    def _can_run(self, driver: str) -> bool:
        """A playbook that describes its own inventory knows how its hosts are reached."""
        return self._recipe.describe is not None or self._has_ssh(driver)

    def _lacks_key(self, host: StoredObject, driver: str) -> bool:
        open_ = self._recipe.playbooks and not configuration_of(host).complete
        return bool(open_) and self._has_ssh(driver) and not host_key_of(host)

    def _save(self, hosts: Sequence[StoredObject]) -> None:
        if hosts:
            with self._deps.database.begin() as tx:
                lease.check(tx, self._lease)
                store.save_objects(tx, hosts)

    def _complete_those_without_ssh(self, hosts: Sequence[StoredObject]) -> None:
        new = [h for h in hosts if not configuration_of(h).complete]
        if new and self._recipe.playbooks:
            names = ", ".join(h.name for h in new)
            self._tell(f"no playbook runs on {names}: the driver offers no SSH", "W")
        self._save([configured_as(h, replace(configuration_of(h), complete=True, error="")) for h in new])

    # -- running -------------------------------------------------------------------------------------------

    def _bring_through(self, goal: Goal, host_ids: Sequence[int]) -> dict[int, str]:
        """Playbook by playbook; a host that fails is tried again as often as a driver call would be."""
        policy = self._provision.options.policy()
        tries: dict[int, int] = {}
        while True:
            hosts = {h.id: h for h, _ in self._pairs(also_leaving=True) if h.id in host_ids}
            done = {i: goal.done(configuration_of(h)) for i, h in hosts.items()}
            batch = next_batch(done, tries, len(goal.playbooks), policy.retries + 1)
            if batch is None:
                break
            self._pause(policy, batch)
            failed = self._run_batch(goal, batch)
            for i in batch.host_ids:
                tries[i] = batch.tries + 1 if i in failed else 0
        if not goal.cleanup:
            self._complete([h for h in hosts.values() if done[h.id] >= len(goal.playbooks)])
        left = [h for h in hosts.values() if done[h.id] < len(goal.playbooks)]
        return {h.id: configuration_of(h).error for h in left}

    def _complete(self, hosts: Sequence[StoredObject]) -> None:
        """Hosts of a provision without playbooks, too."""
        open_ = [(h, configuration_of(h)) for h in hosts]
        self._save(
            [configured_as(h, replace(c, complete=True, error="")) for h, c in open_ if not c.complete]
        )

    def _run_batch(self, goal: Goal, batch: Batch) -> set[int]:
        """Run one playbook on some hosts and record what came of it; returns those that failed."""
        pairs = self._pairs(also_leaving=True)
        self._secrets = secrets_of(self._recipe, self._provision, pairs)
        self._deps.conceal(self._secrets)
        names, job = job_of(self._recipe, self._provision, goal.playbooks[batch.number], batch, pairs)
        now = self._deps.clock.now()
        note = Note(self._run.new_name(), goal.cleanup, names, now + job.timeout_s)
        chosen = [h for h, _ in pairs if h.id in batch.host_ids]
        intents = [replace(configuration_of(h), run=note.run, touched=True) for h in chosen]
        self._save([configured_as(h, intent) for h, intent in zip(chosen, intents, strict=True)])
        self._tell(f"{job.playbook.name} on {len(chosen)} hosts")
        self._deps.boundary("playbook intended")
        ran = self._run.carry_out(note, job, now)
        failed = self._record(ran)
        if ran.stopped:
            raise Interrupted(ran.stopped)
        return failed

    def _take_up(self, end_it: bool = False) -> None:
        left = self._run.take_up(end_it)
        if left is not None:
            self._record(left)

    def _record(self, ran: Ran) -> set[int]:
        """Store the result of every host of that run; returns those that did not come through."""
        goal = Goal(self._recipe.cleanup if ran.cleanup else self._recipe.playbooks, ran.cleanup)
        failed = set()
        with self._deps.database.begin() as tx:
            lease.check(tx, self._lease)
            every = store.objects_of(tx, self._provision.id)
            hosts = [o for o in every if o.kind is ObjectKind.HOST and configuration_of(o).run == ran.run]
            nobody = bool(ran.results.hosts) and not any(r.ran for r in ran.results.hosts.values())
            for host in hosts:
                name = ran.names.get(host.id, host.name)
                result = ran.results.hosts.get(name, HostResult())
                text = self._masked(trouble(result, ran, nobody))
                before = configuration_of(host)
                came_through = result.done and not text
                after = goal.one_more(before) if came_through else replace(before, run="", error=text)
                known = host_key_of(host) or ran.host_keys.get(name, "")
                store.save_objects(tx, [with_host_key(configured_as(host, after), known)])
                failed |= set() if came_through else {host.id}
                self._log(tx, host, goal, text, result)
        self._run.forget()
        return failed

    def _log(self, tx: Transaction, host: StoredObject, goal: Goal, text: str, result: HostResult) -> None:
        what = "Host cleaned" if goal.cleanup else "Host configured"
        said = text or ("ok" if result.done else "cut short; it will run again")
        level = "E" if text else "I" if result.done else "W"
        now = self._deps.clock.now()
        events.add(tx, self._provision.key, now, what, f"host {host.id} {host.name}: {said}", level)
        self._tell(said, level, host.name, done=result.done and not text)

    def _pause(self, policy: RetryPolicy, batch: Batch) -> None:
        """Before another try with the same hosts."""
        if not batch.tries:
            return
        until = self._deps.clock.now() + policy.pause(batch.tries, self._deps.jitter())
        while (left := until - self._deps.clock.now()) > 0:
            raise_if_asked(self._deps, self._provision.id)
            self._deps.clock.sleep(min(left, 0.25))

    def _masked(self, text: str) -> str:
        return masked_text(text, sorted(self._secrets))

    def _tell(self, text: str, level: str = "I", label: str = "", done: bool = False) -> None:
        now, subject = self._deps.clock.now(), f"provision {self._provision.id}"
        self._deps.notify(Notice(now, subject, text, level, label, "ansible" if label else "", done))
