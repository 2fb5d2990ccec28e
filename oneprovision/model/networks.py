"""From the networks[] of a template to networks, and which of their addresses are leased."""

from collections.abc import Mapping

from oneprovision.model.refusal import Path, refusal
from oneprovision.model.shapes import count_at, mappings_at, text_of
from oneprovision.model.spec import NetworkSpec

MAX_ADDRESSES = 10_000

_OWN = ("name", "ar")
# What a leased address, its lease and its size decide.
_OF_THE_LEASE = frozenset({"ipam_mad", "size", "type", "ip", "ip6", "mac", "ar_id"})


def network(entry: Mapping[str, object], path: Path) -> NetworkSpec:
    """The network of an evaluated entry; a range with an `ipam_mad` is leased from the provider."""
    ranges = mappings_at(entry.get("ar"), (*path, "ar"))
    leased = [(at, each) for at, each in enumerate(ranges) if each.get("ipam_mad")]
    return NetworkSpec(
        name=text_of(entry.get("name")),
        public=bool(leased) or _says_public(entry),
        addresses=_addresses(leased, path),
        ipam_mad=_ipam_mad(leased, path),
        ranges=tuple(each for each in ranges if not each.get("ipam_mad")),
        attributes={key: value for key, value in entry.items() if key not in _OWN},
        leased=tuple(each for _, each in leased),
    )


def leased_attributes(network: NetworkSpec) -> dict[str, object]:
    """What the `ar` entries with an `ipam_mad` say besides, such as `gateway`: it holds for every address
    that is leased for the network; where two entries differ the later one counts."""
    said = [(key, value) for each in network.leased for key, value in each.items()]
    return {key: value for key, value in said if key.lower() not in _OF_THE_LEASE}


def _says_public(entry: Mapping[str, object]) -> bool:
    lowered = {key.lower(): text_of(value).lower() for key, value in entry.items()}
    return lowered.get("netrole") == "public" or lowered.get("vn_mad") == "elastic"


def _addresses(leased: list[tuple[int, Mapping[str, object]]], path: Path) -> int:
    total = sum(
        count_at(each.get("size", 1), (*path, "ar", at, "size"), MAX_ADDRESSES) for at, each in leased
    )
    if total > MAX_ADDRESSES:
        raise refusal((*path, "ar"), f"{total} public addresses are more than {MAX_ADDRESSES}")
    return total


def _ipam_mad(leased: list[tuple[int, Mapping[str, object]]], path: Path) -> str:
    first = ""
    for at, each in leased:
        name = text_of(each["ipam_mad"])
        if first and name != first:
            place = (*path, "ar", at, "ipam_mad")
            raise refusal(
                place, f"{name!r} and {first!r} in one network", "use one network for each ipam_mad"
            )
        first = name
    return first
