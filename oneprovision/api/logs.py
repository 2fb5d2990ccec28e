"""What happened to a provision, and what is being done: pages, a position to poll from, jobs."""

from typing import Final

from onecore.deps import Deps
from onecore.errors import InvalidInput
from onecore.history import Event
from onecore.http.operation import Call, Operation, Work
from oneprovision.api import schemas
from oneprovision.api.reading import flag
from oneprovision.usecases import reading

PER_PAGE = 100


def pages(call: Call[Deps]) -> object:
    """Page 1 is the newest; within a page the oldest line is first (reference 2)."""
    lines = reading.log(call.context, call.number())
    if flag(call, "all"):
        return {"meta": {"mode": "all", "total_lines": len(lines)}, "lines": _shown(lines)}
    page, per_page = call.whole("page", 1) or 0, call.whole("per_page", PER_PAGE) or 0
    if not page or not per_page:
        raise InvalidInput("'page' and 'per_page' count from 1")
    end = max(0, len(lines) - (page - 1) * per_page)
    total_pages = -(-len(lines) // per_page)
    meta = {"page": page, "per_page": per_page, "total_pages": total_pages, "total_lines": len(lines)}
    return {"meta": meta, "lines": _shown(lines[max(0, end - per_page) : end])}


def poll(call: Call[Deps]) -> object:
    """The lines after `pos`, and where to go on; without it only where to go on."""
    pos = call.whole("pos")
    lines = reading.log(call.context, call.number(), pos or 0)
    last = lines[-1].id if lines else pos or 0
    return {"pos": last, "lines": [] if pos is None else _shown(lines)}


def jobs(call: Call[Deps]) -> object:
    """What is being done with it: nothing, or one job."""
    return reading.jobs(call.context, call.number())


def unmanaged(call: Call[Deps]) -> object:
    """What runs on its hosts and is not ours, as last seen (reference 2)."""
    return {"hosts": reading.foreign_work(call.context, call.number()), "networks": {}, "datastores": {}}


def _shown(lines: list[Event]) -> list[dict[str, object]]:
    return [
        {
            "level": line.level,
            "text": f"{line.action}: {line.text}",
            "time": int(line.at),
            "action": line.action,
        }
        for line in lines
    ]


_ONE = "/provisions/{id}"

OPERATIONS: Final[tuple[Operation[Deps], ...]] = (
    Operation(
        "GET",
        f"{_ONE}/logs",
        pages,
        "What happened, and why; page 1 is the newest",
        Work.ASK,
        answer=schemas.LOGS,
        query=("page", "per_page", "all"),
    ),
    Operation(
        "GET",
        f"{_ONE}/logs/poll",
        poll,
        "What happened after a position",
        Work.ASK,
        answer=schemas.POLLED,
        query=("pos",),
    ),
    Operation("GET", f"{_ONE}/jobs", jobs, "What is being done with it", Work.ASK, answer=schemas.OBJECTS),
    Operation(
        "GET",
        f"{_ONE}/unmanaged",
        unmanaged,
        "Virtual machines of others on its hosts, as last seen",
        Work.ASK,
        answer=schemas.OBJECT,
    ),
)
