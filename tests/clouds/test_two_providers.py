"""One service whose roles run at two providers: the files of examples/two-providers, by the real commands."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clouds.fake import KEY
from tests.clouds.linode import LinodeFake
from tests.clouds.vultr import VultrFake
from tests.clouds.witnesses import double
from tests.scenario.command import EXAMPLES, Home

FILES = EXAMPLES / "two-providers"

pytestmark = pytest.mark.scenario


@pytest.fixture
def linode() -> LinodeFake:
    return LinodeFake()


@pytest.fixture
def vultr() -> VultrFake:
    return VultrFake()


@pytest.fixture
def oneflow(tmp_path: Path, linode: LinodeFake, vultr: VultrFake) -> Iterator[Home]:
    """A home that knows both accounts, and is asked for services."""
    with double(lambda: linode, tmp_path) as first, double(lambda: vultr, tmp_path) as second:
        provisions = Home(tmp_path, tmp_path / "remotes", deadline_s=120)
        for name, provider in (("newark", first), ("amsterdam", second)):
            options = ("--connection", "token=-", "--connection", f"url={provider.account['url']}")
            provisions.run("provider", "create", FILES / f"{name}.yaml", *options, typed=KEY)
        yield Home(tmp_path, tmp_path / "remotes", deadline_s=120, program="oneflow")


def test_a_service_has_its_roles_at_two_providers(oneflow: Home, linode: LinodeFake, vultr: VultrFake):
    oneflow.run("vm-template", "create", FILES / "database-vm.yaml")
    oneflow.run("vm-template", "create", FILES / "web-vm.yaml")
    oneflow.run("template", "create", FILES / "service.json")
    oneflow.run("template", "instantiate", "two-providers")
    vms = oneflow.run("vm", "list", "--csv", "--no-header", "-l", "ROLE,STAT").out.split()
    assert vms == ["database,runn", "web,runn", "web,runn"]
    assert (len(linode.existing), len(vultr.existing)) == (1, 2)
    [database] = linode.boxes.values()
    # What the VM template says comes before what its provider says.
    assert (database.asked["region"], database.asked["type"]) == ("us-east", "g6-standard-2")

    oneflow.run("scale", "two-providers", "web", 1)
    assert (len(linode.existing), len(vultr.existing)) == (1, 1)
    oneflow.run("delete", "two-providers")
    assert linode.existing == vultr.existing == []
