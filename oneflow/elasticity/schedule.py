"""When a scheduled policy is due: cron recurrences and start times, in the time zone that is handed in."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from onecore.errors import InvalidInput

_ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_WORD = r"(?:\d{1,2}|[A-Z]{3})"
_TERM = rf"(?:\*|{_WORD}(?:-{_WORD})?)(?:/\d{{1,2}})?"
# Numbers and names only: no L, W, # or ?.
_FIELD = re.compile(rf"{_TERM}(?:,{_TERM})*", re.ASCII)
_MAX_CRON = 1000

_MAX_TIME = 100
_MAX_EPOCH = 253_402_300_799  # the last second of the year 9999
_DIGITS = re.compile(r"[0-9]{1,12}")
_DAY_FIRST = re.compile(r"\s*\d{1,2}[-/.]\d{1,2}[-/.]\d", re.ASCII)
# The zone names that mean one thing wherever mail is read; any other is refused rather than guessed.
_ZONE_HOURS = {"UTC": 0, "GMT": 0, "UT": 0, "Z": 0}
_ZONE_HOURS |= {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}

_CRON_HINT = "minute hour day month weekday, such as '0 2 1-10 * *', or @daily"


@dataclass(frozen=True)
class Recurrence:
    """A cron expression as five checked fields; `never`: no calendar has such a day."""

    fields: str
    never: bool = False

    def next_after(self, after: float, tz: tzinfo) -> float | None:
        """The first slot later than `after`, in seconds since the epoch; None if there is none."""
        if self.never:
            return None
        from cronsim import CronSim  # lazy: only roles with a recurrence need it

        try:
            for slot in CronSim(self.fields, datetime.fromtimestamp(after, tz)):
                # In the hour that a clock repeats, the next slot on the wall may be one that has been.
                if slot.timestamp() > after:
                    return slot.timestamp()
        except (OverflowError, ValueError):  # past the last year that there is
            return None
        return None


def parse_recurrence(text: str, where: str = "scheduled policy") -> Recurrence:
    """Five cron fields or an alias; a sixth field is tolerated and means nothing."""
    recurrence = _recurrence(text)
    if recurrence is None:
        raise InvalidInput(f"{where} 'recurrence' is not a valid cron expression", hint=_CRON_HINT)
    return recurrence


def parse_start_time(value: object, now: float, tz: tzinfo, where: str = "scheduled policy") -> int:
    """Seconds since the epoch: an integer or all digits as they are, else ISO 8601, else whatever reads as a
    date or a time; what it does not say is taken from `now` in `tz`."""
    epoch = _epoch(value)
    if epoch is None and isinstance(value, str) and value.isascii() and len(value) <= _MAX_TIME:
        epoch = _written_time(value, now, tz)
    if epoch is None or not 0 <= epoch <= _MAX_EPOCH:
        raise InvalidInput(
            f"{where} 'start_time' is not a valid Time. Try with YYYY-MM-DD hh:mm:ss or YYYY-MM-DDThh:mm:ssZ"
        )
    return epoch


def is_relative(value: object, now: float, tz: tzinfo) -> bool:
    """Whether a valid start time means something else on another day, as `15:45` and `monday` do."""
    # Ten years and some weeks apart, the two days differ in year, month, day and weekday.
    other = now + timedelta(days=3694).total_seconds()
    try:
        return parse_start_time(value, now, tz) != parse_start_time(value, other, tz)
    except InvalidInput:  # 29 February, in a year that has none
        return True


def local_text(epoch: float, tz: tzinfo) -> str:
    """A moment for people: `2026-11-21 09:30:00`."""
    return datetime.fromtimestamp(epoch, tz).strftime("%Y-%m-%d %H:%M:%S")


@lru_cache(maxsize=512)
def _recurrence(text: str) -> Recurrence | None:
    fields = _fields(text)
    if fields is None:
        return None
    if _is_cron(fields):
        return Recurrence(" ".join(fields))
    # cronsim refuses days such as 31 February, which are no mistake of form: they just never come.
    minute, hour, day, month, weekday = fields
    if _is_cron([minute, hour, day, "*", weekday]) and _is_cron([minute, hour, "1", month, weekday]):
        return Recurrence(" ".join(fields), never=True)
    return None


def _fields(text: str) -> list[str] | None:
    if len(text) > _MAX_CRON or not text.isascii():
        return None
    fields = _ALIASES.get(text.strip().lower(), text).upper().split()
    if len(fields) not in (5, 6) or not all(_FIELD.fullmatch(field) for field in fields[:5]):
        return None
    # Sunday ends a week as 7 and begins it as 0.
    return [*fields[:4], re.sub(r"-SUN\b", "-7", fields[4])]


def _is_cron(fields: list[str]) -> bool:
    from cronsim import CronSim, CronSimError  # lazy: only roles with a recurrence need it

    try:
        CronSim(" ".join(fields), datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError:
        return False
    return True


def _epoch(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    digits = (
        isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(_MAX_EPOCH))
    )
    return int(str(value)) if digits else None


def _written_time(text: str, now: float, tz: tzinfo) -> int | None:
    try:
        moment = _iso(text) or _loose(text, datetime.fromtimestamp(now, tz))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=tz)
        return int(moment.timestamp())
    except (ValueError, OverflowError):
        return None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def _loose(text: str, today: datetime) -> datetime:
    from dateutil import parser  # lazy: ISO is the usual way to write it

    default = today.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return parser.parse(text, default=default, dayfirst=bool(_DAY_FIRST.match(text)), tzinfos=_zone)


def _zone(name: str | None, offset: int | None) -> tzinfo | None:
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    if name is None:
        return None
    if name not in _ZONE_HOURS:
        raise ValueError(name)
    return timezone(timedelta(hours=_ZONE_HOURS[name]))
