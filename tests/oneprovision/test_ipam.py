"""Public addresses through the ipam scripts of a driver folder: OpenNebula's stdin, argv and stdout."""

import base64
import os
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from onecore import process
from onecore.errors import DriverFailed
from onecore.machines.model import Kind, Resource
from onecore.process import Ended, Outcome
from oneprovision.engines.ipam import IpamBinding, attributes
from oneprovision.folders import as_driver, read_folder
from tests.oneform import copy_of_dummy


@pytest.fixture
def binding(tmp_path: Path) -> IpamBinding:
    folder = read_folder(copy_of_dummy(tmp_path / "drivers"), "here")
    return IpamBinding(
        as_driver(folder), {}, tmp_path, os.environ["PATH"], provision_id=7, scripts=folder.ipam
    )


def an_address(name: str = "provision-7-ar-0", deploy_id: str = "") -> Resource:
    return Resource(
        5, Kind.ADDRESS, name, "provision/7", "oneform/dummy", None, 0, "AR 0", deploy_id=deploy_id,
        deployment={"network": 3},
    )  # fmt: skip


def lease(binding: IpamBinding, folder: Path, address: Resource) -> tuple[str, tuple[str, ...]]:
    outcome = process.run(binding.create(address, lambda suffix: folder / f"run.{suffix}"))
    assert outcome.ok, outcome
    return binding.created_id(address, outcome)


def existing(folder: Path) -> list[str]:
    return sorted(f.name for f in (folder / "dummy" / "oneform-addresses").iterdir() if f.name[0] != ".")


def test_a_script_is_given_the_request_id_and_the_range_as_base64_of_xml(binding, tmp_path):
    command = binding.create(an_address(), lambda suffix: tmp_path / suffix)
    assert Path(command.argv[0]).name == "register_address_range"
    assert command.argv[1:] == ("5",)
    tree = ElementTree.fromstring(base64.b64decode(command.stdin))
    assert tree.tag == "IPAM_DRIVER_ACTION_DATA"
    assert {e.tag: e.text for e in tree.findall("AR/*")} == {
        "TYPE": "IP4",
        "SIZE": "1",
        "IPAM_MAD": "dummy",
        "PROVISION_ID": "7",
        "NETWORK_ID": "3",
        "NAME": "provision-7-ar-0",
    }


def test_a_lease_is_released_by_what_it_answered(binding, tmp_path):
    deploy_id, addresses = lease(binding, tmp_path, an_address())
    assert addresses == ("203.0.113.1",)
    assert attributes(deploy_id)["DUMMY_ALLOCATION_ID"] == "provision-7-ar-0"
    assert existing(tmp_path) == ["provision-7-ar-0"]
    leased = an_address(deploy_id=deploy_id)
    assert process.run(binding.poll(leased)).ok
    for _ in range(2):  # one that is gone is released already
        assert process.run(binding.destroy(leased, lambda suffix: tmp_path / f"x.{suffix}")).ok
    assert existing(tmp_path) == []


def test_a_repeated_lease_of_one_name_is_one_address(binding, tmp_path):
    first = lease(binding, tmp_path, an_address())
    assert lease(binding, tmp_path, an_address()) == first
    other = lease(binding, tmp_path, an_address("provision-7-ar-1"))
    assert other[1] != first[1]
    assert len(existing(tmp_path)) == 2


def test_what_a_script_printed_before_a_crash_is_a_trace_of_the_address(binding):
    printed = 'AR = [\n TYPE = "IP4",\n IP = "10.0.0.1", SIZE = "1",\n EC2_ALLOCATION_ID = "eipalloc-1" ]\n'
    assert binding.printed_id(Kind.ADDRESS, printed) == 'EC2_ALLOCATION_ID="eipalloc-1",IP="10.0.0.1"'


@pytest.mark.parametrize("text", ["", "AR = []", 'ADDRESS = [ IP = "10.0.0.1" ]', 'AR = [ SIZE = "1" ]'])
def test_an_answer_without_a_range_is_no_lease(binding, text):
    outcome = Outcome(Ended.EXITED, 0, text.encode(), b"", 0.1)
    with pytest.raises(DriverFailed, match="answered no address range"):
        binding.created_id(an_address(), outcome)


def test_a_folder_without_scripts_leases_nothing(binding, tmp_path):
    with pytest.raises(DriverFailed, match="has no ipam scripts"):
        replace(binding, scripts=None).create(an_address(), lambda suffix: tmp_path / suffix)
