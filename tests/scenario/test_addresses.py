"""Public addresses: leased one by one, counted per network, given back, and never lost."""

import pytest

from tests.scenario.command import ONCE, Home

pytestmark = pytest.mark.scenario

TWO_NETWORKS = """
name: two
version: 1
defaults: {provision: {driver: dummy}}
cluster: {name: two}
hosts: [{im_mad: kvm, vm_mad: kvm}]
networks:
  - {name: inner, vn_mad: vxlan, ar: [{type: ip4, ip: 192.168.1.2, size: 9}]}
  - {name: front, vn_mad: bridge, netrole: public, ar: [{ipam_mad: dummy, size: 1}]}
  - {name: back, vn_mad: bridge, netrole: public, ar: [{ipam_mad: dummy, size: 2}]}
"""


@pytest.fixture
def two(home: Home) -> Home:
    """A provision with two public networks: 1 `front` with one address, 2 `back` with two."""
    template = home.folder / "two.yaml"
    template.write_text(TWO_NETWORKS)
    home.run("create", template)
    return home


def leased(home: Home) -> dict[str, list[int]]:
    """The numbers of the address ranges by the name of their network."""
    networks = home.show()["one_objects"]["networks"]
    return {n["name"]: [ar["ar_id"] for ar in n["ar"]] for n in networks}


def test_addresses_of_several_networks_are_counted_per_network(two: Home):
    assert leased(two) == {"inner": [0], "front": [0], "back": [0, 1]}
    assert len(two.addresses()) == 3


def test_add_ip_takes_the_first_public_network_unless_one_is_named(two: Home):
    two.run("add-ip", 0, "--amount", 1)
    two.run("add-ip", 0, "--amount", 2, "--network", "back")
    two.run("add-ip", 0, "--network", 1)
    assert leased(two) == {"inner": [0], "front": [0, 1, 2], "back": [0, 1, 2, 3]}
    assert len(two.addresses()) == 7


def test_remove_ip_finds_the_network_where_only_one_has_the_number(two: Home):
    two.run("remove-ip", 0, 1)
    assert leased(two) == {"inner": [0], "front": [0], "back": [0]}
    assert len(two.addresses()) == 2


def test_remove_ip_asks_which_network_where_several_have_the_number(two: Home):
    refused = two.run("remove-ip", 0, 0, code=2)
    assert "--network" in refused.err
    assert len(two.addresses()) == 3
    two.run("remove-ip", 0, 0, "--network", "back")
    assert leased(two) == {"inner": [0], "front": [0], "back": [1]}


def test_the_number_of_a_removed_range_is_not_given_again(two: Home):
    two.run("remove-ip", 0, 1)
    two.run("add-ip", 0, "--network", "back")
    assert leased(two)["back"] == [0, 2]


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("remove-ip", 0, 9), 3, "0 of network 1, 0 of network 2, 1 of network 2"),
        (("remove-ip", 0, 0, "--network", "inner"), 3, "has no leased address range 0"),
        (("add-ip", 0, "--network", "inner"), 2, "its public networks are: 1 front, 2 back"),
        (("add-ip", 0, "--network", "nowhere"), 3, "network 'nowhere' not found"),
        (("add-ip", 0, "--amount", 0), 2, "--amount takes 1 to"),
    ],
)
def test_what_makes_no_sense_changes_no_address(two: Home, argv: tuple[object, ...], code: int, words: str):
    before = two.addresses()
    assert words in two.run(*argv, code=code).err
    assert (two.addresses(), two.state()) == (before, "RUNNING")


def test_add_ip_that_fails_keeps_the_old_addresses_and_retry_leases_the_rest(two: Home):
    before = two.addresses()
    two.rehearse("FAIL=allocate_ip")
    two.run("add-ip", 0, *ONCE, code=1)
    assert (two.state(), two.addresses()) == ("SCALING_FAILURE", before)
    two.rehearse()
    two.run("retry", 0)
    assert (two.state(), len(two.addresses())) == ("RUNNING", 4)
    assert before.items() <= two.addresses().items()


def test_add_ip_that_fails_can_be_taken_back(two: Home):
    before = two.addresses()
    two.rehearse("FAIL=allocate_ip")
    two.run("add-ip", 0, *ONCE, code=1)
    two.rehearse()
    two.run("cancel", 0)
    assert (two.state(), two.addresses()) == ("RUNNING", before)
    assert leased(two)["front"] == [0]


def test_both_names_of_remove_ip_work(two: Home):
    two.run("del-ip", 0, 1)
    assert len(two.addresses()) == 2


def test_deprovision_gives_every_address_back(two: Home):
    two.run("deprovision", 0, "--yes")
    assert (two.addresses(), two.machines()) == ({}, {})
