"""Reserved addresses of Vultr: the label is the owner tag."""

import pytest

from onecore.errors import DriverFailed
from tests.clouds.calls import ANOTHER_NAME, Caller
from tests.clouds.vultr import VultrFake

TAG = "provision-0-network-1-ar-0-" + "a1" * 12


def allocated(vultr: Caller, tag: str = TAG) -> str:
    return vultr.calls.allocate_ip(tag, vultr.xml(tag)).id


def reserved(vultr: Caller) -> list[str]:
    assert isinstance(vultr.fake, VultrFake)
    return [address["label"] for address in vultr.fake.reserved.values()]


def test_the_same_tag_gets_the_same_address(vultr: Caller):
    assert allocated(vultr) == allocated(vultr)
    assert reserved(vultr) == [TAG]


def test_an_address_whose_making_was_not_answered_is_found(vultr: Caller):
    vultr.fake.trouble.lose = 1
    allocated(vultr)
    assert reserved(vultr) == [TAG]


def test_an_address_needs_a_region(vultr: Caller):
    with pytest.raises(DriverFailed, match="needs parameter 'region'"):
        vultr.calls.allocate_ip(TAG)


def test_an_assigned_address_is_detached_and_released(vultr: Caller):
    address, machine = allocated(vultr), vultr.deploy()
    vultr.calls.assign_ip(address, machine)
    vultr.calls.assign_ip(address, machine)
    assert [found.deploy_id for found in vultr.calls.list_ips()] == [machine]
    vultr.calls.release_ip(address, TAG)
    vultr.calls.release_ip(address, TAG)
    assert reserved(vultr) == []


def test_an_address_moves_to_another_machine(vultr: Caller):
    address, first, second = allocated(vultr), vultr.deploy(), vultr.deploy(ANOTHER_NAME)
    vultr.calls.assign_ip(address, first)
    vultr.calls.assign_ip(address, second)
    assert [found.deploy_id for found in vultr.calls.list_ips()] == [second]


def test_addresses_of_others_are_not_listed(vultr: Caller):
    allocated(vultr)
    allocated(vultr, "mail")
    assert [found.tag for found in vultr.calls.list_ips()] == [TAG]
