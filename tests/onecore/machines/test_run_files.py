"""The files of a recorded operation go to the next one, emptied, and never while somebody holds them."""

from pathlib import Path
from typing import Any, cast

from onecore.machines.tools import Tools
from onecore.process import Command, Runner

NOTHING = cast(Any, None)


def tools_in(folder: Path) -> Tools:
    return Tools(NOTHING, NOTHING, lambda: 0.0, NOTHING, folder)


def test_an_output_is_emptied_before_it_gets_the_new_number(tmp_path: Path):
    (tmp_path / "1.xml").write_text("written over before use")
    (tmp_path / "1.out").write_text("an old answer")
    tools_in(tmp_path).inherit_run_files(1, 2)
    assert {file.name: file.read_text().strip() for file in tmp_path.iterdir()} == {
        "2.xml": "written over before use",
        "2.out": "",
    }


def test_an_output_that_a_child_still_holds_is_not_handed_on(tmp_path: Path):
    runner: Runner[int] = Runner()
    held = tmp_path / "1.out"
    runner.start(1, Command(("/bin/sh", "-c", "sleep 60"), {"PATH": "/usr/bin:/bin"}, output_path=held))
    tools_in(tmp_path).inherit_run_files(1, 2)
    assert list(tmp_path.iterdir()) == []
    runner.kill()
    assert runner.wait(5)


def test_what_is_not_there_is_no_trouble(tmp_path: Path):
    tools_in(tmp_path).inherit_run_files(1, 2)
    assert list(tmp_path.iterdir()) == []
