"""OneForm drivers: which there are, and whether they may be used (reference 2)."""

from typing import Final

from onecore.deps import Deps
from onecore.http.operation import Call, Operation, Work
from oneprovision.api import schemas
from oneprovision.api.reading import flag
from oneprovision.usecases import folder_drivers


def index(call: Call[Deps]) -> object:
    return folder_drivers.pool(folder_drivers.every(call.context, flag(call, "enabled")))


def show(call: Call[Deps]) -> object:
    return folder_drivers.document(folder_drivers.one(call.context, call.path["name"]))


def sync(call: Call[Deps]) -> object:
    return folder_drivers.summary(folder_drivers.sync(call.context))


def enable(call: Call[Deps]) -> None:
    folder_drivers.enable(call.context, call.path["name"])


def disable(call: Call[Deps]) -> None:
    folder_drivers.disable(call.context, call.path["name"])


_ALL, _ONE = "/drivers", "/drivers/{name}"

OPERATIONS: Final[tuple[Operation[Deps], ...]] = (
    Operation(
        "GET", _ALL, index, "List the OneForm drivers", Work.ASK, answer=schemas.OBJECTS, query=("enabled",)
    ),
    Operation("POST", f"{_ALL}/sync", sync, "Look at every driver", Work.SLOW, answer=schemas.SYNCED),
    Operation("GET", _ONE, show, "Show a OneForm driver", Work.ASK, answer=schemas.OBJECT),
    Operation("POST", f"{_ONE}/enable", enable, "Let provisions be made with it", Work.SLOW),
    Operation("POST", f"{_ONE}/disable", disable, "Let nothing new be made with it", Work.SLOW),
)
