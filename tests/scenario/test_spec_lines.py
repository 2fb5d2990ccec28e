"""Every command line of the manual (spec/000) works exactly as it is written there."""

import re

import pytest

from tests.scenario.command import Home

pytestmark = pytest.mark.scenario


@pytest.fixture
def forty_two(home: Home) -> Home:
    """Provision 42 has the hosts 103 and 104; the next public address range is AR 7."""
    home.run("list")
    home.preset(provision=42, host=103, network=10, **{"ar/11": 7})
    home.create(hosts=2)
    assert home.host_ids(42) == [103, 104]
    return home


def test_add_host_42_amount_2(forty_two: Home):
    forty_two.run("add-host", "42", "--amount", "2")
    assert forty_two.host_ids(42) == [103, 104, 105, 106]
    assert len(forty_two.machines()) == 4


def test_del_host_42_host_ids_105_106(forty_two: Home):
    forty_two.run("add-host", "42", "--amount", "2")
    forty_two.run("del-host", "42", "--host-ids", "105,106")
    assert forty_two.host_ids(42) == [103, 104]
    assert len(forty_two.machines()) == 2


@pytest.mark.parametrize("command", ["add-host", "del-host"])
def test_amount_together_with_host_ids_fails_before_anything_is_touched(forty_two: Home, command: str):
    before = forty_two.machines(), forty_two.show(42)
    refused = forty_two.run(command, "42", "--amount", "1", "--host-ids", "104", code=2)
    assert "choose one" in refused.err
    assert (forty_two.machines(), forty_two.show(42)) == before


def test_add_ip_42_amount_1_and_remove_ip_42_7(forty_two: Home):
    forty_two.run("add-ip", "42", "--amount", "1")
    assert len(forty_two.addresses()) == 1
    # "inspect the associated public network address ranges" with `show`
    shown = forty_two.run("show", "42").out
    assert re.search(r"^ +11 +7 198\.51\.100\.1 +1 dummy +ready$", shown, re.MULTILINE)
    forty_two.run("remove-ip", "42", "7")
    assert forty_two.addresses() == {}


def test_retry_42(home: Home):
    home.run("list")
    home.preset(provision=42)
    home.rehearse("FAIL=deploy")
    home.create(options=("--fail-retry", "0"), code=1)
    home.rehearse()
    home.run("retry", "42")
    assert home.state(42) == "RUNNING"


def test_retry_42_force(forty_two: Home):
    forty_two.run("retry", "42", "--force")
    assert forty_two.state(42) == "RUNNING"


def test_deprovision_42_asks_and_removes_everything(forty_two: Home):
    refused = forty_two.run("deprovision", "42", code=2)
    assert "--yes" in refused.err
    assert len(forty_two.machines()) == 2
    forty_two.run("deprovision", "42", "--yes")
    assert forty_two.machines() == {}
    assert forty_two.state(42) == "DONE"
