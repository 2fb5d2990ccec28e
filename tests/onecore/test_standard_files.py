"""The standard files of programs: who has their locks."""

import os
from pathlib import Path

import pytest

from onecore import standard_files


def test_an_output_given_up_is_free_also_while_a_program_that_starts_has_a_copy_of_it(tmp_path: Path):
    output = tmp_path / "1.out"
    held = standard_files.locked(output, os.O_CREAT)
    copy = os.dup(held)
    with pytest.raises(BlockingIOError):
        standard_files.locked(output)
    standard_files.unlock(held)
    os.close(standard_files.locked(output))
    os.close(copy)
