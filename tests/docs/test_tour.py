"""Every command of the documentation is run as it is written, and prints what is written below it."""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Command, blocks, commands, name, pages, pattern

SECONDS = 50
PAGES = [page for page in pages() if any(block.word == "console" for block in blocks(page))]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_of_page(page: Path, tmp_path: Path) -> None:
    folder = checkout(tmp_path / "checkout")
    environment = surroundings(tmp_path)
    with servers_to_itself(page, environment["ONE_HOME"]):
        for block in blocks(page):
            if block.title:
                write(folder / block.title, block.body)
            if block.word == "console":
                for command in commands(block):
                    run(page, command, folder, environment)


@contextmanager
def servers_to_itself(page: Path, home: str) -> Iterator[None]:
    """A page that starts servers has their usual ports: no other run of it on this machine has them
    meanwhile, and none of its servers is left at work."""
    if " serve" not in "".join(block.body for block in blocks(page) if block.word == "console"):
        yield
        return
    with Path(tempfile.gettempdir(), "onesuite-docs-ports.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            for number in at_work(home):
                os.kill(number, signal.SIGKILL)


def at_work(home: str) -> list[int]:
    """The processes that have this ONE_HOME."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it may have ended meanwhile
            if f"ONE_HOME={home}\0".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


def checkout(folder: Path) -> Path:
    """A place that looks like the repository's root, where new files are out of anybody's way."""
    folder.mkdir()
    for entry in ROOT.iterdir():
        if not entry.name.startswith("."):
            (folder / entry.name).symlink_to(entry)
    return folder


def surroundings(folder: Path) -> dict[str, str]:
    """A home of its own, and the programs of the interpreter that runs us."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "ONE_HOME": str(folder / "home"),
        "HOME": str(folder),
        "TZ": "UTC",
        "LANG": "C.UTF-8",
    }


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


def run(page: Path, command: Command, folder: Path, environment: dict[str, str]) -> None:
    ended = subprocess.run(
        ["bash", "-c", command.text],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    # A shell calls the end by a signal 128 and its number.
    code = ended.returncode if ended.returncode >= 0 else 128 - ended.returncode
    # Not every program ends its last line.
    printed = ended.stdout if ended.stdout.endswith("\n") or not ended.stdout else f"{ended.stdout}\n"
    if code != command.exit_code or not pattern(command.expected).fullmatch(printed):
        expected = "\n".join(command.expected)
        pytest.fail(
            f"{name(page)}:{command.line}: {command.text}\nended with {code} and printed:\n{ended.stdout}\n"
            f"expected {command.exit_code} and:\n{expected}",
            pytrace=False,
        )
