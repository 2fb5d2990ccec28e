"""A canary in an account of a driver folder: seen where OpenTofu runs, and nowhere else."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.oneform import tofu
from tests.scenario.oneform_home import Clusters, opened

pytestmark = pytest.mark.scenario

CANARY = "canary-Zq7w-not-to-be-seen-4711"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Clusters]:
    tofu()
    made = opened(tmp_path)
    yield made
    made.close()


def test_a_secret_is_in_no_file_argument_environment_or_output(home):
    account = home.account(token=CANARY)
    home.file("account.json", {})
    home.knobs("latency=1")
    running = home.start("create", "dummy", home.inputs(oneform_hosts=2), "-p", account, "--fail-retry", "0")
    running.says("Creating...")
    assert seen_by_programs() == []
    assert files_with_canary(home.path, for_others=True) == []
    running.end(0)
    assert files_with_canary(home.folder) == []
    outputs = [
        home.run(*words).out for words in (("show", "0", "-j"), ("logs", "0"), ("provider", "show", "0"))
    ]
    assert not any(CANARY in text for text in outputs)
    assert CANARY in home.run("provider", "show", "0", "--sensitive").out


def test_a_secret_that_a_driver_prints_is_masked_in_what_it_failed_with(home):
    account = home.account(token=CANARY)
    home.file("account.json", {})
    home.knobs(f'fail="0"; echo "refused: {CANARY}" >&2; echo "refused: {CANARY}"')
    failed = home.order("-p", account, "--fail-retry", "0", oneform_hosts=1, code=1)
    (home.cloud / "oneform.conf").unlink()
    assert "refused" in failed.err
    assert CANARY not in failed.err + home.run("logs", "0").out + home.run("show", "0", "-j").out
    home.run("deprovision", "0", "--yes")
    assert files_with_canary(home.folder) == []


def test_an_account_that_is_refused_fails_the_plan_without_its_secret(home):
    account = home.account(token="refused")
    failed = home.order("-p", account, "--fail-retry", "0", oneform_hosts=1, code=1)
    assert "the provider refuses this token" in failed.err
    assert home.law.existing() == {}
    assert "is used by provision 0" in home.run("provider", "delete", account, code=5).err
    home.run("deprovision", "0", "--yes")
    home.run("provider", "delete", account)


def files_with_canary(folder: Path, for_others: bool = False) -> list[str]:
    """Files that hold it; only those that others may read, if so asked."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and (not for_others or path.stat().st_mode & 0o077):
            found += [str(path)] if CANARY.encode() in path.read_bytes() else []
    return found


def seen_by_programs() -> list[str]:
    """Processes with it among their arguments or in their environment; we ourselves have it in neither."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        for name in ("cmdline", "environ"):
            try:
                content = (entry / name).read_bytes()
            except OSError:
                continue
            found += [f"{entry.name} {name}"] if CANARY.encode() in content else []
    return found
