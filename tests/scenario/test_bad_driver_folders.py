"""A driver whose folder is not in order is refused before anything is made with it."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenario.installation import Installation, remotes_that, template

pytestmark = pytest.mark.scenario


def replaced_by_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def replaced_by_link(place: Path, target: str) -> None:
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    place.symlink_to(target)


def replaced_by_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def replaced_by_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("x")


def declared(folder: Path, text: str) -> None:
    (folder / "driver.yaml").write_text(text)


# How a driver folder is spoilt, and words of the refusal.
SPOILT: dict[str, tuple[Callable[[Path], None], str]] = {
    "not executable": (lambda d: (d / "cancel").chmod(0o644), "not executable"),
    "an action missing": (lambda d: (d / "poll").unlink(), "poll is missing"),
    "an action a folder": (lambda d: replaced_by_folder(d / "poll"), "not a file"),
    "writable by others": (lambda d: (d / "deploy").chmod(0o757), "writable by group or others"),
    "folder writable by the group": (lambda d: d.chmod(0o775), "writable by group or others"),
    "registry writable by others": (lambda d: d.parent.chmod(0o757), "writable by group or others"),
    "leads out": (lambda d: replaced_by_link(d / "poll", "/bin/true"), "leads out"),
    "folder leads out": (lambda d: replaced_by_link(d, "/usr/bin"), "leads out"),
    "folder a file": (replaced_by_file, "not a folder"),
    "a declaration that is no YAML": (lambda d: declared(d, "a: ["), "driver.yaml"),
    "a declaration of another": (lambda d: declared(d, "name: other"), "other"),
    "a declaration of nonsense": (lambda d: declared(d, "limits: 7"), "limits"),
    "a limit below zero": (lambda d: declared(d, "limits: {timeout_s: -1}"), "timeout_s"),
    "an extension missing": (lambda d: (d / "list").unlink(), "list is missing"),
    "a declaration that is a pipe": (lambda d: replaced_by_pipe(d / "driver.yaml"), "driver.yaml"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_driver_that_is_not_whole_is_refused_before_anything_is_made(tmp_path: Path, case: str):
    spoil, word = SPOILT[case]
    remotes = remotes_that(tmp_path, 'exec "$real" "$@"')
    one = Installation(tmp_path / "home", {"ONE_REMOTES": remotes})
    spoil(Path(remotes, "pm", "dummy"))
    answer = one.run("create", template(tmp_path), timeout_s=15)
    assert answer.code in (1, 2) and answer.is_clear, answer
    assert word in answer.err
    assert (one.rows("SELECT id FROM provision"), one.existing()) == ([], set())
