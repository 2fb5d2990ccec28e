"""Expressions that OneFlow's own server takes otherwise (reference: its grammar)."""

from collections.abc import Iterator, Mapping

from onecore.errors import InvalidInput
from oneflow.elasticity.expression import differs_from_legacy


def taken_otherwise(roles: object) -> Iterator[str]:
    """A sentence for each policy of these roles (bodies of them) whose expression means something else here.
    What cannot be read at all is not ours to tell."""
    for role in roles if isinstance(roles, list) else ():
        policies = role.get("elasticity_policies")
        for policy in policies if isinstance(policies, list) else ():
            if not isinstance(policy, Mapping):
                continue
            text = str(policy.get("expression") or "")
            if text and _differs(text):
                of = f"role {role.get('name')}: '{text}'"
                yield f"{of} means something else here: say with ( ) what is meant"


def _differs(text: str) -> bool:
    try:
        return differs_from_legacy(text)
    except InvalidInput:
        return False
