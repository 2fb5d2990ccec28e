"""The tree itself: small files, executable drivers, no links."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HARD_LIMIT = 400
NOT_RUN = {".sh", ".yaml", ".md"}


def tracked(*patterns: str) -> list[tuple[str, str]]:
    """(mode, path) of the files that git knows."""
    listed = subprocess.run(
        ["git", "ls-files", "-s", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [(line.split()[0], line.split("\t", 1)[1]) for line in listed.stdout.splitlines()]


def test_no_python_file_is_longer_than_the_hard_limit():
    lengths = {path: len((ROOT / path).read_text().splitlines()) for _, path in tracked("*.py")}
    assert {path: lines for path, lines in lengths.items() if lines > HARD_LIMIT} == {}


def test_every_driver_action_can_be_executed():
    actions = [each for each in tracked("drivers/remotes/pm") if Path(each[1]).suffix not in NOT_RUN]
    assert actions
    assert [path for mode, path in actions if mode != "100755"] == []


def test_nothing_is_a_symbolic_link():
    assert [path for mode, path in tracked() if mode == "120000"] == []


@pytest.mark.parametrize("script", [".ci/run", "scripts/demo.sh", "scripts/install-sshd.sh"])
def test_scripts_can_be_executed(script: str):
    assert [mode for mode, _ in tracked(script)] == ["100755"]
