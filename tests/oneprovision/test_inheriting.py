"""A provision of OneForm's own server: which machine of its OpenTofu state is which host here."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from onecore.deps import Deps
from onecore.errors import WrongState
from onecore.ids import GroupId, ProviderId, UserId
from onecore.opennebula.documents import Foreign, Known
from onecore.store.providers import Provider
from oneprovision.folders import open_catalog
from oneprovision.model.foreign import ForeignObject, ForeignProvision
from oneprovision.model.provision import ObjectKind
from oneprovision.usecases import inheriting
from oneprovision.usecases.inheriting import Heir
from tests.oneprovision.builders import an_installation

DOCUMENT = Foreign(4, "c1", Known(0, "oneadmin", 0, "oneadmin"), 0o600, "")
IPS = ("192.0.2.7", "192.0.2.8")


@pytest.fixture
def deps(tmp_path: Path) -> Iterator[Deps]:
    with an_installation(tmp_path / "home") as opened:
        yield replace(opened, find_drivers=partial(open_catalog, opened.settings))


def a_state(hosts: dict[Any, tuple[str, str]], *further: str) -> str:
    """`hosts`: id and address by index key; `further`: resources that have the same keys."""

    def resource(name: str, instances: list[Any]) -> dict[str, object]:
        return {"mode": "managed", "type": "terraform_data", "name": name, "instances": instances}

    made = [{"index_key": key, "attributes": {"id": id_}} for key, (id_, _) in hosts.items()]
    others = [
        resource(name, [{"index_key": key, "attributes": {"id": f"{name}-{key}"}} for key in hosts])
        for name in further
    ]
    value = [{"instance_id": id_, "instance_ip": ip} for id_, ip in hosts.values()]
    shared = resource("network", [{"attributes": {"id": "n-1"}}])
    outputs = {"provisioned_hosts": {"value": value}}
    return json.dumps(
        {
            "version": 4,
            "serial": 3,
            "resources": [resource("host", made), *others, shared],
            "outputs": outputs,
        }
    )


def an_heir(deps: Deps, driver: str, state: str, machines: list[str], **values: object) -> Heir:
    provider = Provider(ProviderId(3), "acc", f"oneform/{driver}", UserId(0), GroupId(0), 0o600)
    hosts = [ForeignObject(ObjectKind.HOST, 10 + at, name, {}, name) for at, name in enumerate(machines)]
    deployment = deps.catalog.get(f"oneform/{driver}").folder.deployments[0].name  # type: ignore[attr-defined]
    there = ForeignProvision(3, deployment, "", values, state, tuple(hosts))
    whose = provider, deps.principal, "http://one:2633/RPC2"
    return inheriting.heir(deps, DOCUMENT, there, whose, lambda network: {})


def test_hosts_that_are_counted_keep_their_index_though_some_are_gone(deps: Deps) -> None:
    state = a_state({0: ("i-a", IPS[0]), 2: ("i-c", IPS[1])}, "disk")
    heir = an_heir(deps, "dummy", state, ["i-c", "i-a"], oneform_hosts=2)
    assert [(there.number, placed.ip, spec.index) for there, placed, spec in heir.hosts] == [
        (10, IPS[1], 2),
        (11, IPS[0], 0),
    ]
    assert heir.tofu.counted == ("terraform_data.disk", "terraform_data.host")


def test_hosts_that_were_adopted_are_known_by_their_address(deps: Deps) -> None:
    state = a_state({ip: (f"onprem-{ip}", ip) for ip in IPS})
    machines = [f"onprem-{ip}" for ip in IPS]
    heir = an_heir(deps, "onprem", state, machines, oneform_onprem_hosts=list(IPS))
    assert [spec.provision["ip"] for _, _, spec in heir.hosts] == list(IPS)


def test_no_tag_is_added_to_what_exists(deps: Deps) -> None:
    heir = an_heir(deps, "dummy", a_state({0: ("i-a", IPS[0])}), ["i-a"], oneform_hosts=1)
    assert heir.provision.template["oneform"]["owner"] == ""  # type: ignore[index]


@pytest.mark.parametrize(
    ("machines", "problem"),
    [
        (["i-a"], "has machines that are no host there: i-b"),
        (["i-a", "i-b", "i-c"], "does not have the machine of host 12 i-c"),
        (["i-a", "i-b", "i-b"], "two of its hosts are the same machine"),
    ],
)
def test_hosts_and_machines_have_to_be_the_same(deps: Deps, machines: list[str], problem: str) -> None:
    state = a_state({0: ("i-a", IPS[0]), 1: ("i-b", IPS[1])})
    with pytest.raises(WrongState, match=problem):
        an_heir(deps, "dummy", state, machines, oneform_hosts=2)
