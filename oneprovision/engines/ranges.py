"""Leased public addresses as ranges of a network in an OpenNebula: each of one address, found again by its
mark. What bears none of their marks is left alone."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from onecore.errors import DriverFailed, NotFound
from onecore.machines.model import SETTLED, Resource, Wanted
from onecore.opennebula.text import rendered
from oneprovision.engines import ipam
from oneprovision.engines.registrar import LATE_S, Registrar, Unsettled, number_of, require_settled
from oneprovision.model.folder import is_oneform
from oneprovision.model.provision import StoredObject

if TYPE_CHECKING:
    from lxml.etree import _Element

MARK: Final = "ONEFORM_MARK"
# With IPAM_MAD the server itself would lease and release the address.
_NOT_TOLD: Final = frozenset({"IPAM_MAD", "TYPE", "SIZE", "AR_ID"})

ASKED: Final = "ranges_asked_at"
"""Where the body of a network keeps since when a range is asked for whose number is not known."""


def matched(
    registrar: Registrar,
    network: StoredObject,
    leased: Sequence[Resource],
    now: float,
    asking: Callable[[], None],
) -> list[str]:
    """Have those of the addresses there that are leased and wanted, and no other of them; returns what was
    done. `asking` is called before a range is asked for. May be asked for twice. Raises Refused where a range
    that has to go is in use, Unsettled while one that was asked for may still come."""
    number = number_of(network)
    there = None if number is None else _network(registrar, network, number)
    if number is None or there is None:
        return []
    by_mark = {each.findtext(MARK, ""): each for each in there.findall("AR_POOL/AR")}
    asked: Any = network.body.get(ASKED)
    ours = [address for address in leased if not ipam.is_inherited(address)]
    are_known = all(_mark(registrar, address) in by_mark for address in ours)
    if asked is not None and not are_known and now < asked + LATE_S:
        raise Unsettled(f"network {number} of OpenNebula: an address range may still be added")
    done = [_removed(registrar, number, each) for each in _given_back(there, leased)]
    for address in ours:
        mark, wanted = _mark(registrar, address), _wanted(network, address)
        known = by_mark.get(mark)
        if known is not None and _address(known) != _ip(wanted):
            require_settled(network.kind, there)
            done.append(_removed(registrar, number, known))
            known = None
        if known is None and wanted:
            require_settled(network.kind, there)
            asking()
            registrar.client.call("vn.add_ar", number, rendered({"AR": {**wanted, MARK: mark}}))
            done.append(f"address range {_ip(wanted)} added to network {number}")
    return done


def leases(registrar: Registrar, network: int) -> dict[int, dict[str, str]]:
    """The attributes of the ranges of a network that OpenNebula had leased, by their numbers."""
    there = registrar.client.document("vn.info", network).findall("AR_POOL/AR[IPAM_MAD]")
    return {
        int(each.findtext("AR_ID", "")): {
            str(child.tag): child.text or "" for child in each if not len(child)
        }
        for each in there
    }


def _given_back(there: "_Element", leased: Sequence[Resource]) -> "list[_Element]":
    """The ranges of those that are not wanted and that OpenNebula had leased: it gives them back."""
    unwanted = [a for a in leased if ipam.is_inherited(a) and a.wanted is Wanted.ABSENT]
    known = [ipam.attributes(address.deploy_id) for address in unwanted]
    named = {(each["AR_ID"], each["IP"]) for each in known}
    every = there.findall("AR_POOL/AR[IPAM_MAD]")
    return [each for each in every if (each.findtext("AR_ID"), each.findtext("IP")) in named]


def _network(registrar: Registrar, network: StoredObject, number: int) -> "_Element | None":
    """None where it is gone, and its ranges with it."""
    registrar.require_here(network)
    try:
        there = registrar.client.document("vn.info", number)
    except NotFound:
        return None
    if not registrar.is_ours(network, there):
        raise DriverFailed(f"network {number} of OpenNebula is no longer marked as ours: its ranges stay")
    return there


def _wanted(network: StoredObject, address: Resource) -> dict[str, object]:
    """The range that it is to be; empty where it is to be none."""
    if address.wanted is not Wanted.PRESENT or address.state not in SETTLED or not address.addresses:
        return {}
    said: Any = network.body.get("leased_ar") or {}
    told: dict[str, object] = {str(key).upper(): value for key, value in said.items()}
    if is_oneform(address.driver):
        given = ipam.attributes(address.deploy_id)
        told |= {key: value for key, value in given.items() if key not in _NOT_TOLD}
    ip = str(told.pop("IP", address.addresses[0]))
    if ":" in ip:
        return {**told, "TYPE": "IP6_STATIC", "IP6": ip, "PREFIX_LENGTH": "128", "SIZE": "1"}
    return {**told, "TYPE": "IP4", "IP": ip, "SIZE": "1"}


def _ip(wanted: Mapping[str, object]) -> str:
    return str(wanted.get("IP") or wanted.get("IP6", ""))


def _address(known: "_Element") -> str:
    return str(known.findtext("IP") or known.findtext("IP6", ""))


def _removed(registrar: Registrar, number: int, known: "_Element") -> str:
    with suppress(NotFound):
        registrar.client.call("vn.rm_ar", number, int(known.findtext("AR_ID", "")))
    return f"address range {_address(known)} removed from network {number}"


def _mark(registrar: Registrar, address: Resource) -> str:
    text = f"opennebula address {address.name}"
    return hmac.digest(registrar.key, text.encode(), "sha256").hex()[:32]
