"""The clock, and how times are written."""

import time

import pytest

from onecore.clock import Clock, SystemClock, iso


@pytest.mark.parametrize(
    ("timestamp", "text"),
    [
        (0.0, "1970-01-01 00:00:00"),
        (1795253400.999, "2026-11-21 09:30:00"),
        (951782400, "2000-02-29 00:00:00"),
    ],
)
def test_a_time_is_written_in_utc_whatever_the_zone(timestamp, text, monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert iso(timestamp) == text
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_system_clock_is_a_clock_that_goes_forward():
    clock: Clock = SystemClock()
    before, started = clock.now(), clock.monotonic()
    clock.sleep(0.01)
    assert clock.monotonic() >= started + 0.01
    assert abs(clock.now() - time.time()) < 5
    assert clock.now() >= before
