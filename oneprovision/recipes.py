"""How the hosts of a provision are configured: its playbooks, found and checked before anything is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from onecore import ansible
from onecore.deps import Deps
from onecore.errors import InvalidInput
from oneprovision.model.evaluate import cleanups, playbooks
from oneprovision.model.provision import Provision
from oneprovision.model.spec import ProvisionSpec

SYSTEM_FOLDERS = (Path("/etc/one/playbooks"), Path("/usr/share/one/oneprovision/ansible"))
SUFFIXES = (".yml", ".yaml")


@dataclass(frozen=True)
class Recipe:
    """`playbooks` run in this order on every host that is new; `cleanup` on those that are to go.

    `inventory`: further sources; `config`: an ansible.cfg; `extra_vars` may hold secrets.
    """

    playbooks: tuple[Path, ...] = ()
    cleanup: tuple[Path, ...] = ()
    extra_vars: Mapping[str, object] = field(default_factory=dict, repr=False)
    tags: str = ""
    inventory: tuple[Path, ...] = ()
    config: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


def recipe(deps: Deps, provision: Provision) -> Recipe:
    """Raises InvalidInput when a playbook is not where it was."""
    return _of_names(deps, playbooks(provision.template), cleanups(provision.template))


def cleanup(deps: Deps, provision: Provision) -> Recipe:
    """What a removal needs: it must not depend on the other playbooks."""
    return _of_names(deps, (), cleanups(provision.template))


def check(deps: Deps, spec: ProvisionSpec) -> None:
    """Refuse what could not be configured once it is made. Hosts without SSH have nothing to configure."""
    if not (spec.playbooks or spec.cleanup):
        return
    if any(deps.catalog.get(name).manifest.ssh for name in {host.driver for host in spec.hosts}):
        _of_names(deps, spec.playbooks, spec.cleanup)
        ansible.find(deps.settings.base_environment.get("PATH", ""))


def _of_names(deps: Deps, names: Sequence[str], cleanup: Sequence[str]) -> Recipe:
    folders = (deps.settings.home / "playbooks", *SYSTEM_FOLDERS)
    return Recipe(
        tuple(_found(name, folders) for name in names), tuple(_found(name, folders) for name in cleanup)
    )


def _found(name: str, folders: Sequence[Path]) -> Path:
    """A path is taken as it is; a bare name is looked for, with and without its ending."""
    path = Path(name).expanduser()
    if path.is_absolute():
        if path.is_file():
            return path
        raise InvalidInput(f"there is no playbook {path}", hint="correct `playbook` in the template")
    if len(path.parts) == 1:
        for folder in folders:
            for suffix in ("", *SUFFIXES):
                if (folder / f"{name}{suffix}").is_file():
                    return folder / f"{name}{suffix}"
    raise InvalidInput(
        f"there is no playbook '{name}'",
        hint=f"give its path, or put it as {name}.yml into {' or '.join(map(str, folders[:2]))}",
    )
