"""The inventory of a rendered template in Ansible's own form, and which of its hosts stand for ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from onecore.errors import InvalidInput
from oneprovision.model.shapes import mapping_at, text_of


@dataclass(frozen=True)
class Node:
    """A host of ours and where it is."""

    host_id: int
    address: str


@dataclass(frozen=True)
class Described:
    """`names`: what the inventory calls our hosts, by host id."""

    inventory: Mapping[str, object] = field(repr=False)
    names: Mapping[int, str]


def described(rendered: Mapping[str, object], nodes: Sequence[Node]) -> Described:
    """Raises InvalidInput when a host of ours is not in the inventory: nothing would configure it."""
    names: dict[str, str] = {}
    for group in rendered:
        members = mapping_at(mapping_at(rendered[group], (group,)).get("hosts"), (group, "hosts"))
        for name, variables in members.items():
            address = text_of(mapping_at(variables, (group, "hosts", name)).get("ansible_host")) or name
            names.setdefault(address, name)
    missing = [node.address for node in nodes if node.address not in names]
    if missing:
        raise InvalidInput(
            f"the inventory template names no host at {', '.join(missing[:5])}",
            hint="it has to list every address of one.nodes, as a host's name or its ansible_host",
        )
    inventory = {group: _group(mapping_at(content, (group,))) for group, content in rendered.items()}
    return Described(inventory, {node.host_id: names[node.address] for node in nodes})


def _group(content: Mapping[str, object]) -> dict[str, object]:
    """OneForm also takes the children of a group as a list of their names."""
    children = content.get("children")
    return {**content, **({"children": dict.fromkeys(children)} if isinstance(children, list) else {})}
