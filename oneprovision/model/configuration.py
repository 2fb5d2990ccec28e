"""How far the configuration of a host has come, and which playbook runs next on which hosts: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from oneprovision.model.provision import StoredObject

_KEY = "configuration"


class Status(StrEnum):
    """PROVISION_CONFIGURATION_STATUS (spec/001)."""

    PENDING = "pending"
    CONFIGURED = "configured"
    ERROR = "error"


@dataclass(frozen=True)
class Configuration:
    """`done`: how many playbooks the host came through; `complete`: all of them. `touched`: one was begun.
    `run` names the run of a playbook that has no recorded end. `cleaned`: how many cleanup playbooks too."""

    done: int = 0
    complete: bool = False
    touched: bool = False
    error: str = ""
    run: str = ""
    cleaned: int = 0

    @property
    def status(self) -> Status:
        if self.complete:
            return Status.CONFIGURED
        return Status.ERROR if self.error else Status.PENDING


@dataclass(frozen=True)
class Goal:
    """Which playbooks, and where a host keeps how many of them it came through."""

    playbooks: tuple[Path, ...]
    cleanup: bool = False

    def done(self, configuration: Configuration) -> int:
        return configuration.cleaned if self.cleanup else configuration.done

    def one_more(self, configuration: Configuration) -> Configuration:
        if self.cleanup:
            return replace(configuration, cleaned=configuration.cleaned + 1, run="", error="")
        done = configuration.done + 1
        complete = done >= len(self.playbooks)
        return replace(configuration, done=done, complete=complete, run="", error="")


@dataclass(frozen=True)
class Batch:
    """The playbook of this number is to run on these hosts; `tries` were made with each of them in vain."""

    number: int
    host_ids: tuple[int, ...]
    tries: int


def configuration_of(host: StoredObject) -> Configuration:
    stored = host.body.get(_KEY)
    return Configuration(**stored) if isinstance(stored, Mapping) else Configuration()


def configured_as(host: StoredObject, configuration: Configuration) -> StoredObject:
    return replace(host, body={**host.body, _KEY: asdict(configuration)})


def host_key_of(host: StoredObject) -> str:
    """The recorded host key; empty before the first contact."""
    return str(host.body.get("host_key", ""))


def is_ready(host: StoredObject) -> bool:
    """Whether the host has let us in (or needs not)."""
    return host.body.get("ready") is True


def made_ready(host: StoredObject, host_key: str) -> StoredObject:
    """Without a key, whoever waited for the host did not log in; a recorded one stays."""
    return replace(host, body={**host.body, "ready": True, "host_key": host_key or host_key_of(host)})


def with_host_key(host: StoredObject, host_key: str) -> StoredObject:
    return replace(host, body={**host.body, "host_key": host_key})


def forgotten(host: StoredObject) -> StoredObject:
    """The host on a machine that has to be made anew: what was true of the old one is not of this."""
    ours = ("ready", "host_key", _KEY)
    return replace(host, body={key: value for key, value in host.body.items() if key not in ours})


def to_do_again(host: StoredObject) -> StoredObject:
    """The host with everything to be done once more on the machine that it has."""
    again = replace(configuration_of(host), done=0, complete=False, error="")
    return configured_as(replace(host, body={**host.body, "ready": False}), again)


def next_batch(
    open_hosts: Mapping[int, int], tries: Mapping[int, int], playbooks: int, most_tries: int
) -> Batch | None:
    """What to run next; None when there is nothing more to try.

    `open_hosts`: how many playbooks each has come through. Fresh hosts go first: who failed waits for his
    next try until then.
    """
    left = {i: done for i, done in open_hosts.items() if done < playbooks and tries.get(i, 0) < most_tries}
    if not left:
        return None
    fewest = min(tries.get(i, 0) for i in left)
    fresh = {i: done for i, done in left.items() if tries.get(i, 0) == fewest}
    number = min(fresh.values())
    return Batch(number, tuple(sorted(i for i, done in fresh.items() if done == number)), fewest)


def summary(problems: Sequence[tuple[str, str]]) -> str:
    """Host names and what is wrong with each, in one line; the same trouble of many is said once."""
    groups: dict[str, list[str]] = {}
    for name, text in problems:
        groups.setdefault(text, []).append(name)
    return "; ".join(f"{', '.join(names)}: {text}" for text, names in groups.items())
