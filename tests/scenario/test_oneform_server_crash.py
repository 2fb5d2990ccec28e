"""The crash law of `oneprovision serve` for provisions of driver folders: kills of us, of OpenTofu and of
ansible-playbook, one for each phase."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.oneform import tofu
from tests.scenario.oneform_server_crash import FEW

ROOT = Path(__file__).parents[2]


@pytest.mark.scenario
def test_kills_in_each_phase_leave_nothing_leaked_doubled_or_stuck():
    tofu()
    # A process of its own: it forks, which a process with threads must not.
    argv = [sys.executable, "-m", "tests.scenario.oneform_server_crash", "--few"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{len(FEW)} kills in ")
