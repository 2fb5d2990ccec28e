"""Which machines a deployment may use, and how they are logged in to: pure."""

import ipaddress
import re
from dataclasses import dataclass

from onecore.drivers.kit import Call, Failed

_HOST_NAME = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?)*\.?"
)
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}")


@dataclass(frozen=True)
class Place:
    """Where a machine answers on SSH."""

    address: str
    port: int


@dataclass(frozen=True)
class Request:
    """The machines that may be used, in the order in which they are tried."""

    places: tuple[Place, ...]
    user: str
    private_key: str
    mac: str
    wake_address: str


def parsed(call: Call) -> Request:
    """Raises Failed when no machine is named, or one cannot be."""
    port = call.connection.get("REMOTE_PORT") or "22"
    one = call.asked("address") or call.asked("ip")
    words = [one] if one else call.list("addresses")
    if not words:
        raise Failed("no machine is named: give `address`, or `addresses` to choose from")
    mac = call.asked("mac")
    if mac and not _MAC.fullmatch(mac):
        raise Failed(f"mac: '{mac[:80]}' is not like 52:54:00:12:34:56")
    if mac and not one:
        raise Failed("mac: which of the `addresses` has it? give `address` and `mac` together")
    wake_address = call.asked("wake_address", "255.255.255.255")
    wake_place(wake_address)
    return Request(
        places=tuple(_place(word, port) for word in words),
        user=call.connection.get("REMOTE_USER") or "root",
        private_key=call.connection.get("PRIVATE_KEY") or "~/.ssh/id_rsa",
        mac=mac,
        wake_address=wake_address,
    )


def wake_place(word: str) -> Place:
    """Where a magic packet is sent to: to the discard port, unless another one is named."""
    return _place(word, "9")


def _place(word: str, port: str) -> Place:
    """An address or a name, perhaps with a port: `192.0.2.1`, `web.example:2222`, `[2001:db8::1]:2222`."""
    address, own = word, ""
    if bracketed := re.fullmatch(r"\[(.+)\](?::([0-9]+))?", word):
        address, own = bracketed.group(1), bracketed.group(2) or ""
    elif word.count(":") == 1:
        address, _, own = word.partition(":")
    if not _is_address(address):
        raise Failed(f"'{word[:80]}' is neither an address nor the name of a host")
    number = own or port
    if not re.fullmatch("[0-9]{1,5}", number) or not 0 < int(number) < 65536:
        raise Failed(f"'{word[:80]}': '{number[:10]}' is not a port")
    return Place(address, int(number))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return bool(_HOST_NAME.fullmatch(text)) and len(text) <= 253
    return True
