"""What drivers print, read into typed values; what cannot be read is DriverFailed."""

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar, cast

from onecore.errors import DriverFailed

T = TypeVar("T")

MAX_DEPLOY_ID = 512
_MAX_SHOWN = 80


class PollState(StrEnum):
    """The state letters of a virtualization driver."""

    ACTIVE = "a"
    OFF = "p"
    ERROR = "e"
    GONE = "d"
    UNKNOWN = "-"


@dataclass(frozen=True)
class Poll:
    """What `poll` said about one machine; metrics are the words as printed."""

    state: PollState
    addresses: tuple[str, ...] = ()
    metrics: Mapping[str, str] = field(default_factory=dict)


class ListState(StrEnum):
    """The states of a machine in the answer of `list`."""

    RUNNING = "running"
    OFF = "off"
    PENDING = "pending"
    ERROR = "error"


@dataclass(frozen=True)
class Listed:
    """One machine at the provider that carries our owner tag."""

    name: str
    deploy_id: str
    state: ListState
    addresses: tuple[str, ...] = ()
    metrics: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Address:
    """A public address at the provider; `deploy_id` is empty while it is assigned to no machine."""

    id: str
    ip: str
    tag: str = ""
    deploy_id: str = ""


def parse_deploy_id(stdout: bytes) -> str:
    """The provider's id of the machine, which has to be one line that can be passed as an argument again."""
    text = _decoded(stdout, "deploy").strip()
    problem = deploy_id_problem(text)
    if problem:
        raise DriverFailed(
            f"deploy answered no usable deploy id: {shown(text)} {problem}",
            hint="a machine may exist all the same; look for it at the provider",
        )
    return text


def deploy_id_problem(text: str) -> str:
    """Why the text cannot be a deploy id, or nothing."""
    if not text:
        return "is empty"
    if len(text) > MAX_DEPLOY_ID:
        return f"has more than {MAX_DEPLOY_ID} characters"
    if text.startswith("-"):
        return "begins with '-'"
    if "\n" in text:
        return "has more than one line"
    return "" if text.isprintable() else "holds characters that do not print"


def parse_poll(stdout: bytes) -> Poll:
    """Never fails: what cannot be understood is an unknown state."""
    words = _words(stdout[:_MAX_POLL].decode("utf-8", "replace"))
    letter = words.get("STATE", "-").strip("\"'").lower()
    state = PollState(letter) if letter in set(PollState) else PollState.UNKNOWN
    # The order is the preference: the first address is the one a host is reached at.
    found = [part for key in _ADDRESS_KEYS for part in words.get(key, "").split(",")]
    metrics = {
        key: escaped(value)[:_MAX_METRIC]
        for key, value in words.items()
        if key not in ("STATE", *_ADDRESS_KEYS) and not _SECRET.search(key)
    }
    return Poll(state, _usable(found), dict(list(metrics.items())[:_MAX_METRICS]))


def parse_list(stdout: bytes) -> tuple[Listed, ...]:
    """Strict, because absence from this list can end a machine's record."""
    machines = _array(stdout, "list", _listed)
    _refuse_twins("list", "name", (m.name for m in machines))
    _refuse_twins("list", "deploy id", (m.deploy_id for m in machines))
    return machines


def parse_allocated(stdout: bytes) -> Address:
    """The answer of `allocate_ip`."""
    return _address(_mapping(_json(stdout, "allocate_ip"), "allocate_ip"), "allocate_ip")


def parse_addresses(stdout: bytes) -> tuple[Address, ...]:
    """The answer of `list_ips`."""
    addresses = _array(stdout, "list_ips", _address)
    _refuse_twins("list_ips", "id", (a.id for a in addresses))
    return addresses


def parse_offers(stdout: bytes, action: str) -> tuple[Mapping[str, object], ...]:
    """The answers of `locations`, `plans`, `images` and `prices`: mappings with at least id and name."""

    def offer(item: Mapping[str, object], action: str) -> Mapping[str, object]:
        rest = {key: escaped(value) if isinstance(value, str) else value for key, value in item.items()}
        return {**rest, "id": _string(item, "id", action), "name": _string(item, "name", action)}

    return _array(stdout, action, offer)


def escaped(text: str) -> str:
    """The text without characters that could act on a terminal or forge a line of a log."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def shown(text: str) -> str:
    """Quoted, escaped and cut, for a message."""
    cut = escaped(text[:_MAX_SHOWN])
    return f"'{cut}…'" if len(text) > _MAX_SHOWN else f"'{cut}'"


_LIST_STATES = {state.value: state for state in ListState}
_MAX_POLL = 65536
_MAX_METRICS = 200
_MAX_METRIC = 1024
_ADDRESS_KEYS = ("GUEST_IP_ADDRESSES", "GUEST_IP", "AWS_PUBLIC_IP_ADDRESS")
_ADDRESS = re.compile(r"[A-Za-z0-9:][A-Za-z0-9.:-]{0,252}")
# What providers answer until a machine has an address.
_NO_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  nothing is bound here
_SECRET = re.compile("PASSW|SECRET|TOKEN|PRIVATE_KEY", re.IGNORECASE)


def _words(text: str) -> dict[str, str]:
    """KEY=VALUE words. `KEY=\\"value\\"` keeps its quotes through shlex, so they are cut here."""
    try:
        words = shlex.split(text)
    except ValueError:  # a quote that is never closed
        words = text.split()
    pairs = (word.partition("=") for word in words)
    return {key.upper(): value.strip("\"'\\") for key, equals, value in pairs if key and equals}


def _usable(addresses: Iterable[str]) -> tuple[str, ...]:
    clean = (address.strip(" \"'\\") for address in addresses)
    return tuple(dict.fromkeys(a for a in clean if _ADDRESS.fullmatch(a) and a not in _NO_ADDRESS))


def _metric(value: object) -> str:
    if isinstance(value, str):
        return value
    return str(value) if type(value) is int else json.dumps(value)


def _listed(item: Mapping[str, object], action: str) -> Listed:
    state = _string(item, "state", action)
    if state not in _LIST_STATES:
        raise _bad(action, f"state {shown(state)} is not one of: {', '.join(ListState)}")
    deploy_id = _string(item, "deploy_id", action)
    if problem := deploy_id_problem(deploy_id):
        raise _bad(action, f"deploy id {shown(deploy_id)} {problem}")
    addresses = item.get("addresses") or []
    metrics = item.get("metrics") or {}
    if not isinstance(addresses, list) or not all(isinstance(a, str) for a in addresses):
        raise _bad(action, f"addresses of {shown(deploy_id)} are not an array of strings")
    return Listed(
        _string(item, "name", action),
        deploy_id,
        _LIST_STATES[state],
        _usable(cast("list[str]", addresses)),
        {
            escaped(key): escaped(_metric(value))[:_MAX_METRIC]
            for key, value in _mapping(metrics, action).items()
            if not _SECRET.search(key)
        },
    )


def _address(item: Mapping[str, object], action: str) -> Address:
    ip = _string(item, "ip", action)
    # lazy: two milliseconds that only addresses cost
    from ipaddress import ip_address

    try:
        ip_address(ip)
    except ValueError as exc:
        raise _bad(action, f"{shown(ip)} is not an IP address") from exc
    identifier = _string(item, "id", action)
    if problem := deploy_id_problem(identifier):
        raise _bad(action, f"id {shown(identifier)} {problem}")
    return Address(
        identifier, ip, escaped(str(item.get("tag") or "")), escaped(str(item.get("deploy_id") or ""))
    )


def _array(stdout: bytes, action: str, read: Callable[[Mapping[str, object], str], T]) -> tuple[T, ...]:
    data = _json(stdout, action)
    if not isinstance(data, list):
        raise _bad(action, f"{type(data).__name__} instead of an array")
    return tuple(read(_mapping(item, action), action) for item in data)


def _mapping(item: object, action: str) -> Mapping[str, object]:
    if not isinstance(item, dict):
        raise _bad(action, f"{shown(str(item))} is not an object")
    return item


def _string(item: Mapping[str, object], key: str, action: str) -> str:
    """Ids are numbers at some providers, so a whole number is taken as its text."""
    value = item.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value or not value.isprintable():
        raise _bad(action, f"'{key}' is missing or no text in {shown(str(item))}")
    return value


def _json(stdout: bytes, action: str) -> object:
    text = _decoded(stdout, action)
    try:
        return cast(object, json.loads(text))
    except (ValueError, RecursionError) as exc:
        raise _bad(action, f"{shown(text.strip())} is not JSON") from exc


def _decoded(stdout: bytes, action: str) -> str:
    try:
        return stdout.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise _bad(
            action, f"{shown(stdout[:_MAX_SHOWN].decode('utf-8', 'replace'))} is not UTF-8 text"
        ) from exc


def _refuse_twins(action: str, what: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise _bad(action, f"{what} {shown(value)} occurs twice")
        seen.add(value)


def _bad(action: str, problem: str) -> DriverFailed:
    return DriverFailed(
        f"{action} gave an answer that cannot be used: {problem}",
        hint="the driver or its provider is at fault",
    )
