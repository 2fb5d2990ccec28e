"""A full disk or a folder that cannot be written fails clearly, changes nothing, and can be got over."""

import json
import os
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILL = (sys.executable, "-m", "tests.onecore.store.little_room")
READ_ONLY = """
import sys
from onecore import config
from onecore.errors import StoreFailed
from onecore.home import open_home
try:
    database = open_home(config.read({"ONE_HOME": sys.argv[1]}), ())
    with database.begin() as tx:
        tx.next_id("host")
except StoreFailed as exc:
    print(exc.message, "|", exc.hint)
"""


@cache
def own_mounts() -> tuple[str, ...]:
    """What gives a process mounts of its own, nothing where the system does not let us."""
    for way in (("unshare", "-m"), ("unshare", "-r", "-m")):
        tried = subprocess.run(
            [*way, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
        )
        if tried.returncode == 0:
            return way
    return ()


def run(*command: str, mount: str = "") -> str:
    if mount:
        command = (*own_mounts(), "sh", "-c", f"{mount} && exec {shlex.join(command)}")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == ""
    return done.stdout


def in_little_room(folder: Path, size: str = "900k") -> dict:
    """What `little_room` tells; without mounts of its own a limit on the size of files has to do."""
    if not own_mounts():
        return dict(json.loads(run(*FILL, str(folder), "limit")))
    mount = f"mount -t tmpfs -o size={size} none {shlex.quote(str(folder))}"
    return dict(json.loads(run(*FILL, str(folder), "mount", mount=mount)))


def check(report: dict) -> None:
    assert report["committed"] > 0
    assert report["found"] == report["found by another"] == 2 * report["committed"]
    assert report["integrity"] == "ok"
    assert report["found with room again"] == report["found"] + 2
    assert "one.db" in report["message"]
    assert report["hint"]


def test_a_full_disk_loses_nothing_and_works_again_with_room(tmp_path: Path):
    report = in_little_room(tmp_path)
    check(report)
    if own_mounts():
        assert report["message"] == f"the disk of {tmp_path}/one.db is full"


def test_a_file_that_may_not_grow_loses_nothing_either(tmp_path: Path):
    check(json.loads(run(*FILL, str(tmp_path), "limit")))


def test_a_full_disk_at_first_use_is_said_and_leaves_nothing_half_made(tmp_path: Path):
    code = READ_ONLY + "import os; print(sorted(os.listdir(sys.argv[1])))"
    first, names = _first_use_without_room(tmp_path, code).splitlines()
    assert "full" in first or "No space left" in first or "cannot make" in first or "disk I/O" in first
    assert "one_auth" not in names


def _first_use_without_room(folder: Path, code: str) -> str:
    if not own_mounts():
        limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n" + code
        return run(sys.executable, "-c", limited, str(folder))
    mount = f"mount -t tmpfs -o size=16k none {shlex.quote(str(folder))}"
    return run(sys.executable, "-c", code, str(folder), mount=mount)


@pytest.mark.parametrize("made_before", [True, False])
def test_a_read_only_folder_is_said(tmp_path: Path, made_before):
    if os.geteuid() == 0 and not own_mounts():
        pytest.skip("root may write everywhere, and we may not mount")
    home = tmp_path / "one"
    home.mkdir()
    if made_before:
        assert run(sys.executable, "-c", READ_ONLY, str(home)) == ""
    before = {each.name: each.read_bytes() for each in home.iterdir() if each.is_file()}
    said = _read_only(home)
    assert str(home) in said
    assert "ONE_HOME" in said
    assert {each.name: each.read_bytes() for each in home.iterdir() if each.is_file()} == before


def _read_only(home: Path) -> str:
    """Root writes where permissions forbid it, so for root the folder is mounted read-only."""
    if os.geteuid() != 0:
        home.chmod(0o500)
        for each in home.iterdir():
            each.chmod(0o500 if each.is_dir() else 0o400)
        return run(sys.executable, "-c", READ_ONLY, str(home))
    quoted = shlex.quote(str(home))
    return run(
        *(sys.executable, "-c", READ_ONLY, str(home)),
        mount=f"mount --bind {quoted} {quoted} && mount -o remount,ro,bind {quoted}",
    )
