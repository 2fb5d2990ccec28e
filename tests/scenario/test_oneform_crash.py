"""The crash law with real OpenTofu, in its short form."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.oneform import tofu

ROOT = Path(__file__).parents[2]


@pytest.mark.scenario
def test_kills_of_us_and_of_opentofu_leave_nothing_leaked_doubled_or_stuck(capsys):
    tofu()
    # A process of its own: it forks, which a process with threads must not.
    argv = [sys.executable, "-m", "tests.scenario.oneform_crash"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)
    with capsys.disabled():
        print(f"\n{done.stdout[-400:]}")
    assert done.returncode == 0, done.stdout + done.stderr
    summary = re.search(r"^(\d+) kills in \d+ s, 0 broke the law$", done.stdout, re.MULTILINE)
    assert summary
    assert int(summary[1]) >= 25
