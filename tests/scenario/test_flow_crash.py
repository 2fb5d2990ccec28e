"""The crash law for services in its short form, and that its judge sees what breaks it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenario import killing
from tests.scenario.flow_crash import DEPLOY, program
from tests.scenario.flow_judge import RUNNING, Wish, judge, wish
from tests.scenario.killing import Place

ROOT = Path(__file__).parents[2]
ENOUGH = 100
ASKED = Wish(RUNNING, (("front", 2), ("worker", 2)))


@pytest.mark.scenario
def test_kills_of_whoever_drives_services_leave_nothing_leaked_doubled_or_stuck(
    capsys: pytest.CaptureFixture[str],
):
    # A process of its own: it forks, which a process with threads must not.
    argv = [sys.executable, "-m", "tests.scenario.flow_crash", "--share", "7"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)
    with capsys.disabled():
        print(f"\n{done.stdout}")
    assert done.returncode == 0, done.stderr
    summary = re.search(r"^(\d+) kills in \d+ s, 0 broke the law$", done.stdout, re.MULTILINE)
    assert summary
    assert int(summary[1]) >= ENOUGH


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A service of four machines, running."""
    place = Place(tmp_path, {})
    place.home.mkdir()
    for request in (("create",), DEPLOY):
        assert killing.run(place, request, None, program).exit_code == 0, place.output.read_text()
    return place.home


def test_the_judge_finds_nothing_wrong_with_a_service_that_runs(home: Path):
    assert wish(home) == ASKED
    assert judge(home, ASKED) == []


def test_a_machine_that_nobody_recorded_is_leaked(home: Path):
    (home / "dummy/machines/service-stray").write_text("COMPLETE=1\n")
    assert {violation.kind for violation in judge(home, ASKED)} == {"leaked", "wrong"}


def test_a_machine_that_is_missing_is_wrong(home: Path):
    next((home / "dummy/machines").iterdir()).unlink()
    assert {violation.kind for violation in judge(home, ASKED)} == {"wrong"}
