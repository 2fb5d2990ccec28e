"""Which things of an OpenTofu state and plan belong to which host, and whether a plan does what was asked.

A host is known by its slot: the index that `count` gave it, or its address where `for_each` goes over
addresses. Slots are never moved: a driver that counts gets a number above every slot, and what must not be
made or removed meanwhile is kept out of the plan (the reference calls the failure to do so W9).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from onecore.tofu_output import Action, Change, Heard, Instance, State, split

Slot = int | str
OUTPUT = "provisioned_hosts"

# Made of nothing outside this machine, so that replacing one of them removes nothing.
HARMLESS = frozenset({"local_file", "local_sensitive_file", "null_resource", "terraform_data"})


@dataclass(frozen=True)
class Placed:
    """A host as the driver's output names it. `base`: the resource that it is an instance of, if any."""

    slot: Slot
    instance_id: str
    ip: str
    base: str = ""


@dataclass(frozen=True)
class Picture:
    """What a state says of hosts. `counted`: the resources of which there is one for each host."""

    state: State
    hosts: Mapping[Slot, Placed]
    counted: frozenset[str]

    def parts(self, slot: Slot) -> list[Instance]:
        """The things that exist for one host."""
        return [i for i in self.state.instances if i.key == slot and self.belongs(i.base)]

    def mains(self, slot: Slot) -> list[Instance]:
        """Of these the one that the driver's output names: the machine itself. All, where none is known."""
        main = self._main
        parts = self.parts(slot)
        return [i for i in parts if i.base in main] if main else parts

    def exists(self, slot: Slot) -> bool:
        """A disk that outlived its host is no host; it stays known, and goes with the provision at last."""
        return bool(self.mains(slot)) or (slot in self.hosts and not self.hosts[slot].base)

    def whole(self, slot: Slot) -> Placed | None:
        """The host, if nothing of it is missing as far as anybody can tell."""
        return None if any(i.tainted for i in self.parts(slot)) else self.hosts.get(slot)

    def belongs(self, base: str) -> bool:
        """Whether each instance of this resource is one host's.

        A resource that depends on the number of hosts is not yet one of theirs: `count = hosts > 0 ? 1 : 0`
        is shared. It is where its keys are those of the hosts.
        """
        main = self._main
        if base in main:
            return True
        if base not in self.counted:
            return False
        keys = {i.key for i in self.state.instances if i.base == base}
        hosts = {i.key for i in self.state.instances if i.base in main} or keys
        return keys == hosts or (len(keys) > 1 and keys < hosts) or not keys

    @property
    def slots(self) -> set[Slot]:
        """Every slot whose host exists."""
        keyed = {i.key for i in self.state.instances if i.key is not None and self.belongs(i.base)}
        return {slot for slot in keyed | set(self.hosts) if self.exists(slot)}

    @property
    def _main(self) -> set[str]:
        return {placed.base for placed in self.hosts.values() if placed.base}


def picture(state: State, counted: Iterable[str] = (), by_ip: bool = False) -> Picture:
    """What the state says. An entry of the output counts only if the thing it names exists: after some runs
    outputs are old."""
    found: dict[Slot, Placed] = {}
    entries = _entries(state)
    evidence = [_evidence(state, each) for each in entries]
    some = any(evidence)
    for position, (entry, things) in enumerate(zip(entries, evidence, strict=True)):
        instance_id, ip = _text(entry.get("instance_id")), _text(entry.get("instance_ip"))
        if not instance_id:
            continue
        if things:
            thing = things[0]
            slot: Slot = ip if by_ip else thing.key if thing.key is not None else position
            found[slot] = Placed(slot, instance_id, ip, thing.base)
        elif not some:
            slot = ip if by_ip else position
            found[slot] = Placed(slot, instance_id, ip)
    return Picture(state, found, frozenset(counted))


def counted_resources(configuration: Mapping[str, object], variables: Collection[str]) -> frozenset[str]:
    """The resources whose `count` or `for_each` depends on one of these root variables, by base address; from
    the `configuration` of a plan, which names what every expression refers to."""
    found: set[str] = set()
    root = configuration.get("root_module")
    if isinstance(root, Mapping):
        _count(root, "", {f"var.{name}" for name in variables}, found, False)
    return frozenset(found)


@dataclass(frozen=True)
class Intent:
    """What a run is to do: make these slots, or remove those. `everything`: remove all there is."""

    making: frozenset[Slot] = frozenset()
    removing: frozenset[Slot] = frozenset()
    everything: bool = False


def violations(changes: Iterable[Change], intent: Intent, now: Picture) -> list[str]:
    """What a plan would do that was not asked for, in words that name the resource; empty: it may be done."""
    return [f"{c.action} {c.address}: {why}" for c in changes if (why := _violation(c, intent, now))]


def touched(changes: Iterable[Change], intent: Intent, now: Picture) -> list[Change]:
    """Changes of hosts that were not named, although nothing of them would be destroyed."""
    named = intent.making | intent.removing
    return [c for c in changes if c.action is Action.UPDATE and now.belongs(c.base) and c.key not in named]


def targets(changes: Iterable[Change], making: Collection[Slot], now: Picture) -> list[str]:
    """The addresses to restrict a plan to, so that only these slots are made."""
    return [c.address for c in changes if c.creates and c.key in making and _hosts_own(c.base, now)]


def half_made(heard: Iterable[Heard]) -> list[Heard]:
    """What a run began to make and never ended: it may exist without the state knowing it, or stand in the
    state without being whole."""
    begun: dict[str, Heard] = {}
    for line in heard:
        if line.kind == "apply_start" and line.action in ("create", "replace", "update"):
            begun[line.address] = line
        elif line.kind in ("apply_complete", "apply_errored"):
            begun.pop(line.address, None)
    return list(begun.values())


def errors_of(heard: Iterable[Heard], slot: Slot) -> str:
    """What was said of the failure of one host."""
    said = [h for h in heard if h.kind == "diagnostic" and h.action == "error"]
    return "; ".join(dict.fromkeys(h.text for h in said if split(h.address)[1] == slot))


def _violation(change: Change, intent: Intent, now: Picture) -> str:
    if intent.everything:
        return "" if change.action is Action.DELETE else "everything was to be removed"
    own = _hosts_own(change.base, now) and change.key is not None
    if change.action is Action.CREATE:
        if own and change.key not in intent.making:
            return "nobody asked for this host"
        return "hosts were to be removed only" if not own and intent.removing else ""
    if not change.destroys:
        return ""
    if (
        own
        and change.action is Action.DELETE
        and (change.key in intent.removing or (change.key is not None and not now.exists(change.key)))
    ):
        return ""
    if own and change.key in intent.making:
        return ""
    if not own and change.action is Action.REPLACE and change.type in HARMLESS:
        return ""
    return "this host was not named" if own else "hosts share it"


def _hosts_own(base: str, now: Picture) -> bool:
    """Before the first host exists, what depends on the number of hosts is taken for theirs."""
    return now.belongs(base) or (not now.hosts and base in now.counted)


def _entries(state: State) -> list[Mapping[str, object]]:
    listed = state.outputs.get(OUTPUT)
    return [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []


def _evidence(state: State, entry: Mapping[str, object]) -> list[Instance]:
    """The instances that carry the id of an entry: as their own id, else anywhere among their values."""
    wanted = _text(entry.get("instance_id"))
    if not wanted:
        return []
    named = [i for i in state.instances if _text(i.values.get("id")) == wanted]
    if named:
        return named
    return [i for i in state.instances if i.key is not None and wanted in _texts(i.values)]


def _texts(values: Mapping[str, object]) -> set[str]:
    found = {value for value in values.values() if isinstance(value, str)}
    for value in values.values():
        if isinstance(value, Mapping):
            found |= _texts(value)
    return found


def _count(
    module: Mapping[str, object], prefix: str, counting: Collection[str], found: set[str], within: bool
) -> None:
    for resource in _mappings(module.get("resources")):
        base = f"{prefix}{resource.get('address')}"
        if within or _refers(resource, {*counting, *_refs_of(found, prefix)}):
            found.add(base)
    calls = module.get("module_calls")
    for name, call in (calls if isinstance(calls, Mapping) else {}).items():
        if not isinstance(call, Mapping):
            continue
        passed = call.get("expressions")
        inner = {
            f"var.{argument}"
            for argument, expression in (passed if isinstance(passed, Mapping) else {}).items()
            if set(_references(expression)) & set(counting)
        }
        child = call.get("module")
        if isinstance(child, Mapping):
            _count(child, f"{prefix}module.{name}.", inner, found, within or _refers(call, counting))


def _refs_of(found: Collection[str], prefix: str) -> set[str]:
    """How the resources found so far are referred to inside their module."""
    return {base.removeprefix(prefix) for base in found if base.startswith(prefix)}


def _refers(block: Mapping[str, object], counting: Collection[str]) -> bool:
    """Whether the count of a block follows one of these."""
    expressions = (block.get("count_expression"), block.get("for_each_expression"))
    return any(set(_references(expression)) & set(counting) for expression in expressions)


def _references(expression: object) -> Sequence[str]:
    if not isinstance(expression, Mapping):
        return ()
    return [str(each) for each in expression.get("references") or ()]


def _mappings(value: object) -> list[Mapping[str, object]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
