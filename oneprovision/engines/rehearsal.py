"""What OpenTofu would do for an order: planned in a directory of its own, which is gone afterwards."""

import shutil

from onecore import tofu
from onecore.deps import Deps
from onecore.drivers.secrecy import masked_text
from onecore.errors import DriverFailed, Interrupted
from onecore.tofu_output import Plan, parse_plan
from oneprovision.engines.place import private
from oneprovision.engines.program import alone, initialise, workspace
from oneprovision.model.folder import Folder

WHERE, LOCK = "rehearsal", "rehearsal.lock"


def planned(deps: Deps, folder: Folder, variables: dict[str, object], secrets: tuple[str, ...]) -> Plan:
    """Nothing is applied and nothing recorded. Raises DriverFailed with what the program said."""
    home = deps.settings.home / "oneform"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    # One at a time, so that whoever comes next takes away what a killed one left.
    with alone(home / LOCK):
        root = home / WHERE
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(mode=0o700)
        try:
            return _planned(deps, folder, variables, secrets)
        finally:
            shutil.rmtree(root, ignore_errors=True)


def _planned(deps: Deps, folder: Folder, variables: dict[str, object], secrets: tuple[str, ...]) -> Plan:
    path = deps.settings.home / "oneform" / WHERE / "terraform"
    shutil.copytree(folder.terraform, path)
    path.chmod(0o700)
    private(path / tofu.VARIABLES, tofu.variables_text(variables))
    work = workspace(deps.settings, folder, path)
    initialise(deps.settings, work)
    command = work.plan(path.parent / "plan.jsonl")
    outcome = tofu.follow(command, lambda heard: None, lambda: not deps.interrupted())
    if deps.interrupted():
        raise Interrupted(deps.interrupted())
    if not outcome.ok:
        raise DriverFailed(masked_text(tofu.failure(outcome, "plan").message, secrets), retryable=True)
    return parse_plan(tofu.carry_out(work.show_plan(), "show").stdout)
