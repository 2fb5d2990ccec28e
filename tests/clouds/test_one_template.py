"""One template gives the same cluster at each provider; only --provider is another."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clouds.calls import FAKES
from tests.clouds.crash import Site, site
from tests.clouds.fake import KEY
from tests.scenario.installation import REPOSITORY, written

TEMPLATE = str(REPOSITORY / "examples" / "anywhere.yaml")


def cluster(place: Site, template: str) -> Any:
    """What `show -j` tells of the provision that the template becomes at this provider."""
    fake = place.fake
    account = {"token": KEY, "url": place.here.environ[fake.url_variable]}
    form = {"name": "here", "driver": fake.driver, "connection": account, "parameters": dict(fake.parameters)}
    place.here.ok("provider", "create", written(place.folder / "provider.yaml", json.dumps(form)))
    place.here.ok("create", template, "--provider", "here")
    document = json.loads(place.here.ok("show", "0", "-j"))
    return document["DOCUMENT"]["TEMPLATE"]["PROVISION_BODY"]


def likeness(body: Any) -> Any:
    """The cluster without what is a machine's own."""
    hosts = [
        (host["id"], host["name"], host["state"], bool(host["ip"])) for host in body["one_objects"]["hosts"]
    ]
    rest = {kind: body["one_objects"][kind] for kind in ("cluster", "datastores", "networks")}
    return body["state"], hosts, rest


@pytest.mark.scenario
def test_one_template_gives_the_same_cluster_at_each_provider(tmp_path: Path):
    seen = []
    for fake in FAKES:
        folder = tmp_path / fake.driver
        folder.mkdir()
        with site(fake, folder) as place:
            seen.append(likeness(cluster(place, TEMPLATE)))
            assert place.violations(2) == []
            place.here.ok("deprovision", "0", "--yes")
            assert place.violations(0) == []
    state, hosts, _ = seen[0]
    assert (state, [name for _, name, _, _ in hosts]) == ("RUNNING", ["anywhere-0", "anywhere-1"])
    assert seen[1:] == seen[:1] * (len(FAKES) - 1)


@pytest.mark.scenario
def test_a_machine_that_no_record_knows_is_found_with_the_key_of_the_environment(tmp_path: Path):
    with site(FAKES[0], tmp_path) as place:
        place.here.ok("list")
        assert place.here.run("orphans").code == 0
        place.run(("create",))
        box = next(iter(place.fake.boxes.values()))
        stray = "provision-" + "5" * 48
        place.fake.twin(box, 77, stray)
        answer = place.here.run("orphans", "-j")
        assert (answer.code, stray in answer.out) == (1, True)
