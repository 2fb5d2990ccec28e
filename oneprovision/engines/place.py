"""Where the OpenTofu of one provision works, and what it leaves behind: `ONE_HOME/oneform/<id>`.

The stored state (encrypted) is the truth between runs; the file of a run that was cut short is newer. Files
with secrets are there while a run lasts only, and for us alone.
"""

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from onecore import alive, tofu
from onecore.deps import Deps
from onecore.errors import StoreFailed
from onecore.store.engine import Transaction
from onecore.tofu import Workspace
from onecore.tofu_output import State, parse_state
from onecore.vault import seal, unseal
from oneprovision import oneform_store
from oneprovision.engines.program import initialise, workspace
from oneprovision.folders import read_folder
from oneprovision.model.folder import Folder, HostsBy
from oneprovision.model.slots import Picture, picture

RUN = "run.json"
LOGS = ("plan", "apply", "refresh")


@dataclass(frozen=True)
class Run:
    """A run that was about to begin. `boot`: of which start of this machine; `deadline` in seconds since the
    epoch."""

    boot: str
    deadline: float
    counted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stored:
    """A state as text, and the resources that are one for each host."""

    text: str = ""
    counted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """`folder` is the copy of the driver folder that the provision was made with."""

    deps: Deps
    provision_id: int
    folder: Folder

    @property
    def root(self) -> Path:
        return root(self.deps, self.provision_id)

    @property
    def terraform(self) -> Path:
        return self.root / "terraform"

    def log(self, verb: str) -> Path:
        return self.root / f"{verb}.jsonl"

    def prepare(self, variables: Mapping[str, object], stored: Stored) -> Workspace:
        """Everything in place for a run: the folder's files, the variables, the state, and the plugins."""
        self.terraform.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copytree(self.folder.terraform, self.terraform, dirs_exist_ok=True)
        for each in (self.root.parent, self.root, self.terraform):
            each.chmod(0o700)
        private(self.terraform / tofu.VARIABLES, tofu.variables_text(variables))
        if stored.text:
            private(self.terraform / tofu.STATE, stored.text)
        else:
            (self.terraform / tofu.STATE).unlink(missing_ok=True)
        workspace = self.workspace()
        self._init(workspace)
        return workspace

    def workspace(self) -> Workspace:
        return workspace(self.deps.settings, self.folder, self.terraform)

    def begin(self, run: Run) -> None:
        """Leave word of a run before it begins, for whoever finds it cut short."""
        self.log("apply").unlink(missing_ok=True)
        private(self.root / RUN, json.dumps({**run.__dict__, "counted": list(run.counted)}))

    def begun(self) -> Run | None:
        """The run that was about to begin and whose end was not recorded."""
        try:
            said = json.loads((self.root / RUN).read_text())
            return Run(str(said["boot"]), float(said["deadline"]), tuple(map(str, said["counted"])))
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def survivor(self) -> Path | None:
        """The log of a program that outlived whoever started it."""
        return next((self.log(verb) for verb in LOGS if alive.is_held(self.log(verb))), None)

    def stored(self, tx: Transaction) -> Stored:
        """The state that was stored after the last run."""
        return stored_state(self.deps, tx, self.provision_id)

    def left(self, stored: Stored) -> Stored:
        """The newest of the stored state and the file that a run left; a damaged file is passed over."""
        file = self.terraform / tofu.STATE
        try:
            text = file.read_text()
            found, known = parse_state(text), parse_state(stored.text)
        except (OSError, ValueError):
            return stored
        stranger = bool(known.lineage) and found.lineage != known.lineage
        return stored if stranger or found.serial < known.serial else Stored(text, stored.counted)

    def save(self, tx: Transaction, stored: Stored) -> None:
        content = {"state": stored.text, "counted": json.dumps(list(stored.counted))}
        sealed = seal(self.deps.settings.home / "key", content)
        oneform_store.save_state(tx, self.provision_id, sealed, self.deps.clock.now())

    def tidy(self) -> None:
        """Take away what held secrets, once the state is stored."""
        for name in (tofu.STATE, f"{tofu.STATE}.backup", tofu.VARIABLES, tofu.PLAN):
            (self.terraform / name).unlink(missing_ok=True)
        for verb in LOGS:
            self.log(verb).unlink(missing_ok=True)
        (self.root / RUN).unlink(missing_ok=True)

    def picture(self, stored: Stored) -> Picture:
        return picture(self._parsed(stored), stored.counted, self.folder.hosts_by is HostsBy.IPS)

    def _parsed(self, stored: Stored) -> State:
        try:
            return parse_state(stored.text)
        except ValueError as exc:
            raise StoreFailed(f"the state of provision {self.provision_id} cannot be read: {exc}") from exc

    def _init(self, workspace: Workspace) -> None:
        """Once for each content of the folder; one at a time, because all share one cache of plugins."""
        mark, sign = self.root / "initialised", f"{self.folder.checksum} {workspace.program}"
        if mark.exists() and mark.read_text() == sign and (self.terraform / ".terraform").is_dir():
            return
        initialise(self.deps.settings, workspace)
        private(mark, sign)


def stored_state(deps: Deps, tx: Transaction, provision_id: int) -> Stored:
    """What was stored after the last run of a provision; empty where there was none."""
    sealed = oneform_store.sealed_state(tx, provision_id)
    try:
        content = unseal(deps.settings.home / "key", sealed)
    except StoreFailed as exc:
        raise StoreFailed(
            f"the OpenTofu state of provision {provision_id} cannot be decrypted",
            hint="restore the key file of this installation: without it nothing of it can be removed",
        ) from exc
    return Stored(content.get("state", ""), tuple(json.loads(content.get("counted", "[]"))))


def root(deps: Deps, provision_id: int) -> Path:
    return deps.settings.home / "oneform" / str(provision_id)


def forget(deps: Deps, provision_id: int) -> None:
    """Remove the working directory of a provision that is forgotten."""
    shutil.rmtree(root(deps, provision_id), ignore_errors=True)


def keep_copy(deps: Deps, folder: Folder) -> None:
    """Keep the folder by its content: the provisions made with it need it as it was, to the end."""
    target = copy_of(deps, folder.name, folder.checksum)
    if target.exists():
        return
    draft = target.parent.with_name(f".{folder.checksum}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    shutil.copytree(folder.path, draft / folder.name)
    with suppress(OSError):  # somebody else was quicker
        draft.rename(target.parent)
    shutil.rmtree(draft, ignore_errors=True)


def copy_of(deps: Deps, name: str, checksum: str) -> Path:
    return deps.settings.home / "oneform" / "drivers" / checksum / name


def kept_folder(deps: Deps, name: str, checksum: str, origin: str = "kept copy") -> Folder:
    """The folder that a provision was made with; raises StoreFailed where its copy is gone."""
    path = copy_of(deps, name, checksum)
    if not path.is_dir():
        raise StoreFailed(
            f"the copy of OneForm driver '{name}' that the provision was made with is gone: {path}",
            hint="put the driver folder of that content back there",
        )
    return read_folder(path, origin)


def private(path: Path, text: str) -> None:
    """Write a file that nobody else may read, on the disk before this returns."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
