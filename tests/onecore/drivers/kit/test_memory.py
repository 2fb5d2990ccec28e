"""What a driver remembers is a help that may be missing."""

from pathlib import Path

import pytest

from onecore.drivers.kit.memory import Memory


def test_what_is_remembered_is_recalled_by_us_alone(tmp_path: Path):
    Memory(tmp_path, "cloud").remember("provision-1", {"PORT": "22"})
    assert Memory(tmp_path, "cloud").recall("provision-1") == {"PORT": "22"}
    (file,) = (tmp_path / "drivers" / "cloud").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_what_is_forgotten_or_never_known_is_empty(tmp_path: Path):
    memory = Memory(tmp_path, "cloud")
    memory.remember("m", {"a": "b"})
    memory.forget("m")
    memory.forget("m")
    assert memory.recall("m") == {}


@pytest.mark.parametrize("text", ["", "[1]", "{", "\udcff"])
def test_a_damaged_note_is_none(tmp_path: Path, text: str):
    memory = Memory(tmp_path, "cloud")
    memory.remember("m", {"a": "b"})
    (tmp_path / "drivers/cloud/m.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert memory.recall("m") == {}


@pytest.mark.parametrize("name", ["../m", "", ".", "a/b", "m\n", "-m"])
def test_a_name_that_is_no_files_is_not_remembered(tmp_path: Path, name: str):
    memory = Memory(tmp_path, "cloud")
    memory.remember(name, {"a": "b"})
    assert memory.recall(name) == {}
    assert not (tmp_path / "drivers").exists()
