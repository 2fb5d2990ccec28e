"""From hosts with their machines to one job of ansible-playbook; nothing is run."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from onecore.ansible import HostResult, Job, Target
from onecore.errors import DriverFailed
from oneprovision.model.configuration import Batch, host_key_of
from oneprovision.model.host_variables import configuration_variables, secret_values
from oneprovision.model.inventory import Node
from oneprovision.model.provision import Provision
from oneprovision.model.recipe import Recipe
from oneprovision.playbook_run import Ran
from oneprovision.readiness import Pair, connection_of

GROUPS = ("nodes", "targets")  # the names that the playbooks of the old tool use
_ADDRESS = re.compile(r"[0-9A-Za-z][0-9A-Za-z.:_-]*")


def secrets_of(recipe: Recipe, provision: Provision, pairs: Sequence[Pair]) -> frozenset[str]:
    """What a playbook is given and nobody may see."""
    variables = [configuration_variables(m.deployment) for _, m in pairs]
    given = [*variables, recipe.extra_vars]
    return secret_values(provision.template, provision.inputs, given) | set(recipe.secrets)


def job_of(
    recipe: Recipe, provision: Provision, playbook: Path, batch: Batch, pairs: Sequence[Pair]
) -> tuple[dict[int, str], Job]:
    """The job, and what it calls the hosts that are meant, by id. Raises DriverFailed for a host that nobody
    can log in to."""
    pairs = [(h, m) for h, m in pairs if m.addresses]
    _refuse_without_address(batch, pairs)
    described = None
    if recipe.describe is not None:
        described = recipe.describe([Node(h.id, m.addresses[0]) for h, m in pairs])
    names = {h.id: described.names[h.id] if described else h.name for h, _ in pairs}
    chosen = {i: names[i] for i in batch.host_ids}
    targets = [_target(pair, names, described is None) for pair in pairs]
    return chosen, Job(
        playbook=playbook,
        targets=tuple(targets),
        only=tuple(chosen.values()),
        variables={"provision_id": provision.id, "provision_name": provision.name},
        extra_vars=recipe.extra_vars,
        tags=recipe.tags,
        forks=provision.options.threads,
        timeout_s=provision.options.configure_timeout_s,
        inventory=described.inventory if described else None,
        config=recipe.config,
        learn=any(not host_key_of(h) for h, _ in pairs if h.id in chosen),
    )


def trouble(result: HostResult, ran: Ran, nobody: bool) -> str:
    """Why this host did not come through; empty also where nobody can know, because the run was cut short."""
    if nobody:
        return f"no play of the playbook names a host; the groups are {', '.join(GROUPS)}"
    if result.done:
        return ""
    if result.message:
        return f"task '{result.task}': {result.message}"
    if ran.results.ended:
        return "stopped because other hosts failed"
    return "" if ran.taken_up or ran.stopped else ran.problem


def _refuse_without_address(batch: Batch, pairs: Sequence[Pair]) -> None:
    known = {h.id for h, _ in pairs}
    lost = [str(i) for i in batch.host_ids if i not in known]
    if lost:
        raise DriverFailed(f"host {', '.join(lost)} has no address to log in to", retryable=True)


def _target(pair: Pair, names: Mapping[int, str], whole: bool) -> Target:
    """Not `whole`: another inventory says how it is logged in to."""
    host, machine = pair
    address = machine.addresses[0]
    if not _ADDRESS.fullmatch(address):
        raise DriverFailed(f"{host.name}: '{address}' is not an address that can be logged in to")
    target = Target(
        name=names[host.id],
        address=address,
        host_key=host_key_of(host),
        variables={**configuration_variables(machine.deployment), "one_host_id": host.id},
    )
    if not whole:
        return target
    how = connection_of(host, machine)
    login = {"port": how.remote_port, "user": how.remote_user, "private_key": how.private_key}
    return replace(target, groups=GROUPS, **login)  # type: ignore[arg-type]  # each of its own type
