"""The crash law for services in an OpenNebula in its short form, and that its judge sees what breaks it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.oneflow.nebula.crash import SCENARIOS, prepare, site
from tests.scenario.flow_judge import Wish, wish
from tests.scenario.installation import REPOSITORY

ENOUGH = 25

pytestmark = pytest.mark.scenario


def test_kills_leave_nothing_leaked_doubled_or_stuck(capsys: pytest.CaptureFixture[str]):
    # A process of its own: it forks, which a process with threads must not.
    argv = [sys.executable, "-m", "tests.oneflow.nebula.crash", "--share", "9"]
    done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, timeout=600, check=False)
    with capsys.disabled():
        print(f"\n{done.stdout}")
    assert done.returncode == 0, done.stderr
    summary = re.search(r"^(\d+) kills in \d+ s, 0 broke the law$", done.stdout, re.MULTILINE)
    assert summary
    assert int(summary[1]) >= ENOUGH


def test_the_judge_sees_what_is_leaked_missing_or_left(tmp_path: Path):
    with site(tmp_path) as here:
        prepare(here, SCENARIOS[1])
        wanted = wish(here.state)
        assert here.violations(wanted) == []
        cloud = here.nebula.cloud
        stray = cloud.instantiate(cloud.users[0], cloud.templates[0], "stray", False, {})
        assert "leaked" in " ".join(here.violations(wanted))
        cloud.put(stray.id, (6, 0))
        cloud.put(cloud.living()[0].id, (6, 0))
        assert "wrong" in " ".join(here.violations(wanted))
        assert "opennebula-network" in " ".join(here.violations(Wish(None)))
