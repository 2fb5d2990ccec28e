"""Service templates: from what a client sent to what is stored, or the reason why not.

Message texts are those that OneFlow's clients know; what OneFlow accepted and then hung on for ever is
refused here: unknown, own and cyclic parents, no roles, an adjustment of 0, a VM template that is not there.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import tzinfo
from typing import Any

from onecore.errors import InvalidInput
from oneflow.elasticity.role import RoleView
from oneflow.model.checked import checked
from oneflow.model.schema import SERVICE
from oneflow.model.vocabulary import unified
from oneflow.strategy import cycle

Body = dict[str, Any]

# `$` would let a line end through, and with it whatever a shell or a log makes of the next line.
ROLE_NAME = re.compile(r"\w+", re.ASCII)
MOST_ROLES = 1000
MOST_MACHINES = 100_000


def validated(data: object, vm_templates: Collection[int] | None, now: float, tz: tzinfo) -> Body:
    """The template as it is stored: spellings unified, numbers as numbers, defaults in, unknown keys kept.

    `vm_templates`: the ids that exist, None where that cannot be asked. Raises InvalidInput.
    """
    body = checked(unified(data), SERVICE)
    _check_name(body["name"])
    roles: list[Body] = body["roles"]
    if not roles:
        raise InvalidInput("a service needs at least one role")
    if len(roles) > MOST_ROLES:
        raise InvalidInput(f"a service has at most {MOST_ROLES} roles, not {len(roles)}")
    seen: set[str] = set()
    for role in roles:
        _check_role(role, seen, vm_templates)
        # Reads every policy, and says what is wrong with it.
        RoleView.parse(role, now, tz)
    _check_parents(roles)
    return body


def merged(template: Mapping[str, Any], changes: object) -> Body:
    """The template with `merge_template` laid over it: mappings deeply, roles by name, anything else
    replaced. A role that the template does not have is added."""
    if not isinstance(changes, Mapping):
        raise InvalidInput("KEY: 'merge_template' must be a Hash")
    respelled: Any = unified(changes)
    return _merged(template, respelled)


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> Body:
    result: Body = dict(old)
    for key, value in new.items():
        before = result.get(key)
        if key == "roles" and isinstance(before, list) and isinstance(value, list):
            result[key] = _merged_roles(before, value)
        elif isinstance(before, Mapping) and isinstance(value, Mapping):
            result[key] = _merged(before, value)
        else:
            result[key] = value
    return result


def _merged_roles(old: list[Any], new: list[Any]) -> list[Any]:
    named = [role for role in new if isinstance(role, Mapping) and isinstance(role.get("name"), str)]
    added = {role["name"]: role for role in named}
    if len(added) != len(new):
        raise InvalidInput("KEY: 'roles' of 'merge_template' must be Hashes with different names")
    roles = [_merged(role, added.pop(role["name"])) if role["name"] in added else role for role in old]
    return roles + list(added.values())


def _check_name(name: str) -> None:
    if not name.strip() or not name.isprintable() or len(name) > 128:
        raise InvalidInput("KEY: 'name' must be 1 to 128 characters that can be printed")


def _check_role(role: Body, seen: set[str], vm_templates: Collection[int] | None) -> None:
    name = role["name"]
    if not ROLE_NAME.fullmatch(name):
        raise InvalidInput(f"KEY: 'name' must match regexp /^\\w+$/; it is {name!r:.80}")
    if name in seen:
        raise InvalidInput(f"Role name '{name}' is repeated")
    seen.add(name)
    if vm_templates is not None and role["vm_template"] not in vm_templates:
        raise InvalidInput(
            f"Role '{name}': there is no VM template {role['vm_template']}",
            hint="see: oneflow vm-template list; in an OpenNebula: onetemplate list",
        )
    for problem in _limit_problems(role):
        raise InvalidInput(f"Role '{name}' {problem}")


def _limit_problems(role: Body) -> Iterator[str]:
    cardinality, least, most = role["cardinality"], role.get("min_vms"), role.get("max_vms")
    if cardinality > MOST_MACHINES:
        yield f"'cardinality' must be lower than or equal to {MOST_MACHINES}"
    if least is not None and most is not None and least > most:
        yield "'min_vms' must be lower than or equal to 'max_vms'"
    if least is not None and cardinality < least:
        yield "'cardinality' must be greater than or equal to 'min_vms'"
    if most is not None and cardinality > most:
        yield "'cardinality' must be lower than or equal to 'max_vms'"
    if (role.get("elasticity_policies") or role.get("scheduled_policies")) and None in (least, most):
        yield "with 'elasticity_policies' or 'scheduled_policies' must define both 'min_vms' and 'max_vms'"


def _check_parents(roles: list[Body]) -> None:
    names = {role["name"] for role in roles}
    for role in roles:
        parents: list[str] = role.get("parents", [])
        for parent in parents:
            if parent == role["name"]:
                raise InvalidInput(f"Role '{role['name']}' is its own parent")
            if parent not in names:
                raise InvalidInput(f"Role '{role['name']}' has the unknown parent '{parent}'")
        if len(set(parents)) != len(parents):
            raise InvalidInput(f"Role '{role['name']}' names a parent twice")
    found = cycle({role["name"]: tuple(role.get("parents", [])) for role in roles})
    if found:
        raise InvalidInput(f"roles wait for each other: {' -> '.join(found)}")
