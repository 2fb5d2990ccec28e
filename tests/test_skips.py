"""A run of the suite fails on a skip that nobody accounts for."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
A_TEST = "import pytest\n@pytest.mark.skip({reason})\ndef test_it(): ...\n"
A_MODULE = "import pytest\npytest.importorskip('no_such_module_here')\n"
LISTED = "# the list\nno sun: it rains\nno why:\n"


@pytest.mark.parametrize(
    ("code", "passes", "workers"),
    [
        pytest.param(A_TEST.format(reason="reason='no sun'"), True, "0", id="listed"),
        pytest.param(A_TEST.format(reason="reason='no moon'"), False, "0", id="not listed"),
        pytest.param(A_TEST.format(reason="reason='no moon'"), False, "1", id="not listed, with workers"),
        pytest.param(A_TEST.format(reason="reason='no why'"), False, "0", id="listed without a why"),
        pytest.param(A_TEST.format(reason=""), False, "0", id="without a reason"),
        pytest.param(A_MODULE, False, "0", id="whole module"),
    ],
)
def test_a_skip_needs_a_written_reason(code, passes, workers, tmp_path):
    shutil.copy(HERE / "conftest.py", tmp_path)
    (tmp_path / "skips.txt").write_text(LISTED)
    (tmp_path / "test_it.py").write_text(code + "\ndef test_something(): ...\n")
    command = [sys.executable, "-m", "pytest", "-q", "-n", workers, "--rootdir", str(tmp_path), str(tmp_path)]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode == 0) is passes, done.stdout
    assert done.stdout.rstrip().splitlines()[-1].split(" in ")[0].endswith("skipped")
