"""Runs ansible-playbook, without policy: one playbook on some hosts of an inventory made from values.

Everything it needs lies in a private folder: values and secrets travel in files that only we may read, never
in arguments. What becomes of each host is told by a callback plugin of ours as JSON lines, never read from
what ansible prints for people.
"""

import json
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from onecore.errors import NotFound
from onecore.process import MIB, Command

PROGRAM = "ansible-playbook"
LAST_TASK = "oneprovision: this host came through"
MARK = "ONE_RUN"
GRACE_S = 5.0
OUTPUT_LIMIT = 16 * MIB
# ssh appends 28 letters to this folder's name for its socket, whose name may have 107.
LONGEST_CONTROL_FOLDER = 75
_ALIAS = ".oneprovision"


@dataclass(frozen=True)
class Target:
    """A host of the inventory. `host_key` is as in known_hosts. How to log in may be left to another
    inventory: no user, no port, no key."""

    name: str
    address: str
    port: int = 0
    user: str = ""
    private_key: str = ""
    host_key: str = ""
    variables: Mapping[str, object] = field(default_factory=dict, repr=False)
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job:
    """One playbook for the hosts named by `only`; the others of `targets` are known to it, not touched.

    `variables` are of every host, `extra_vars` stand above all others. `inventory`: a further one, which
    stands above that of the targets. `config`: an ansible.cfg to go by instead of none. `learn`: the key of a
    host that has none recorded is accepted, see `learned`.
    """

    playbook: Path
    targets: tuple[Target, ...]
    only: tuple[str, ...]
    variables: Mapping[str, object] = field(default_factory=dict, repr=False)
    extra_vars: Mapping[str, object] = field(default_factory=dict, repr=False)
    tags: str = ""
    forks: int = 16
    timeout_s: float = 3600.0
    inventory: Mapping[str, object] | None = field(default=None, repr=False)
    config: Path | None = None
    learn: bool = False


@dataclass(frozen=True)
class HostResult:
    """What became of a host. `done`: it came through every play that names it. `ran`: a task met it."""

    done: bool = False
    ran: bool = False
    task: str = ""
    message: str = ""


@dataclass(frozen=True)
class Results:
    """As far as it was told: after a crash only a part of it. `tasks`: those that began, in order."""

    hosts: Mapping[str, HostResult]
    tasks: tuple[str, ...] = ()
    ended: bool = False


def find(search_path: str) -> Path:
    """The ansible-playbook beside our own interpreter, else on the PATH."""
    ours = Path(sys.executable).parent
    found = shutil.which(PROGRAM, path=f"{ours}{os.pathsep}{search_path}")
    if found is None:
        raise NotFound(
            f"there is no {PROGRAM}: install the package ansible-core (pip install 'onesuite[ansible]')",
            hint="or put the folder that holds it on PATH",
        )
    return Path(found)


def plugins() -> Path:
    """Our plugins for ansible: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "ansible_plugins"
    return installed if installed.is_dir() else package.parent / "drivers" / "ansible"


def write(folder: Path, job: Job, run: str, base: Mapping[str, str]) -> Command:
    """Make the folder anew with everything the job needs, and return the command that does it.

    `run` marks the program and all its descendants, `base` is the environment to start from.
    """
    program = find(base.get("PATH", ""))
    shutil.rmtree(folder, ignore_errors=True)
    for each in (folder, folder / "tmp", folder / "cp"):
        each.mkdir(mode=0o700, parents=True)
    inventory = _private(folder / "inventory.json", json.dumps(inventory_of(job.targets, job.variables)))
    extra_vars = _private(folder / "vars.json", json.dumps(dict(job.extra_vars)))
    limit = _private(folder / "limit", "".join(f"{name}\n" for name in job.only))
    _private(folder / "known_hosts", known_hosts(job.targets))
    _private(folder / "results.jsonl", "")
    _private(folder / "ansible.cfg", "")
    play = _private(folder / "play.json", json.dumps(_with_last_task(job.playbook)))
    argv = [str(program), "--inventory", str(inventory)]
    if job.inventory is not None:
        argv += ["--inventory", str(_private(folder / "further.json", json.dumps(dict(job.inventory))))]
    argv += ["--limit", f"@{limit}", "--extra-vars", f"@{extra_vars}", "--forks", str(max(job.forks, 1))]
    argv += ["--tags", job.tags] if job.tags else []
    return Command(
        (*argv, str(play)),
        _environment(folder, job, run, base),
        timeout_s=job.timeout_s,
        output_limit=OUTPUT_LIMIT,
        output_path=folder / "output",
        # Not SIGINT: it hangs when that arrives while it forks a worker.
        stop_signal=signal.SIGTERM,
        grace_s=GRACE_S,
    )


def read(folder: Path) -> Results:
    """What the callback has told so far; a line that is being written does not count yet."""
    tasks: list[str] = []
    hosts: dict[str, HostResult] = {}
    ended = False
    for event in _events(folder / "results.jsonl"):
        kind, name = event.get("event"), str(event.get("host", ""))
        before = hosts.get(name, HostResult())
        if kind == "task":
            tasks.append(str(event.get("task", "")))
        elif kind == "end":
            ended = True
        elif kind == "ran":
            hosts[name] = HostResult(before.done, True, before.task, before.message)
        elif kind == "done":
            hosts[name] = HostResult(True, before.ran, before.task, before.message)
        elif kind in ("failed", "unreachable"):
            text = f"unreachable: {event.get('message')}" if kind == "unreachable" else event.get("message")
            hosts[name] = HostResult(before.done, True, str(event.get("task", "")), str(text))
    return Results(hosts, tuple(tasks), ended)


def learned(folder: Path) -> dict[str, str]:
    """The host keys that the run knew in the end, by target."""
    try:
        lines = (folder / "known_hosts").read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return {}
    pairs = [line.split(" ", 1) for line in lines if " " in line]
    return {name.removesuffix(_ALIAS): key for name, key in reversed(pairs) if name.endswith(_ALIAS)}


def inventory_of(targets: Iterable[Target], variables: Mapping[str, object]) -> dict[str, object]:
    """The inventory as Ansible's YAML plugin reads it (JSON is YAML)."""
    hosts: dict[str, object] = {}
    groups: dict[str, dict[str, object]] = {}
    for target in targets:
        hosts[target.name] = _host_variables(target)
        for group in target.groups:
            groups.setdefault(group, {})[target.name] = {}
    children = {group: {"hosts": members} for group, members in groups.items()}
    return {"all": {"vars": dict(variables), "hosts": hosts, "children": children}}


def known_hosts(targets: Iterable[Target]) -> str:
    """The keys under the names of the targets, so that an address that passes on takes no key along."""
    return "".join(f"{_alias(target)} {target.host_key}\n" for target in targets if target.host_key)


def _host_variables(target: Target) -> dict[str, object]:
    # Whoever is not root becomes it, as the playbooks of the old tool expect; a variable can say otherwise.
    become = {"ansible_become": True} if target.user not in ("", "root") else {}
    login = {"ansible_port": target.port, "ansible_user": target.user}
    key = str(Path(target.private_key).expanduser()) if target.private_key else ""
    return {
        **become,
        **target.variables,
        "ansible_host": target.address,
        **{name: value for name, value in login.items() if value},
        **({"ansible_ssh_private_key_file": key} if key else {}),
        "ansible_ssh_extra_args": f"-o HostKeyAlias={_alias(target)}",
    }


def _alias(target: Target) -> str:
    """Also told to ssh: with it the port is no part of the name that is looked up."""
    return target.name + _ALIAS


def _with_last_task(playbook: Path) -> list[object]:
    """The playbook, and after it a play that every host reaches which came through: the only witness that
    also holds for any_errors_fatal, serial and max_fail_percentage."""
    last = {"name": LAST_TASK, "ansible.builtin.debug": {"msg": "done"}, "tags": ["always"]}
    return [
        {"import_playbook": str(playbook)},
        {"name": LAST_TASK, "hosts": "all", "gather_facts": False, "become": False, "tasks": [last]},
    ]


def _environment(folder: Path, job: Job, run: str, base: Mapping[str, str]) -> dict[str, str]:
    ours = str(Path(sys.executable).parent)
    kept = {name: base[name] for name in ("HOME", "TZ") if name in base}
    return {
        **kept,
        "PATH": f"{ours}{os.pathsep}{base.get('PATH', '/usr/bin:/bin')}",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": str(job.config or folder / "ansible.cfg"),
        "ANSIBLE_CALLBACK_PLUGINS": str(plugins() / "callback"),
        "ANSIBLE_STDOUT_CALLBACK": "one_results",
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_SSH_ARGS": shlex.join(_ssh_arguments(folder, job.learn)),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "ANSIBLE_NOCOLOR": "True",
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ONE_RESULTS": str(folder / "results.jsonl"),
        "ONE_LAST_TASK": LAST_TASK,
        MARK: run,
    }


def _ssh_arguments(folder: Path, learn: bool) -> list[str]:
    known = str(folder / "known_hosts").replace("%", "%%")
    argv = ["-o", f'UserKnownHostsFile="{known}"', "-o", "GlobalKnownHostsFile=/dev/null"]
    argv += ["-o", "HashKnownHosts=no"]
    argv += [
        "-o",
        f"StrictHostKeyChecking={'accept-new' if learn else 'yes'}",
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        "BatchMode=yes",
    ]
    if len(str(folder / "cp")) > LONGEST_CONTROL_FOLDER:
        return [*argv, "-o", "ControlPath=none"]
    return [*argv, "-o", "ControlMaster=auto", "-o", "ControlPersist=60s"]


def _events(file: Path) -> Iterable[dict[str, object]]:
    try:
        text = file.read_text("utf-8", "replace")
    except FileNotFoundError:
        return
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            event = json.loads(line)
            if isinstance(event, dict):
                yield event


def _private(file: Path, text: str) -> Path:
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as opened:
        opened.write(text)
    return file
