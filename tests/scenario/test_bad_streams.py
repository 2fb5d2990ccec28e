"""Readers that leave, a full device and any locale: no command stumbles over them."""

import subprocess
from pathlib import Path

import pytest

from tests.scenario.installation import ANEW, COMMAND, REPOSITORY, Installation, template

pytestmark = pytest.mark.scenario


def test_a_reader_that_leaves_is_no_error(tmp_path: Path):
    one = Installation(tmp_path / "home")
    one.ok("create", "examples/dummy-cluster.yaml", "--set", "input.hosts=100")
    for arguments in (["list"], ["show", "0", "-j"], ["logs", "0"]):
        line = " ".join([*COMMAND, *arguments])
        for shell in (f"{line} | head -n 1", f"{line} | true", f"{line} >&-"):
            answer = subprocess.run(
                ["sh", "-c", shell], env=one.environment(), capture_output=True, text=True, cwd=REPOSITORY
            )
            assert (answer.returncode, answer.stderr) == (0, ""), (shell, answer)


def test_a_full_device_as_stdout_is_told(tmp_path: Path):
    one = Installation(tmp_path / "home")
    with Path("/dev/full").open("wb") as full:
        answer = subprocess.run(
            [*COMMAND, "list"],
            env=one.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )
    assert answer.returncode == 1
    assert "no space left" in answer.stderr.lower() and answer.stderr.count("\n") <= 2


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"LC_ALL": "POSIX"}, {"LANG": "xx_YY"}])
def test_names_of_any_script_survive_any_locale(tmp_path: Path, locale: dict[str, str]):
    one = Installation(tmp_path / "home", locale, before=ANEW)
    one.ok("create", template(tmp_path, 1), "--name", "Zürich-漢字")
    assert one.rows("SELECT name FROM provision") == [("Zürich-漢字",)]
    for arguments in (
        ["list"],
        ["show", "0"],
        ["show", "0", "-j"],
        ["show", "0", "-y"],
        ["logs", "Zürich-漢字"],
    ):
        answer = one.run(*arguments)
        assert (answer.code, answer.err) == (0, ""), answer
