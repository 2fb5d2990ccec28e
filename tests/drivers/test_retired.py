"""Equinix Metal, once Packet, is gone: nothing can be made, and old records can be removed."""

from pathlib import Path

import pytest

from tests.scenario.installation import Installation, template

RETIRED = "was retired on 2026-06-30"


@pytest.mark.parametrize("driver", ["packet", "equinix"])
def test_a_template_of_old_is_answered_and_leaves_nothing(driver: str, tmp_path: Path):
    here = Installation(tmp_path / "home")
    answer = here.run("create", template(tmp_path, driver=driver), "--fail-retry", "0")
    assert answer.code == 1
    assert RETIRED in answer.err
    here.ok("deprovision", "0", "--yes")
    assert here.recorded() == set()
