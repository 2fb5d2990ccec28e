"""A home, a disk or a surrounding that cannot be used: the error names it, and nothing leaks."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.scenario.installation import (
    COMMAND,
    DONE,
    REPOSITORY,
    RUNNING,
    Installation,
    end,
    remotes_that,
    template,
)

pytestmark = pytest.mark.scenario

QUICK = ("--fail-retry", "0")


# -- a disk and a mount of its own -------------------------------------------------------------------------


class Namespace:
    """A mount namespace, alive as long as a process of ours sleeps in it. `mount` runs in it first."""

    def __init__(self, place: Path, mount: str) -> None:
        script = f"set -e; {mount}; echo ready; exec sleep 1000"
        self.place = place
        self.process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", script, "sh", str(place)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout
        if self.process.stdout.readline() != b"ready\n":
            reason = self.process.communicate()[1].decode().strip()
            pytest.skip(f"no mount namespace may be made here: {reason}")

    @property
    def seen(self) -> Path:
        """The place as we see it from outside."""
        return Path(f"/proc/{self.process.pid}/root{self.place}")

    def installation(self, **environ: str) -> Installation:
        enter = ("nsenter", f"--mount=/proc/{self.process.pid}/ns/mnt", f"--wdns={REPOSITORY}")
        return Installation(self.place / "home", environ, enter, self.seen / "home")

    def fill(self, leave: int = 0) -> None:
        """Leave no more than some bytes of the disk."""
        status = os.statvfs(self.seen)
        ballast = self.seen / "ballast"
        with ballast.open("ab", buffering=0) as file:
            size = max(status.f_bavail * status.f_frsize - leave, 0)
            while size > 0:
                try:
                    size -= file.write(b"x" * min(size, 65536))
                except OSError:
                    return

    def free(self) -> None:
        (self.seen / "ballast").unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Namespace]:
    """A disk of 4 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    namespace = Namespace(place, 'mount -t tmpfs -o size=4m,mode=700 none "$1"')
    yield namespace
    namespace.installation().end_drivers()
    end(namespace.process)


def names_the_disk(text: str) -> bool:
    return any(words in text.lower() for words in ("is full", "no space left", "cannot write"))


def test_a_disk_that_is_full_before_the_first_command(disk: Namespace, tmp_path: Path):
    one = disk.installation()
    disk.fill()
    answer = one.run("create", template(tmp_path, 2), *QUICK)
    assert (answer.code, answer.is_clear) == (1, True), answer
    assert names_the_disk(answer.err)
    assert one.existing() == set()
    disk.free()
    one.ok("create", template(tmp_path, 2), *QUICK)
    assert one.existing() == one.wanted() and len(one.wanted()) == 2


def test_a_disk_that_is_full_before_a_change(disk: Namespace, tmp_path: Path):
    one = disk.installation()
    one.ok("create", template(tmp_path, 2), *QUICK)
    disk.fill()
    before = one.everything()
    for arguments in (
        ["add-host", "0", "--amount", "2"],
        ["deprovision", "0", "--yes"],
        ["rename", "0", "y"],
    ):
        answer = one.run(*arguments)
        assert (answer.code, answer.is_clear) == (1, True), answer
        assert names_the_disk(answer.err)
    assert one.everything() == before
    assert one.run("list").code == 0, "reading needs no room"
    disk.free()
    one.ok("add-host", "0", "--amount", "2")
    assert one.existing() == one.wanted() and len(one.wanted()) == 4


@pytest.mark.parametrize("left", [0, 4096, 20_000, 60_000])
@pytest.mark.parametrize("before", [True, False], ids=["before the effect", "after the effect"])
def test_a_disk_that_fills_while_machines_are_made(disk: Namespace, tmp_path: Path, before: bool, left: int):
    fill = f'[ -e "$ONE_HOME/../full" ] || {{ : >"$ONE_HOME/../full"; {FILL.format(left=left)}; }}'
    steps = f'{fill}; exec "$real" "$@"' if before else f'"$real" "$@"; code=$?; {fill}; exit $code'
    one = disk.installation(ONE_REMOTES=remotes_that(tmp_path, steps))
    answer = one.run("create", template(tmp_path, 4), *QUICK)
    if answer.code != 0:
        assert answer.code == 1 and answer.is_clear, answer
        assert names_the_disk(answer.err), answer
    assert one.existing() <= one.recorded()
    if (disk.seen / "ballast").exists():
        disk.free()
    one.ok("retry", "0", *QUICK) if one.state() != RUNNING else None
    assert one.existing() == one.wanted() and len(one.wanted()) == 4
    one.ok("deprovision", "0", "--yes")
    assert (one.state(), one.existing()) == (DONE, set())


FILL = (
    'room=$(df --output=avail -B1 "$ONE_HOME" | tail -n 1); '
    'head -c $((room > {left} ? room - {left} : 0)) /dev/zero >"$ONE_HOME/../ballast" 2>/dev/null'
)


def test_a_state_folder_that_is_mounted_read_only(tmp_path: Path):
    place = tmp_path / "place"
    Installation(place / "home").ok("create", template(tmp_path, 1))
    namespace = Namespace(place, 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"')
    try:
        one = namespace.installation()
        before = one.everything()
        for arguments in (["add-host", "0"], ["deprovision", "0", "--yes"], ["create", template(tmp_path)]):
            answer = one.run(*arguments)
            assert (answer.code, answer.is_clear) == (1, True), answer
            assert str(one.home) in answer.err
        assert one.everything() == before
    finally:
        end(namespace.process)


# -- homes that are none -----------------------------------------------------------------------------------


def test_a_home_that_may_not_be_written():
    somebody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.geteuid() == 0 else ()
    if somebody and shutil.which("setpriv") is None:
        pytest.skip("root writes everywhere, and there is no setpriv to be somebody else")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "home").mkdir(mode=0o555)
        (folder / "home").chmod(0o555)
        for home in (folder / "home", folder / "home" / "below"):
            answer = Installation(home, before=somebody).run("create", "examples/dummy-cluster.yaml")
            assert (answer.code, answer.is_clear) == (1, True), answer
            assert str(folder) in answer.err


@pytest.mark.parametrize("command", [["list"], ["create", "examples/dummy-cluster.yaml"]], ids=lambda c: c[0])
def test_a_home_that_is_a_file(tmp_path: Path, command: list[str]):
    (tmp_path / "home").write_text("mine")
    for home in (tmp_path / "home", tmp_path / "home" / "below"):
        answer = Installation(home).run(*command)
        assert (answer.code, answer.is_clear) == (1, True), answer
        assert str(tmp_path / "home") in answer.err
    assert (tmp_path / "home").read_text() == "mine"


def test_no_home_at_all():
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("ONE", "HOME", "XDG"))}
    answer = subprocess.run([*COMMAND, "list"], env=environ, capture_output=True, text=True, cwd=REPOSITORY)
    assert answer.returncode == 2
    assert "set ONE_HOME" in answer.stderr and "Traceback" not in answer.stderr


DAMAGE = {
    "overwritten": lambda data: data[:4096] + os.urandom(len(data) - 4096),
    "no header": lambda data: os.urandom(512) + data[512:],
    "half": lambda data: data[: len(data) // 2],
    "a text": lambda data: b"hello\n" * 1000,
    "one page of zeros": lambda data: data[:4096] + bytes(4096) + data[8192:],
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_state_file_is_refused_and_left_as_it_is(tmp_path: Path, case: str):
    one = Installation(tmp_path / "home")
    one.ok("create", template(tmp_path, 1))
    with closing(sqlite3.connect(one.home / "one.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file = one.home / "one.db"
    file.write_bytes(DAMAGE[case](file.read_bytes()))
    damaged, made = file.read_bytes(), one.existing()
    for arguments in (["list"], ["deprovision", "0", "--yes"]):
        answer = one.run(*arguments)
        assert (answer.code, answer.is_clear) == (1, True), answer
        assert "one.db" in answer.err and ("damaged" in answer.err or "another program" in answer.err)
    assert (file.read_bytes(), one.existing()) == (damaged, made)


def test_a_state_file_of_a_newer_version_is_refused(tmp_path: Path):
    one = Installation(tmp_path / "home")
    one.ok("list")
    with closing(sqlite3.connect(one.home / "one.db")) as db, db:
        db.execute("UPDATE schema_version SET version = 99")
    answer = one.run("list")
    assert (answer.code, answer.is_clear) == (1, True)
    assert "newer version" in answer.err and "upgrade" in answer.err


def test_a_state_file_of_another_program_is_refused(tmp_path: Path):
    one = Installation(tmp_path / "home")
    one.home.mkdir()
    with closing(sqlite3.connect(one.home / "one.db")) as db, db:
        db.execute("CREATE TABLE theirs (x)")
    answer = one.run("create", template(tmp_path))
    assert (answer.code, answer.is_clear) == (1, True)
    assert "another program" in answer.err
    assert one.rows("SELECT name FROM sqlite_schema") == [("theirs",)]
