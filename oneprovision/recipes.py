"""How the hosts of a provision are configured: its playbooks, found and checked before anything is made."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from onecore import ansible
from onecore.deps import Deps
from onecore.errors import InvalidInput
from oneprovision.model.evaluate import cleanups, playbooks
from oneprovision.model.folder import is_oneform
from oneprovision.model.order import Order
from oneprovision.model.provision import Provision
from oneprovision.model.recipe import Recipe
from oneprovision.model.spec import ProvisionSpec

SYSTEM_FOLDERS = (Path("/etc/one/playbooks"), Path("/usr/share/one/oneprovision/ansible"))
SUFFIXES = (".yml", ".yaml")


NOTHING = Recipe((), ())


def recipe(deps: Deps, provision: Provision, drivers: Iterable[str]) -> Recipe:
    """How hosts of these `drivers` are configured. Raises InvalidInput when a playbook is no longer there."""
    if Order.of(provision.template):
        return _of_folder(deps, provision)
    if not any(_has_ssh(deps, name) for name in drivers):
        return NOTHING
    return _of_names(deps, playbooks(provision.template), cleanups(provision.template))


def cleanup(deps: Deps, provision: Provision, drivers: Iterable[str]) -> Recipe:
    """What a removal needs: it must not depend on the other playbooks."""
    if Order.of(provision.template):
        return _of_folder(deps, provision)
    if not any(_has_ssh(deps, name) for name in drivers):
        return NOTHING
    return _of_names(deps, (), cleanups(provision.template))


def check(deps: Deps, spec: ProvisionSpec) -> None:
    """Refuse what could not be configured once it is made. Hosts without SSH have nothing to configure,
    unless a driver folder makes them, whose playbook knows how they are reached."""
    drivers = {host.driver for host in spec.hosts}
    if any(is_oneform(name) for name in drivers):
        ansible.find(deps.settings.base_environment.get("PATH", ""))
    elif (spec.playbooks or spec.cleanup) and any(_has_ssh(deps, name) for name in drivers):
        _of_names(deps, spec.playbooks, spec.cleanup)
        ansible.find(deps.settings.base_environment.get("PATH", ""))


def _has_ssh(deps: Deps, driver: str) -> bool:
    return deps.catalog.get(driver).manifest.ssh


def _of_folder(deps: Deps, provision: Provision) -> Recipe:
    from oneprovision.folder_recipe import folder_recipe  # lazy: pm provisions need nothing of it

    return folder_recipe(deps, provision)


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
