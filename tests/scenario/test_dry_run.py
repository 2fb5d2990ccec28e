"""`create --dry-run` and `validate` of driver folders: what would be made, and nothing is."""

import pytest

from tests.oneform import copy_of_dummy, tofu
from tests.scenario.oneform_home import opened

pytestmark = pytest.mark.scenario


@pytest.fixture
def home(tmp_path):
    tofu()
    made = opened(tmp_path)
    yield made
    made.close()


def test_a_dry_run_shows_the_plan_of_opentofu_and_makes_nothing(home):
    said = home.order("--dry-run", oneform_hosts=2)
    assert [line for line in said.out.splitlines() if "terraform_data" in line] == [
        "plan: create terraform_data.cluster",
        "plan: create terraform_data.host[0]",
        "plan: create terraform_data.host[1]",
    ]
    assert "would make 2 hosts, 2 datastores, 2 networks; nothing was made" in said.err
    home.law.holds(0)
    assert home.run("list", "--all", "-j").json["DOCUMENT_POOL"]["DOCUMENT"] == []
    assert not (home.path / "oneform" / "rehearsal").exists()


def test_what_opentofu_refuses_is_said_without_the_secrets_of_the_account(home):
    account = home.account(token="refused")
    said = home.order("--dry-run", "-p", account, code=1)
    assert "the provider refuses this token" in said.err


def test_a_folder_is_validated_where_it_lies(home, tmp_path):
    path = copy_of_dummy(tmp_path / "mine", "own")
    said = home.run("validate", path, "--set", "oneform_hosts=3")
    assert f"{path}: valid: 3 hosts, 2 datastores, 2 networks" in said.out
    assert "must be a number" in home.run("validate", path, "--set", "oneform_hosts=many", code=2).err
    (path / "terraform" / "outputs.tf").unlink()
    assert "outputs.tf" in home.run("validate", path, code=1).err
    assert "put it into a place" in home.run("create", path, code=2).err
