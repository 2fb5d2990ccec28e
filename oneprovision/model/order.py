"""What a provision of a driver folder was ordered with: the section `oneform` of its template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from oneprovision.model.folder import HOSTS, ONPREM_HOSTS
from oneprovision.model.shapes import mapping_at, text_of

SECTION = "oneform"


@dataclass(frozen=True)
class Order:
    """What was ordered. `checksum` names the copy of the folder that made it; `owner` is unique to the
    provision, and among the tags of everything it makes; empty where the provision was taken over, whose tags
    stay as they are; `sealed` holds the values that are secrets."""

    driver: str
    deployment: str
    checksum: str
    owner: str
    version: str = ""
    onedeploy_tags: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    sealed: str = field(default="", repr=False)
    secret: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        return {**self.__dict__, "values": dict(self.values), "secret": list(self.secret)}

    @classmethod
    def of(cls, template: Mapping[str, object]) -> Self | None:
        """The order in a provision's template; None for a provision of pm drivers."""
        section = template.get(SECTION)
        if not isinstance(section, Mapping):
            return None
        fields = {key: text_of(section.get(key)) for key in cls.__dataclass_fields__ if key not in _TYPED}
        secret = section.get("secret")
        return cls(
            **fields,
            values=mapping_at(section.get("values"), (SECTION, "values")),
            secret=tuple(map(text_of, secret)) if isinstance(secret, list) else (),
        )


_TYPED = ("values", "secret")


def answers(order: Order, amount: int, ips: Sequence[str]) -> dict[str, object]:
    """`user_inputs_values` as they are now: hosts come and go after a provision was ordered."""
    values = dict(order.values) | dict.fromkeys(order.secret, "__redacted__")
    if ONPREM_HOSTS in values:
        values[ONPREM_HOSTS] = list(ips)
    elif HOSTS in values:
        values[HOSTS] = amount
    return values


def of_address(ip: str) -> dict[str, str]:
    """The parameters of a host that is known by its address."""
    return {"hostname": ip.replace(":", "-"), "ip": ip}
