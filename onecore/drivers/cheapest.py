"""The cheapest machine that a driver offers, for who wants any machine and not a certain one."""

import re
from collections.abc import Callable, Mapping, Sequence

from onecore.drivers.roles import OFFERS, Inputs, spellings, unanswered

Offer = Mapping[str, object]

# Smaller machines exist that no usual system starts on, or that have no IPv4 address.
LEAST_MEMORY_MB = 1024
_SYSTEMS = (re.compile(r"(?i)debian\D{0,8}(\d+)"), re.compile(r"(?i)ubuntu\D{0,8}(\d+)"))


def cheapest(
    inputs: Inputs, given: Mapping[str, str], offers: Callable[[str], Sequence[Offer]]
) -> dict[str, str]:
    """Parameters for every role that `given` leaves open, from what `offers` answers to an extension.

    A role of which nothing is on offer stays open.
    """
    open_roles = unanswered(inputs, given)
    said = {role: _said(spellings(inputs, role), given) for role in OFFERS}
    rows = {role: offers(OFFERS[role]) for role in open_roles}
    if "plan" in rows and (plan := _plan(rows["plan"], said["location"])):
        said["plan"] = str(plan["id"])
        places = plan.get("locations")
    else:
        places = None
    if "location" in rows:
        said["location"] = _location(rows["location"], places if isinstance(places, list) else None)
    if "image" in rows:
        said["image"] = _image(rows["image"])
    return {spellings(inputs, role)[0]: said[role] for role in open_roles if said[role]}


def _said(names: Sequence[str], given: Mapping[str, str]) -> str:
    return next((given[name] for name in names if given.get(name)), "")


def _plan(rows: Sequence[Offer], location: str) -> Offer | None:
    """The cheapest that is for sale (in the location, if one is given); what costs nothing is not for all."""
    for_sale = [row for row in rows if row.get("available") is not False and row.get("price_per_hour") != 0]
    there = [row for row in for_sale if _is_in(row.get("locations"), location)]
    usual = [row for row in there if _number(row, "memory_mb") >= LEAST_MEMORY_MB and _is_x86(row)]
    return min(usual or there, key=_cost, default=None)


def _is_in(locations: object, wanted: str) -> bool:
    if not isinstance(locations, list):  # where nothing is told, a plan is everywhere
        return True
    return wanted in locations if wanted else bool(locations)


def _is_x86(row: Offer) -> bool:
    architectures = row.get("architectures")
    return not isinstance(architectures, list) or "x86_64" in architectures


def _cost(row: Offer) -> tuple[float, float, float, str]:
    price = _number(row, "price_per_hour", float("inf"))
    return price, _number(row, "memory_mb"), _number(row, "cpu"), str(row["id"])


def _location(rows: Sequence[Offer], places: list[object] | None) -> str:
    fits = (row for row in rows if row.get("available") is not False and (not places or row["id"] in places))
    return next((str(row["id"]) for row in fits), "")


def _image(rows: Sequence[Offer]) -> str:
    """The newest Debian, else the newest Ubuntu, else the first."""
    current = [row for row in rows if row.get("deprecated") is not True and _is_usual(row.get("arch"))]
    for system in _SYSTEMS:
        found = [(int(match[1]), str(row["id"])) for row in current if (match := system.search(_names(row)))]
        if found:
            newest = max(version for version, _ in found)
            return next(image for version, image in found if version == newest)
    return next((str(row["id"]) for row in current), "")


def _is_usual(arch: object) -> bool:
    return arch in (None, "", "x64", "x86_64", "amd64")


def _names(row: Offer) -> str:
    return f"{row['name']} {row['id']}"


def _number(row: Offer, key: str, otherwise: float = 0.0) -> float:
    value = row.get(key)
    return float(value) if isinstance(value, int | float) else otherwise
