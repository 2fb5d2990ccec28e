"""What the tree has to keep, whoever edits it: small files, executables that are executable, no symlinks."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = ("onecore", "oneprovision", "oneflow", "drivers", "tests", "benchmarks", "scripts")
LONGEST_FILE = 400
NOT_RUN = {".sh", ".yaml", ".md", ".py"}
DRIVERS = ROOT / "drivers"
PROGRAMS = [
    path
    for path in sorted(DRIVERS.glob("remotes/pm/*/*"))
    if path.is_file() and path.suffix not in NOT_RUN and "__pycache__" not in path.parts
]
COMMANDS = [*ROOT.glob("scripts/*.sh"), ROOT / ".ci" / "run", *ROOT.glob("benchmarks/[!.]*")]


@pytest.mark.parametrize("folder", [name for name in CODE if (ROOT / name).is_dir()])
def test_no_file_is_longer_than_anyone_reads(folder):
    long = {
        str(file.relative_to(ROOT)): count
        for file in (ROOT / folder).rglob("*.py")
        if (count := len(file.read_text().splitlines())) > LONGEST_FILE
    }
    assert long == {}


def test_every_driver_program_is_executable():
    assert PROGRAMS
    assert [path for path in PROGRAMS if path.stat().st_mode & 0o111 != 0o111] == []


def test_every_command_of_the_project_is_executable():
    commands = [path for path in COMMANDS if path.is_file() and path.suffix in ("", ".sh")]
    assert [path for path in commands if path.stat().st_mode & 0o111 != 0o111] == []


def test_git_records_driver_programs_as_executable():
    modes = recorded_modes("drivers/remotes/pm", ".ci/run")
    programs = {name: mode for name, mode in modes.items() if Path(name).suffix not in NOT_RUN}
    assert set(programs.values()) == {"100755"}, programs
    assert {mode for name, mode in modes.items() if name not in programs} <= {"100644"}


def test_drivers_in_python_import_the_kit_and_nothing_else_of_ours():
    for file in DRIVERS.glob("remotes/pm/*/*.py"):
        imported = re.findall(
            r"^\s*(?:from|import) ((?:onecore|oneprovision|oneflow)[\w.]*)", file.read_text(), re.M
        )
        assert [name for name in imported if not name.startswith("onecore.drivers.kit")] == [], file


def test_drivers_hold_no_symlinks():
    assert [path for path in DRIVERS.rglob("*") if path.is_symlink()] == []


def recorded_modes(*folders: str) -> dict[str, str]:
    # safe.directory: whoever runs the tests need not be the one who checked out.
    git = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "ls-files", "-s", "--", *folders]
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(git, capture_output=True, text=True, check=True).stdout
    rows = (line.split(maxsplit=3) for line in listing.splitlines())
    return {name: mode for mode, _, _, name in rows}
