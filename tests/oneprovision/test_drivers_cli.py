"""`driver list|show|test`: what there is, what it declares, and whether it keeps the protocol."""

import json
import shutil
from pathlib import Path

import pytest

from tests.scenario.installation import REPOSITORY, Installation

ACTIONS = ("deploy", "cancel", "poll", "reboot", "reset", "shutdown")


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "home")


def a_registry(folder: Path, name: str = "old") -> Path:
    """Remotes with one driver in the old style."""
    path = folder / "remotes" / "pm" / name
    path.mkdir(parents=True)
    for action in ACTIONS:
        shutil.copyfile(REPOSITORY / "tests" / "contract" / "pm" / "old_sh.sh", path / action)
        (path / action).chmod(0o755)
    for each in (path, path.parent, path.parent.parent):
        each.chmod(0o755)
    return path


def test_list_shows_what_is_built_in_with_origin_and_extensions(here: Installation) -> None:
    (listed,) = json.loads(here.ok("driver", "list", "-j", "-f", "NAME=dummy"))
    assert (listed["origin"], listed["state"], listed["problem"]) == ("built in", "ENABLED", "")
    assert "allocate_ip" in listed["extensions"]
    assert Path(listed["path"], "deploy").is_file()


def test_list_shows_a_driver_that_others_may_write_with_its_problem(
    here: Installation, tmp_path: Path
) -> None:
    folder = a_registry(tmp_path)
    (folder / "deploy").chmod(0o777)
    text = here.ok("--remotes", str(tmp_path / "remotes"), "driver", "list", "-l", "NAME,STATE,PROBLEM")
    (line,) = [line for line in text.splitlines() if line.startswith("old")]
    assert "ERROR" in line
    assert "writable by group or others" in line


def test_the_first_remotes_win(here: Installation, tmp_path: Path) -> None:
    a_registry(tmp_path, "dummy")
    shown = json.loads(here.ok("--remotes", str(tmp_path / "remotes"), "driver", "show", "dummy", "-j"))
    assert (shown["origin"], shown["extensions"]) == ("--remotes", [])


def test_looking_at_drivers_makes_no_state(here: Installation) -> None:
    here.ok("driver", "list")
    here.ok("driver", "show", "dummy")
    assert not here.home.exists()


def test_show_gives_path_inputs_and_executables(here: Installation) -> None:
    shown = json.loads(here.ok("driver", "show", "dummy", "-j"))
    assert Path(shown["path"]) == REPOSITORY / "drivers" / "remotes" / "pm" / "dummy"
    assert shown["inputs"]["properties"]["plan"]["default"] == "small"
    assert Path(shown["executables"]["list"]).parent == Path(shown["path"])


def test_show_prints_a_row_for_each_input(here: Installation) -> None:
    text = here.ok("driver", "show", "dummy")
    (line,) = [line for line in text.splitlines() if line.startswith("plan ")]
    assert line.split()[:3] == ["plan", "string", "small"]
    assert "running|off|suspended|pending|error" in text


def test_show_names_secrets_and_their_variables_only(here: Installation, tmp_path: Path) -> None:
    (a_registry(tmp_path) / "driver.yaml").write_text("secrets: {token: OLD_TOKEN}\n")
    with_token = Installation(here.home, {"OLD_TOKEN": "hunter2-hunter2-hunter2"})
    text = with_token.ok("--remotes", str(tmp_path / "remotes"), "driver", "show", "old")
    assert "OLD_TOKEN" in text
    assert "hunter2" not in text


@pytest.mark.parametrize(("name", "code"), [("nothere", 3), ("../dummy", 2), ("-x", 2)])
def test_show_of_what_is_no_driver_is_refused(name: str, code: int, here: Installation) -> None:
    answer = here.run("driver", "show", name)
    assert answer.code == code
    assert answer.is_clear


def test_the_dummy_driver_passes_its_test_and_touches_no_state_of_ours(here: Installation) -> None:
    report = json.loads(here.ok("driver", "test", "dummy", "-j"))
    assert report["passed"]
    assert len(report["checks"]) > 15
    assert not here.home.exists()


def test_a_driver_in_a_folder_anywhere_can_be_tested(here: Installation, tmp_path: Path) -> None:
    answer = here.run("driver", "test", str(a_registry(tmp_path)))
    assert answer.code == 0, answer.out
    assert "deploy prints a deploy id" in answer.out


def test_a_driver_that_breaks_the_protocol_fails_its_test(here: Installation) -> None:
    answer = here.run("driver", "test", "dummy", "--set", "lie=shutdown", "--deadline", "0.5")
    assert answer.code == 1
    (line,) = [line for line in answer.out.splitlines() if line.startswith("shutdown powers")]
    assert " NO " in line
    assert "1 of 20 checks failed" in answer.err


def test_a_driver_that_hangs_is_stopped_at_the_deadline(here: Installation) -> None:
    answer = here.run("driver", "test", "dummy", "--set", "hang=deploy", "--deadline", "0.5", timeout_s=20)
    assert answer.code == 1
    assert "timed out after" in answer.out


def test_a_driver_gets_its_secrets_from_the_environment_and_cannot_tell_them(
    here: Installation, tmp_path: Path
) -> None:
    folder = a_registry(tmp_path)
    (folder / "driver.yaml").write_text("secrets: {token: OLD_TOKEN}\n")
    (folder / "reboot").write_text('#!/bin/sh\necho "token is $OLD_TOKEN" >&2\nexit 1\n')
    with_token = Installation(here.home, {"OLD_TOKEN": "hunter2-hunter2-hunter2"})
    answer = with_token.run("driver", "test", str(folder), "-j", "--deadline", "1")
    assert answer.code == 1
    assert "token is *****" in answer.out
    assert "hunter2" not in answer.out + answer.err


@pytest.mark.parametrize("wrong", ["plan", "=x", "cpu=much"])
def test_a_wrong_parameter_is_refused_before_anything_is_made(wrong: str, here: Installation) -> None:
    answer = here.run("driver", "test", "dummy", "--set", wrong)
    assert answer.code == 2
    assert answer.is_clear
