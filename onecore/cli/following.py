"""`logs`: what happened to something, and why; once, or until nothing happens any more."""

import json
from collections.abc import Callable, Iterable
from enum import Enum

from onecore.cli.output import OutputFormat, emit, write
from onecore.cli.text import printable
from onecore.clock import SystemClock, iso
from onecore.history import Event

_LOOK_S = 0.3


class Work(Enum):
    """How it is with what is followed."""

    GOES_ON = "something is still being done"
    IS_OVER = "nothing happens any more"
    IS_GONE = "it does not exist any more, nor does its log"


def print_log(
    read: Callable[[int], Iterable[Event]], work: Callable[[], Work], follow: bool, fmt: OutputFormat
) -> None:
    """`read` gives the lines after one of that id. With `follow`, JSON and YAML are a document a line."""
    if not follow and fmt is not OutputFormat.TEXT:
        emit({"lines": [_line(event) for event in read(0)]}, fmt)
        return
    after = 0
    while True:
        # Asked before the lines are read, so that none written in between is missed.
        now = work()
        if now is Work.IS_GONE and follow and after:
            return
        for event in read(after):
            after = event.id
            write(_followed(event, fmt))
        if not follow or now is not Work.GOES_ON:
            return
        SystemClock().sleep(_LOOK_S)


def _line(event: Event) -> dict[str, object]:
    return {"time": event.at, "level": event.level, "action": event.action, "text": event.text}


def _followed(event: Event, fmt: OutputFormat) -> str:
    if fmt is OutputFormat.TEXT:
        said = f"{event.action}: {event.text}" if event.text else event.action
        return f"{iso(int(event.at))} [{event.level}] {printable(said)}\n"
    # YAML reads JSON too, one document after `---`.
    separator = "--- " if fmt is OutputFormat.YAML else ""
    return f"{separator}{json.dumps(_line(event))}\n"
