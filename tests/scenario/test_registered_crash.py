"""The crash law for provisions with objects in an OpenNebula, in its short form, and that its judge sees what
breaks it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenario import oracle
from tests.scenario.installation import REPOSITORY
from tests.scenario.registered_crash import CREATE, PLANNED, site

ENOUGH = 20

pytestmark = pytest.mark.scenario


def test_kills_leave_nothing_leaked_doubled_or_stuck(capsys: pytest.CaptureFixture[str]):
    # A process of its own: it forks, which a process with threads must not.
    argv = [sys.executable, "-m", "tests.scenario.registered_crash", "--share", "13"]
    done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, timeout=600, check=False)
    with capsys.disabled():
        print(f"\n{done.stdout}")
    assert done.returncode == 0, done.stderr
    summary = re.search(r"^(\d+) kills in \d+ s, 0 broke the law$", done.stdout, re.MULTILINE)
    assert summary
    assert int(summary[1]) >= ENOUGH


def test_the_judge_sees_what_is_left_taken_or_missing(tmp_path: Path):
    with site(tmp_path) as here:
        here.require(CREATE)
        wanted = oracle.intent(oracle.read_store(here.place.home), PLANNED)
        before = oracle.read_cloud(here.place.home)
        assert here.violations(wanted, before) == []
        cloud = here.nebula.cloud
        foreign = cloud.datastores.pop(0)
        assert any("have no tag" in text for text in here.violations(wanted, before))
        cloud.datastores[0] = foreign
        cloud.hosts[0].status = 2
        assert any("offline" in text for text in here.violations(wanted, before))
        cloud.hosts[9] = cloud.hosts.pop(0)
        cloud.networks[1].ranges.clear()
        del cloud.hosts[9]
        found = " ".join(here.violations(wanted, before))
        assert "host: there are" in found
        assert "address ranges []" in found
