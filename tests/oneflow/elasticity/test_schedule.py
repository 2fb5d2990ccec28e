import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.errors import InvalidInput
from oneflow.elasticity.schedule import is_relative, parse_recurrence, parse_start_time
from tests.oneflow.elasticity.builders import NOW, at

# fmt: off
NOT_CRON = [
    "", "@reboot", "@often", "* * * *", "* * * * * * *", "60 * * * *",
    "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * * 8", "* * L * *",
    "* * LW * *", "* * 15W * *", "* * * * 5L", "* * * * MON#2", "? * * * *", "*/0 * * * *",
    "5-1 * * * *", "* * * * foo", "* * * mon *", "1, * * * *", "a b c d e", "-1 * * * *",
    "1.5 * * * *", "\u0661 * * * *", "0 0 32 2 *", "0 99 31 2 *",
    "1," * 600 + "1 * * * *",
]
NOT_A_TIME = [
    "", " ", "tomorrow", "2013-02-31", "25:00", "24 dec 2026 10:00 XYZ", "a" * 200, "9" * 50, "9" * 12,
    "1e9", "\u0661\u0662", "1960-01-01", "0001-01-01", -1, 10**12, 10**400, True, None, 1.5, [], {},
]
# fmt: on
MADRID = ZoneInfo("Europe/Madrid")
SATURDAY = at("2026-11-21T09:30:00")


def slots(text, after=SATURDAY, tz=UTC, count=3):
    """The next slots as local texts."""
    recurrence, found = parse_recurrence(text), []
    for _ in range(count):
        after = recurrence.next_after(after, tz)
        found.append(datetime.fromtimestamp(after, tz).strftime("%Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 2 1-10 * *", ["2026-12-01 02:00", "2026-12-02 02:00", "2026-12-03 02:00"]),
        ("*/20 * * * *", ["2026-11-21 09:40", "2026-11-21 10:00", "2026-11-21 10:20"]),
        ("0,30 8-9 * * *", ["2026-11-22 08:00", "2026-11-22 08:30", "2026-11-22 09:00"]),
        ("0 0 * * 0", ["2026-11-22 00:00", "2026-11-29 00:00", "2026-12-06 00:00"]),
        ("0 0 * * 7", ["2026-11-22 00:00", "2026-11-29 00:00", "2026-12-06 00:00"]),
        ("0 0 * * SUN", ["2026-11-22 00:00", "2026-11-29 00:00", "2026-12-06 00:00"]),
        ("0 0 * * sat-sun", ["2026-11-22 00:00", "2026-11-28 00:00", "2026-11-29 00:00"]),
        ("0 0 * * Mon-Wed", ["2026-11-23 00:00", "2026-11-24 00:00", "2026-11-25 00:00"]),
        ("0 0 1 jan,MAR *", ["2027-01-01 00:00", "2027-03-01 00:00", "2028-01-01 00:00"]),
        ("0 0 13 * fri", ["2026-11-27 00:00", "2026-12-04 00:00", "2026-12-11 00:00"]),
        ("0 0 25 * mon", ["2026-11-23 00:00", "2026-11-25 00:00", "2026-11-30 00:00"]),
        ("0 0 29 2 *", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
        ("0 0 31 * *", ["2026-12-31 00:00", "2027-01-31 00:00", "2027-03-31 00:00"]),
        ("0 10 * * * *", ["2026-11-21 10:00", "2026-11-22 10:00", "2026-11-23 10:00"]),
        ("0 10 * * * what-ever", ["2026-11-21 10:00", "2026-11-22 10:00", "2026-11-23 10:00"]),
        ("  0\t10  * * * ", ["2026-11-21 10:00", "2026-11-22 10:00", "2026-11-23 10:00"]),
        ("@yearly", ["2027-01-01 00:00", "2028-01-01 00:00", "2029-01-01 00:00"]),
        ("@annually", ["2027-01-01 00:00", "2028-01-01 00:00", "2029-01-01 00:00"]),
        ("@monthly", ["2026-12-01 00:00", "2027-01-01 00:00", "2027-02-01 00:00"]),
        ("@weekly", ["2026-11-22 00:00", "2026-11-29 00:00", "2026-12-06 00:00"]),
        ("@daily", ["2026-11-22 00:00", "2026-11-23 00:00", "2026-11-24 00:00"]),
        ("@Midnight", ["2026-11-22 00:00", "2026-11-23 00:00", "2026-11-24 00:00"]),
        ("@hourly", ["2026-11-21 10:00", "2026-11-21 11:00", "2026-11-21 12:00"]),
    ],
)
def test_the_slots_of_a_recurrence(text, expected):
    assert slots(text) == expected


@pytest.mark.parametrize("text", ["0 0 31 2 *", "0 0 30 feb *", "0 0 31 4,6,9,11 *"])
def test_a_day_that_no_month_has_never_comes(text):
    assert parse_recurrence(text).next_after(NOW, UTC) is None


@pytest.mark.parametrize(
    "text",
    NOT_CRON,
)
def test_what_is_not_cron_is_refused(text):
    with pytest.raises(InvalidInput) as caught:
        parse_recurrence(text, "Role 'a', scheduled policy #0")
    assert caught.value.message == "Role 'a', scheduled policy #0 'recurrence' is not a valid cron expression"


def test_a_slot_is_on_the_wall_of_the_server():
    assert slots("0 2 * * *", at("2026-07-01T00:30:00"), MADRID, 1) == ["2026-07-02 02:00"]
    assert parse_recurrence("0 2 * * *").next_after(at("2026-06-30T23:30:00"), MADRID) == at(
        "2026-07-01T00:00:00"
    )


def test_an_hour_that_the_clock_leaves_out_is_made_up_for():
    before = at("2026-03-28T12:00:00")
    assert slots("30 2 * * *", before, MADRID, 2) == ["2026-03-29 03:00", "2026-03-30 02:30"]


def test_an_hour_that_the_clock_repeats_counts_once():
    before = at("2026-10-24T12:00:00")
    assert slots("30 2 * * *", before, MADRID, 2) == ["2026-10-25 02:30", "2026-10-26 02:30"]
    second_two_oclock = at("2026-10-25T01:10:00")
    assert slots("30 2 * * *", second_two_oclock, MADRID, 1) == ["2026-10-26 02:30"]


@settings(deadline=None)
@given(
    st.sampled_from(["*/7 * * * *", "0 2 * * *", "30 2 * * *", "0 0 29 2 *", "15 */5 1,15 * mon", "@hourly"]),
    st.floats(0, 4_000_000_000),
    st.sampled_from([UTC, MADRID, ZoneInfo("Australia/Lord_Howe"), timezone(timedelta(hours=5, minutes=45))]),
)
def test_the_next_slot_is_always_later(text, after, tz):
    assert parse_recurrence(text).next_after(after, tz) > after


def test_there_are_no_slots_after_the_last_year():
    assert parse_recurrence("0 0 1 1 *").next_after(253402300799, UTC) is None
    assert parse_recurrence("0 0 1 1 *").next_after(1e300, UTC) is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2013-10-02 15:45:00", "2013-10-02T15:45:00+02:00"),
        ("2013-10-02T15:45:00Z", "2013-10-02T15:45:00+00:00"),
        ("2013-10-02T15:45:00-05:00", "2013-10-02T15:45:00-05:00"),
        ("2013-10-02", "2013-10-02T00:00:00+02:00"),
        (" 2013-12-02 15:45 ", "2013-12-02T15:45:00+01:00"),
        ("2nd oct 2013 15:45", "2013-10-02T15:45:00+02:00"),
        ("Wed, 02 Oct 2013 15:45:00 +0300", "2013-10-02T15:45:00+03:00"),
        ("2 Oct 2013 3pm EST", "2013-10-02T15:00:00-05:00"),
        ("2 Oct 2013 3pm GMT", "2013-10-02T15:00:00+00:00"),
        ("02/10/2013 15:45", "2013-10-02T15:45:00+02:00"),
        ("2013/10/02 3 pm", "2013-10-02T15:00:00+02:00"),
        ("15:45", "2026-11-21T15:45:00+01:00"),
        ("24 dec", "2026-12-24T00:00:00+01:00"),
        ("1380721500", "2013-10-02T13:45:00+00:00"),
        (1380721500, "2013-10-02T13:45:00+00:00"),
        (0, "1970-01-01T00:00:00+00:00"),
    ],
)
def test_a_start_time_in_any_of_the_usual_ways(written, expected):
    assert parse_start_time(written, SATURDAY, MADRID) == datetime.fromisoformat(expected).timestamp()


@pytest.mark.parametrize(
    "written",
    NOT_A_TIME,
)
def test_what_is_not_a_time_is_refused(written):
    with pytest.raises(InvalidInput) as caught:
        parse_start_time(written, NOW, UTC, "Role 'a', scheduled policy #0")
    assert caught.value.message == (
        "Role 'a', scheduled policy #0 'start_time' is not a valid Time. "
        "Try with YYYY-MM-DD hh:mm:ss or YYYY-MM-DDThh:mm:ssZ"
    )


@pytest.mark.parametrize(
    ("written", "relative"),
    [
        ("15:45", True),
        ("3 pm", True),
        ("monday", True),
        ("24 dec", True),
        ("oct 2027", True),
        ("2026-12-24 15:45", False),
        ("2nd oct 2013 15:45", False),
        ("1380721500", False),
        (1380721500, False),
    ],
)
def test_a_time_that_depends_on_the_day_is_known(written, relative):
    assert is_relative(written, SATURDAY, MADRID) is relative


def test_the_29th_of_february_of_no_year_depends_on_the_day():
    assert is_relative("29 feb 15:00", at("2028-02-01T00:00:00"), UTC)


@settings(deadline=None)
@given(
    st.one_of(
        st.text(max_size=40),
        st.text(alphabet="0123456789-:/. TZ+,apmoctjnwedGMUC", max_size=30),
        st.from_regex(r"[0-9]{1,4}[-/.: ][a-z0-9]{1,3}[-/.: ][0-9]{1,12}( [+-][0-9]{1,12})?", fullmatch=True),
    )
)
def test_any_text_is_a_start_time_and_a_recurrence_or_is_refused(text):
    for read in (lambda: parse_start_time(text, NOW, MADRID), lambda: parse_recurrence(text)):
        try:
            read()
        except InvalidInput as exc:
            assert "is not a valid" in exc.message


def test_cron_and_dates_are_loaded_only_when_a_role_needs_them():
    program = (
        "import sys, oneflow.elasticity.decide\n"
        "print([name for name in ('cronsim', 'dateutil', 'jsonschema', 'yaml') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
