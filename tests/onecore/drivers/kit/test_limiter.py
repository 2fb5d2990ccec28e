"""Limits hold for all processes together, and outlive none of them."""

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from onecore.clock import SystemClock
from onecore.drivers.kit.limiter import Limiter, Limits, Pace, reserve
from tests.onecore.drivers.kit.turning_clock import TurningClock

ONE_CALL = """
import sys, time
from pathlib import Path
from onecore.clock import SystemClock
from onecore.drivers.kit.limiter import Limiter, Limits, Pace
limiter = Limiter(Path(sys.argv[1]), Limits(int(sys.argv[2]), {"": Pace(2, 0.8)}), SystemClock())
for _ in range(2):
    with limiter.call():
        print(time.monotonic(), flush=True)
"""


def starts(pace: Pace, calls: int, now: float = 0.0) -> list[float]:
    busy, found = 0.0, []
    for _ in range(calls):
        start, busy = reserve(busy, pace, now)
        found.append(round(start, 6))
    return found


def test_a_burst_is_allowed_and_the_rest_are_spread():
    assert starts(Pace(10, 30), 13) == [0.0] * 10 + [3.0, 6.0, 9.0]


@pytest.mark.parametrize("pace", [Pace(1, 0.5), Pace(10, 30), Pace(250, 60)])
def test_after_the_first_burst_no_window_holds_more_than_the_pace_allows(pace: Pace):
    moments = starts(pace, pace.calls * 4)
    for first, last in zip(moments[pace.calls :], moments[2 * pace.calls :], strict=False):
        assert last - first >= pace.per_s - 1e-3


def test_calls_of_one_kind_are_counted_among_all_and_for_themselves(tmp_path: Path):
    clock = TurningClock()
    limiter = Limiter(tmp_path, Limits(1, {"": Pace(100, 1), "create": Pace(1, 5)}), clock)
    for kind in ("create", "", "", "create"):
        with limiter.call(kind):
            pass
    assert sum(clock.slept) == pytest.approx(5.0)


def test_a_pause_holds_for_every_process(tmp_path: Path):
    clock = TurningClock()
    Limiter(tmp_path, Limits(), clock).back_off(9)
    with Limiter(tmp_path, Limits(), clock).call():
        assert sum(clock.slept) == pytest.approx(9.0)


@pytest.mark.parametrize(
    "noted", [b"1001.0 another-boot", b"1001.0", b"99999999999.0", b"rubbish", b"inf", b"nan", b"\xff \xff"]
)
def test_a_note_of_before_a_restart_or_a_damaged_one_stops_nobody(tmp_path: Path, noted: bytes):
    clock = TurningClock()
    for name in ("pause", "pace-all"):
        (tmp_path / name).write_bytes(noted)
    with Limiter(tmp_path, Limits(1, {"": Pace(1, 1)}), clock).call():
        assert clock.slept == []


def test_many_processes_together_keep_the_pace(tmp_path: Path):
    command = [sys.executable, "-c", ONE_CALL, str(tmp_path), "8"]
    begun = time.monotonic()
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    moments = sorted(float(line) for process in running for line in process.communicate()[0].splitlines())
    assert len(moments) == 8
    # Two at once, then one every 0.4 s; what is printed may only be later.
    assert moments[-1] - begun >= 6 * 0.4


def test_no_more_calls_run_at_a_time_than_there_are_places(tmp_path: Path):
    limiter = Limiter(tmp_path, Limits(2), SystemClock())
    with limiter.call(), limiter.call():
        assert not _free(tmp_path / "place-0")
        assert not _free(tmp_path / "place-1")
    assert _free(tmp_path / "place-0")
    assert _free(tmp_path / "place-1")


def test_a_place_whose_holder_was_killed_is_free(tmp_path: Path):
    holder = "import sys, time; from tests.onecore.drivers.kit.test_limiter import hold; hold(sys.argv[1])"
    process = subprocess.Popen([sys.executable, "-c", holder, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    process.kill()
    process.communicate()
    begun = time.monotonic()
    with Limiter(tmp_path, Limits(1), SystemClock()).call():
        assert time.monotonic() - begun < 5


def hold(folder: str) -> None:
    with Limiter(Path(folder), Limits(1), SystemClock()).call():
        print("held", flush=True)
        sys.stdin.read() if sys.stdin.isatty() else time.sleep(60)


def _free(place: Path) -> bool:
    fd = os.open(place, os.O_RDWR)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(fd)
