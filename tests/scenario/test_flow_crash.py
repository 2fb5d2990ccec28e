"""The crash law for services in its short form, and that its judge sees what breaks it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.oneflow.api.server import a_server
from tests.scenario.flow_judge import RUNNING, Wish, judge, wish
from tests.scenario.flow_scenarios import CREATE, DEPLOY

ROOT = Path(__file__).parents[2]
ENOUGH = 40
ASKED = Wish(RUNNING, (("front", 2), ("worker", 2)))


@pytest.mark.scenario
def test_kills_of_a_server_of_services_leave_nothing_leaked_doubled_or_stuck(
    capsys: pytest.CaptureFixture[str],
):
    # A process of its own: it forks, which a process with threads must not.
    argv = [sys.executable, "-m", "tests.scenario.flow_crash", "--share", "23", "--offset", "5"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)
    with capsys.disabled():
        print(f"\n{done.stdout}")
    assert done.returncode == 0, done.stderr
    summary = re.search(r"^(\d+) kills in \d+ s, 0 broke the law$", done.stdout, re.MULTILINE)
    assert summary
    assert int(summary[1]) >= ENOUGH


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service of four machines, running."""
    home = tmp_path_factory.mktemp("running") / "home"
    with a_server(home) as server:
        for request in (CREATE, DEPLOY):
            assert server.ask(request.method, request.path, request.body).status == 201
        server.running(0)
        assert server.stop() == 0
    return home


@pytest.fixture
def home(running: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(running, tmp_path / "home"))


def test_the_judge_finds_nothing_wrong_with_a_service_that_runs(home: Path):
    assert wish(home) == ASKED
    assert judge(home, ASKED) == []


def test_a_machine_that_nobody_recorded_is_leaked(home: Path):
    (home / "dummy/machines/service-stray").write_text("COMPLETE=1\n")
    assert {violation.kind for violation in judge(home, ASKED)} == {"leaked", "wrong"}


def test_a_machine_that_is_missing_is_wrong(home: Path):
    next((home / "dummy/machines").iterdir()).unlink()
    assert {violation.kind for violation in judge(home, ASKED)} == {"wrong"}
