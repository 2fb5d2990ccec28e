"""Secrets at rest can be read with the key of this installation and with nothing else."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onecore.errors import StoreFailed
from onecore.vault import seal, secret_file, unseal

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
FIRST = "import sys, pathlib; from onecore.vault import secret_file\n"
FIRST += "print(secret_file(pathlib.Path(sys.argv[1]), sys.argv[2].encode()).decode())"


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(TEXT, TEXT, max_size=5))
def test_what_is_sealed_is_read_again(tmp_path: Path, values):
    assert unseal(tmp_path / "key", seal(tmp_path / "key", values)) == values


def test_a_sealed_text_shows_nothing_of_the_values(tmp_path: Path):
    sealed = seal(tmp_path / "key", {"token": "swordfish"})
    assert "swordfish" not in sealed
    assert "token" not in sealed


def test_nothing_sealed_needs_no_key(tmp_path: Path):
    assert unseal(tmp_path / "key", "") == {}
    assert not (tmp_path / "key").exists()


def test_the_key_is_made_once_and_for_us_alone(tmp_path: Path):
    seal(tmp_path / "home" / "key", {})
    key = tmp_path / "home" / "key"
    content = key.read_bytes()
    seal(key, {"a": "b"})
    assert key.read_bytes() == content
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert [each.name for each in key.parent.iterdir()] == ["key"]


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda key: key.unlink(), id="lost"),
        pytest.param(lambda key: key.write_text("not a key"), id="garbage"),
        pytest.param(lambda key: (key.unlink(), seal(key, {})), id="another"),
    ],
)
def test_without_the_right_key_the_error_says_how_to_go_on(tmp_path: Path, harm):
    key = tmp_path / "key"
    sealed = seal(key, {"token": "swordfish"})
    harm(key)
    with pytest.raises(StoreFailed, match="cannot be decrypted") as refused:
        unseal(key, sealed)
    assert "provider update" in refused.value.hint


def test_a_sealed_text_that_was_changed_is_refused(tmp_path: Path):
    sealed = seal(tmp_path / "key", {"token": "swordfish"})
    with pytest.raises(StoreFailed):
        unseal(tmp_path / "key", sealed[:-4] + "AAA=")


def test_a_secret_file_keeps_its_first_content(tmp_path: Path):
    assert secret_file(tmp_path / "auth", b"first") == b"first"
    assert secret_file(tmp_path / "auth", b"second") == b"first"


def test_processes_that_make_a_secret_at_once_all_see_the_same(tmp_path: Path):
    command = [sys.executable, "-c", FIRST, str(tmp_path / "auth")]
    started = [
        subprocess.Popen([*command, f"content {number}"], stdout=subprocess.PIPE, text=True)
        for number in range(6)
    ]
    seen = {process.communicate(timeout=60)[0] for process in started}
    assert seen == {(tmp_path / "auth").read_text() + "\n"}
    assert [each.name for each in tmp_path.iterdir()] == ["auth"]
