"""One template gives the same cluster at every provider; only --provider is another."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clouds.linode import LinodeFake
from tests.clouds.witnesses import PROVIDERS, Provider, double
from tests.scenario.installation import REPOSITORY, Installation, written

TEMPLATE = str(REPOSITORY / "examples" / "anywhere.yaml")
# What `show -j` tells, without what is a machine's own.
CLUSTER = {
    "state": "RUNNING",
    "hosts": [(0, "anywhere-0", "on"), (1, "anywhere-1", "on")],
    "cluster": "anywhere",
    "datastores": ["anywhere-images"],
    "networks": ["anywhere-private"],
}

pytestmark = pytest.mark.scenario


@pytest.mark.parametrize("driver", PROVIDERS)
def test_one_template_gives_the_same_cluster_everywhere(driver: str, tmp_path: Path):
    with PROVIDERS[driver](tmp_path) as provider:
        here = installation(tmp_path, provider)
        here.ok("create", TEMPLATE, "--provider", "here", *login(provider))
        body = json.loads(here.ok("show", "0", "-j"))["DOCUMENT"]["TEMPLATE"]["PROVISION_BODY"]
        assert likeness(body) == CLUSTER
        assert len(provider.machines(here.home)) == 2
        here.ok("deprovision", "0", "--yes")
        assert provider.machines(here.home) == []


def installation(folder: Path, provider: Provider) -> Installation:
    """One that knows the provider as `here`, and has its account from nowhere else."""
    remotes = {name: value for name, value in provider.environ.items() if name == "ONE_REMOTES"}
    here = Installation(folder / "home", remotes)
    parameters = {name: value.strip('"') for name, value in provider.sets.items()}
    form = {"name": "here", "driver": provider.driver, "connection": provider.account}
    here.ok(
        "provider", "create", written(folder / "here.yaml", json.dumps({**form, "parameters": parameters}))
    )
    return here


def login(provider: Provider) -> tuple[str, ...]:
    """Of machines that exist already: who may log in to them is not up to us."""
    sets = (f"defaults.connection.{name}={value}" for name, value in provider.login.items())
    return tuple(word for each in sets for word in ("--set", each))


def likeness(body: Any) -> dict[str, object]:
    objects = body["one_objects"]
    assert all(host["ip"] for host in objects["hosts"])
    return {
        "state": body["state"],
        "hosts": [(host["id"], host["name"], host["state"]) for host in objects["hosts"]],
        "cluster": objects["cluster"]["name"],
        "datastores": sorted(each["name"] for each in objects["datastores"]),
        "networks": [each["name"] for each in objects["networks"]],
    }


def test_a_machine_that_no_record_knows_is_found_with_the_key_of_the_environment(tmp_path: Path):
    fake = LinodeFake()
    with double(lambda: fake, tmp_path) as provider:
        here = Installation(tmp_path / "home", provider.environ)
        here.ok("list")
        assert here.run("orphans").code == 0
        sets = (f"defaults.provision.{name}={value}" for name, value in fake.parameters.items())
        options = [word for each in sets for word in ("--set", each)]
        here.ok("create", TEMPLATE, "--set", "defaults.provision.driver=linode", *options)
        stray = "provision-" + "5" * 48
        fake.twin(next(iter(fake.boxes.values())), 77, stray)
        answer = here.run("orphans", "-j")
        assert (answer.code, stray in answer.out) == (1, True)
