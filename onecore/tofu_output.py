"""What OpenTofu and Terraform print and store, as values: the lines of a run, plans, and state files."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

Key = int | str | None


class Action(StrEnum):
    """What a plan means to do with one thing."""

    NOTHING = "no-op"
    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    REPLACE = "replace"
    FORGET = "forget"


class _Addressed:
    """What has an address: `base` is the resource, `key` the index of `count` or the key of `for_each`."""

    address: str

    @property
    def base(self) -> str:
        return split(self.address)[0]

    @property
    def key(self) -> Key:
        return split(self.address)[1]


@dataclass(frozen=True)
class Change(_Addressed):
    """One line of a plan."""

    address: str
    type: str
    action: Action

    @property
    def destroys(self) -> bool:
        return self.action in (Action.DELETE, Action.REPLACE, Action.FORGET)

    @property
    def creates(self) -> bool:
        return self.action in (Action.CREATE, Action.REPLACE)


@dataclass(frozen=True)
class Instance(_Addressed):
    """One thing that the state knows. `tainted`: it was not made whole, the next apply replaces it."""

    address: str
    type: str
    tainted: bool
    values: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class State:
    """The content of a state file."""

    serial: int = 0
    lineage: str = ""
    instances: tuple[Instance, ...] = ()
    outputs: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Heard(_Addressed):
    """One line of a run: what began, ended or failed, with which thing, and what was said of it."""

    kind: str
    text: str = ""
    address: str = ""
    action: str = ""
    id: str = ""


@lru_cache(maxsize=4096)
def split(address: str) -> tuple[str, Key]:
    """An address without its keys, and the last of them: `module.host.x.y[3]` is `module.host.x.y`, 3."""
    base, key, rest = "", None, address
    while rest:
        plain, bracket, rest = rest.partition("[")
        base += plain
        if not bracket:
            break
        try:
            found, end = json.JSONDecoder().raw_decode(rest)
        except ValueError:
            return address, None
        key = found if isinstance(found, int | str) else None
        rest = rest[end + 1 :]
    return base, key


def heard_in(output: bytes) -> Iterator[Heard]:
    """What a run printed; a line that was cut short says nothing."""
    for line in output.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            yield _heard(record)


def problems(output: bytes) -> list[Heard]:
    """The errors that a run reported."""
    return [h for h in heard_in(output) if h.kind == "diagnostic" and h.action == "error"]


@dataclass(frozen=True)
class Plan:
    """A saved plan. What it only reads or leaves alone is not among its changes."""

    changes: tuple[Change, ...]
    configuration: Mapping[str, object] = field(default_factory=dict, repr=False)


def parse_plan(shown: bytes) -> Plan:
    """What `show -json` says of a saved plan."""
    document = _mapping(json.loads(shown))
    changes = [_change(_mapping(each)) for each in _list(document.get("resource_changes"))]
    return Plan(
        tuple(c for c in changes if c.action not in (Action.NOTHING, Action.READ)),
        _mapping(document.get("configuration") or {}),
    )


def parse_state(text: str) -> State:
    """A state file (format 4); raises ValueError when it is damaged."""
    if not text.strip():
        return State()
    document = _mapping(json.loads(text))
    if document.get("version") != 4:
        raise ValueError(f"state format {document.get('version')} is not known")
    outputs = _mapping(document.get("outputs") or {})
    return State(
        serial=int(str(document.get("serial", 0))),
        lineage=str(document.get("lineage", "")),
        instances=tuple(_instances(document)),
        outputs={name: _mapping(each).get("value") for name, each in outputs.items()},
    )


def _heard(record: Mapping[str, object]) -> Heard:
    kind, hook = str(record.get("type", "")), record.get("hook")
    if kind == "diagnostic":
        said = _mapping(record.get("diagnostic") or {})
        summary, detail = str(said.get("summary", "")), str(said.get("detail", ""))
        text = f"{summary}: {detail}" if detail and detail != summary else summary
        return Heard(kind, text, address=str(said.get("address", "")), action=str(said.get("severity", "")))
    text = str(record.get("@message", ""))
    holder = hook if isinstance(hook, dict) else record.get("change")
    if not isinstance(holder, dict):
        return Heard(kind, text)
    resource = _mapping(holder.get("resource") or {})
    return Heard(
        kind,
        text,
        address=str(resource.get("addr", "")),
        action=str(holder.get("action", "")),
        id=str(holder.get("id_value", "")),
    )


def _change(record: Mapping[str, object]) -> Change:
    actions = [str(each) for each in _list(_mapping(record["change"])["actions"])]
    action = Action.REPLACE if len(actions) > 1 else Action(actions[0])
    if record.get("deposed") and action is Action.NOTHING:
        action = Action.DELETE
    return Change(str(record["address"]), str(record.get("type", "")), action)


def _instances(document: Mapping[str, object]) -> Iterator[Instance]:
    for resource in map(_mapping, _list(document.get("resources"))):
        if resource.get("mode") != "managed":
            continue
        base = ".".join(str(resource[part]) for part in ("module", "type", "name") if resource.get(part))
        for each in map(_mapping, _list(resource.get("instances"))):
            key = _key(each.get("index_key"))
            address = base if key is None else f"{base}[{json.dumps(key)}]"
            values = each.get("attributes")
            yield Instance(
                address,
                str(resource["type"]),
                each.get("status") == "tainted" or "deposed" in each,
                values if isinstance(values, dict) else {},
            )


def _key(value: object) -> Key:
    return value if isinstance(value, int | str) else None


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"{str(value)[:80]!r} is not an object")  # noqa: TRY004 it is bad data
    return value


def _list(value: object) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"{str(value)[:80]!r} is not a list")  # noqa: TRY004 as above
    return value
