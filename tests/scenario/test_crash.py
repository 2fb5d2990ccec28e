"""The crash law in its short form, and that its judge sees what breaks it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenario import oracle
from tests.scenario.killing import Place
from tests.scenario.oracle import DONE, RUNNING, Intent
from tests.scenario.scenarios import create

ROOT = Path(__file__).parents[2]
ENOUGH = 300


@pytest.mark.scenario
def test_hundreds_of_kills_leave_nothing_leaked_doubled_or_stuck(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    # A process of its own: it forks, which a process with threads must not.
    argv = [sys.executable, "-m", "tests.scenario.crash", "--short"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)
    with capsys.disabled():
        print(f"\n{done.stdout}")
    assert done.returncode == 0, done.stderr
    summary = re.search(r"^(\d+) kills in \d+ s, 0 broke the law$", done.stdout, re.MULTILINE)
    assert summary
    assert int(summary[1]) >= ENOUGH


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """One host and one public address, running."""
    place = Place(tmp_path, {})
    command = [sys.executable, "-m", "oneprovision", *create(hosts=1, ips=1)]
    place.home.mkdir()
    environ = {"PATH": "/usr/bin:/bin", "ONE_HOME": str(place.home)}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return place.home


def test_the_judge_finds_nothing_wrong_with_a_provision_that_runs(home: Path):
    assert _kinds(home) == set()


def test_a_machine_that_nobody_recorded_is_leaked(home: Path):
    (home / "dummy/machines/provision-stray").write_text("COMPLETE=1\n")
    assert _kinds(home) == {"leaked", "wrong"}


def test_a_half_written_machine_is_none(home: Path):
    (home / "dummy/machines/provision-stray").write_text("STATE=running\n")
    assert _kinds(home) == set()


def test_a_second_address_with_the_same_tag_is_doubled(home: Path):
    (first,) = (home / "dummy/addresses").iterdir()
    first.with_name("198.51.100.99").write_text(first.read_text())
    assert _kinds(home) == {"doubled"}


def test_a_machine_that_vanished_is_wrong(home: Path):
    (machine,) = (home / "dummy/machines").iterdir()
    machine.unlink()
    assert _kinds(home) == {"wrong"}


def test_a_run_file_that_is_left_is_stuck(home: Path):
    (home / "run/77.xml").touch()
    assert _kinds(home) == {"stuck"}


def test_a_provision_that_does_not_come_to_its_end_is_stuck(home: Path):
    wanted = Intent(DONE, 1, 1)
    assert "stuck" in {v.kind for v in oracle.judge(home, wanted, oracle.read_cloud(home))}


def test_a_machine_that_should_have_stayed_as_it_was_is_wrong(home: Path):
    before = oracle.read_cloud(home)
    (machine,) = (home / "dummy/machines").iterdir()
    machine.write_text(machine.read_text() + "REBOOTS=1\n")
    wanted = oracle.intent(oracle.read_store(home), (1, 1))
    assert {v.kind for v in oracle.judge(home, wanted, before)} == {"wrong"}


def _kinds(home: Path) -> set[str]:
    store = oracle.read_store(home)
    assert store.state == RUNNING
    return {v.kind for v in oracle.judge(home, oracle.intent(store, (1, 1)), oracle.read_cloud(home))}
