"""Reserved addresses at each VPS provider: the label, the tags or the project of one is its owner tag."""

import pytest

from onecore.errors import DriverFailed
from tests.clouds import judge
from tests.clouds.calls import A_NAME, ANOTHER_NAME, Caller
from tests.clouds.digitalocean import DigitalOceanFake

TAG = "provision-0-network-1-ar-0-" + "a1" * 12


def allocated(vps: Caller, tag: str = TAG) -> str:
    return vps.calls.allocate_ip(tag, vps.xml(tag)).id


def test_the_same_tag_gets_the_same_address(vps: Caller):
    assert allocated(vps) == allocated(vps)
    assert vps.fake.address_tags == [TAG]


def test_an_address_whose_making_was_not_answered_is_found(vps: Caller):
    vps.fake.trouble.lose = 2  # of DigitalOcean its project, and itself
    allocated(vps)
    assert vps.fake.address_tags == [TAG]


def test_an_address_needs_a_region_before_anything_is_made(vps: Caller):
    with pytest.raises(DriverFailed, match="needs parameter 'region'"):
        vps.calls.allocate_ip(TAG)
    assert [request.method for request, _ in vps.fake.exchanges] == ["GET"] * len(vps.fake.exchanges)


def test_an_assigned_address_is_detached_and_released(vps: Caller):
    address, machine = allocated(vps), vps.deploy()
    vps.calls.assign_ip(address, machine)
    vps.calls.assign_ip(address, machine)
    assert [found.deploy_id for found in vps.calls.list_ips()] == [machine]
    vps.calls.release_ip(address, TAG)
    vps.calls.release_ip(address, TAG)
    assert vps.fake.address_tags == []
    assert vps.calls.list_ips() == ()
    assert judge.violations(vps.fake.driver, vps.fake.exchanges) == []


def test_an_address_moves_to_another_machine(vps: Caller):
    address, first, second = allocated(vps), vps.deploy(), vps.deploy(ANOTHER_NAME)
    vps.calls.assign_ip(address, first)
    vps.calls.assign_ip(address, second)
    assert [found.deploy_id for found in vps.calls.list_ips()] == [second]


def test_addresses_of_others_are_not_listed(vps: Caller):
    for tag in (TAG, "mail", A_NAME):
        allocated(vps, tag)
    assert sorted(found.tag for found in vps.calls.list_ips()) == sorted([TAG, A_NAME])


@pytest.mark.parametrize("address", ["../account", "192.0.2.1", "00000000-0000-0000-0000-000000000077"])
def test_an_address_that_is_none_is_released_and_cannot_be_assigned(vps: Caller, address: str):
    vps.calls.release_ip(address, TAG)
    with pytest.raises(DriverFailed, match="there is no address"):
        vps.calls.assign_ip(address, vps.deploy())


def test_a_project_goes_with_its_address_and_is_taken_up_where_only_it_was_made(digitalocean: Caller):
    fake = digitalocean.fake
    assert isinstance(fake, DigitalOceanFake)
    address = allocated(digitalocean)
    del fake.addresses.reserved[address]  # as if the driver had been killed between the two
    allocated(digitalocean)
    assert [each["name"] for each in fake.addresses.projects.values()] == [TAG]
    digitalocean.calls.release_ip(digitalocean.calls.list_ips()[0].id, TAG)
    assert fake.addresses.projects == {}
