"""Everything a template is evaluated against that is not in the template."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Object = Mapping[str, object]


@dataclass(frozen=True)
class Context:
    """The provision, the given inputs, the objects that exist already, and what the provider adds.

    The objects of a kind are in the order of the template, each with at least its `id` and `name`.
    `default_parameters` and `default_connection` lie below the template's own defaults.
    """

    name: str
    provision_id: int
    inputs: Mapping[str, object] = field(default_factory=dict)
    clusters: tuple[Object, ...] = ()
    datastores: tuple[Object, ...] = ()
    networks: tuple[Object, ...] = ()
    hosts: tuple[Object, ...] = ()
    default_driver: str | None = None
    default_parameters: Mapping[str, object] = field(default_factory=dict)
    default_connection: Mapping[str, object] = field(default_factory=dict)
