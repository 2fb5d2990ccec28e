"""Driver folders of others: what a plan would do to a host that was not named, and what cannot be known."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from onecore import alive
from tests.oneform import TIE, tied, tofu
from tests.scenario.command import until
from tests.scenario.oneform_home import Clusters, opened

pytestmark = pytest.mark.scenario


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Clusters]:
    """With the driver `tied`, which needs an account, and declares nothing of ours."""
    tofu()
    made = opened(tmp_path)
    made.remotes = tmp_path / "remotes"
    tied(made.remotes / "oneform")
    yield made
    made.close()


def hosts(home: Clusters) -> set[str]:
    """The addresses of the machines that exist, agreed by everybody."""
    existing = home.law.existing()
    assert existing == home.law.recorded() == home.law.in_state()
    return set(existing)


def test_hosts_in_a_module_are_told_apart(home):
    home.order("-p", home.account("tied", token="t"), driver="tied", oneform_hosts=4)
    ids = home.host_ids()
    home.run("del-host", "0", "--host-ids", f"{ids[0]},{ids[2]}")
    assert hosts(home) == {"192.0.2.2", "192.0.2.4"}
    home.run("add-host", "0", "--amount", "2")
    assert hosts(home) == {f"192.0.2.{n}" for n in (1, 2, 3, 4)}
    home.run("deprovision", "0", "--yes")
    assert hosts(home) == set()


def test_a_disk_that_cannot_go_without_the_other_hosts_stays_known_to_the_end(home):
    """OpenTofu removes whatever refers to a target, by resource: to target the disk would take all hosts."""
    home.order("-p", home.account("tied", token="t"), driver="tied", oneform_hosts=3)
    said = home.run("del-host", "0", "--host-ids", home.host_ids()[0]).err
    assert "module.host.terraform_data.disk[0] stays" in said
    assert hosts(home) == {"192.0.2.2", "192.0.2.3"}
    assert "disk-0" in home.law.state_text()
    home.run("deprovision", "0", "--yes")
    assert home.law.existing() == {}
    assert "disk-" not in home.law.state_text()


def test_a_plan_that_takes_more_than_was_named_is_refused_with_its_name(home):
    tied(home.remotes / "oneform", "bound", TIE)
    home.order("-p", home.account("bound", token="t"), driver="bound", oneform_hosts=3)
    before = home.law.existing()
    refused = home.run("del-host", "0", "--host-ids", home.host_ids()[0], code=1)
    assert "delete module.host.terraform_data.network: hosts share it" in refused.err
    assert home.law.existing() == before
    home.run("retry", "0", code=1)
    assert home.law.existing() == before


def test_the_newest_hosts_can_go_where_something_knows_all_of_them(home):
    tied(home.remotes / "oneform", "bound", TIE)
    home.order("-p", home.account("bound", token="t"), driver="bound", oneform_hosts=3)
    home.run("del-host", "0", "--amount", "1")
    assert hosts(home) == {"192.0.2.1", "192.0.2.2"}


def test_a_host_whose_making_was_cut_short_is_tainted_and_made_anew(home):
    """It stands in the state as if it were whole; only the log shows that it is not."""
    account = home.account("tied", token="t")
    slow = home.cloud / "slow"
    slow.parent.mkdir(parents=True)
    slow.touch()
    file = home.inputs(oneform_hosts=2)
    running = home.start("create", "tied", file, "-p", account)
    running.says("terraform_data.host[1]: Creating...")
    running.kill()
    kill_tofu(home)
    assert home.law.existing() == {}
    slow.unlink()
    home.run("retry", "0", "--force")
    assert hosts(home) == {"192.0.2.1", "192.0.2.2"}


def test_a_host_that_no_state_knows_is_held_until_somebody_decides(home):
    account = home.account("tied", token="t")
    slow = home.cloud / "slow"
    slow.parent.mkdir(parents=True)
    slow.touch()
    file = home.inputs(oneform_hosts=2)
    running = home.start("create", "tied", file, "-p", account)
    running.says("terraform_data.host[1]: Creating...")
    running.kill()
    kill_tofu(home)
    (home.path / "oneform" / "0" / "terraform" / "terraform.tfstate").unlink()
    slow.unlink()
    held = home.run("retry", "0", code=1)
    assert "no state knows it" in held.err or "its end is unknown" in held.err
    assert home.law.existing() == {}
    home.run("retry", "0", "--force")
    assert hosts(home) == {"192.0.2.1", "192.0.2.2"}


def test_a_driver_that_changed_is_shown_and_old_provisions_keep_theirs(home):
    account = home.account("tied", token="t")
    home.run("oneform", "sync")
    home.order("-p", account, driver="tied", oneform_hosts=1)
    main = home.remotes / "oneform" / "tied" / "terraform" / "host" / "main.tf"
    main.write_text(main.read_text().replace("192.0.2.", "198.51.100."))
    (line,) = [row for row in home.run("oneform", "list").out.splitlines() if row.startswith("tied")]
    assert line.split()[3] == "yes"
    home.run("add-host", "0")
    assert hosts(home) == {"192.0.2.1", "192.0.2.2"}


def test_what_is_asked_for_is_checked_before_anything_is_recorded(home):
    account = home.account("tied", token="t")
    for values, words in (
        ({}, "input 'oneform_hosts' is missing"),
        ({"oneform_hosts": "x"}, "input 'oneform_hosts' must be a number"),
        ({"oneform_hosts": 1, "odd": 2}, "input 'odd' is not known"),
        ({"oneform_hosts": 1, "oneform_public_ips": 9}, "invalid value '9' for 'oneform_public_ips'"),
    ):
        assert words in home.order("-p", account, driver="tied", code=2, **values).err
    assert "needs the account of a provider" in home.order(driver="tied", code=2, oneform_hosts=1).err
    assert home.run("list", "-j").out.count('"ID"') == 0


def test_growth_stays_within_what_the_driver_allows(home):
    few = tied(home.remotes / "oneform", "few")
    validators = (
        'locals { validators = { oneform_hosts = { type = "number", values = { min = 1, max = 2 } } } }'
    )
    (few / "terraform" / "validators.tf").write_text(validators)
    home.order("-p", home.account("few", token="t"), driver="few", oneform_hosts=1)
    refused = home.run("add-host", "0", "--amount", "2", code=2)
    assert "invalid value '3' for 'oneform_hosts': at most 2" in refused.err
    assert home.state() == "RUNNING"
    assert hosts(home) == {"192.0.2.1"}


def kill_tofu(home: Clusters) -> None:
    """SIGKILL to OpenTofu and all that it started, as when the power fails."""
    log = home.path / "oneform" / "0" / "apply.jsonl"
    for pid in alive.bearers(f"ONE_HOME={home.path}"):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not alive.is_held(log), "the end of OpenTofu")
