"""Who waits no longer than he said loses nothing."""

from pathlib import Path

from tests.scenario.installation import REPOSITORY, Installation

EXAMPLE = str(REPOSITORY / "examples" / "dummy-cluster.yaml")


def test_a_create_that_takes_too_long_ends_with_124_and_a_retry_finishes_it(tmp_path: Path):
    here = Installation(tmp_path / "home")
    slow = ("--set", "defaults.provision.latency=1", "--wait-timeout", "0.3")
    answer = here.run("create", EXAMPLE, *slow)
    assert (answer.code, answer.is_clear) == (124, True)
    assert "oneprovision retry 0" in answer.err
    assert here.run("retry", "0").code == 0
    assert len(list((here.home / "dummy" / "machines").iterdir())) == 3


def test_a_request_that_had_not_begun_says_so(tmp_path: Path):
    here = Installation(tmp_path / "home")
    assert here.run("create", EXAMPLE, "--set", "defaults.provision.latency=0.4").code == 0
    answer = here.run("deprovision", "0", "--yes", "--wait-timeout", "0")
    assert answer.code == 124
    assert "nothing was begun" in answer.err
    assert len(list((here.home / "dummy" / "machines").iterdir())) == 3
