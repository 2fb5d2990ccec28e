"""Public addresses of a provider: each is leased once, whatever becomes of the answer."""

import re
from collections.abc import Callable

from onecore.drivers.kit import waiting
from onecore.drivers.kit.fleet import LOST_S
from onecore.drivers.kit.http import Api, Uncertain
from onecore.drivers.kit.program import Call, Failed
from onecore.drivers.kit.values import Json

# Owner tags of ours end like this, whatever stands before it (onecore.ids).
OURS = re.compile(r".+-[0-9a-f]{24,48}")


def region_of(call: Call) -> str:
    """Where the address is to be; raises Failed when nobody says."""
    region = call.asked("region", call.asked("location"))
    if not region:
        raise Failed("an address needs parameter 'region': of the hosts, or of the provider")
    return region


def made_once(client: Api, make: Callable[[], object], look: Callable[[], Json | None], mark: str) -> Json:
    """What `make` answers. If its answer gets lost, what `look` finds since, by its `mark`."""
    try:
        return row(make())
    except Uncertain as exc:
        found = waiting.until(look, client.clock, LOST_S)
        if found is None:
            raise Failed(f"{exc}; no address {mark} has shown up since") from exc
        return found


def row(found: object) -> Json:
    if not isinstance(found, dict):
        raise Failed("the provider answered no address")
    return found
