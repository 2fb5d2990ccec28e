"""Providers and provisions of OneForm's own server are taken over without touching a host."""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from oneprovision.engines import ipam
from tests.nebula.cloud import InCluster, Owned
from tests.oneform import BUILT_IN, tofu
from tests.scenario.oneform_law import Law
from tests.scenario.registered import Registered, registered

pytestmark = pytest.mark.scenario

SECRET = "t0ken-of-the-cloud"
PROVIDER, PROVISION = 3, 4
LEASED, EXTERNAL = "172.30.0.2", "203.0.113.1"


@pytest.fixture
def form(tmp_path) -> Iterator[Registered]:
    """Beside what OneForm made: two machines, their objects, and the documents that tell of them."""
    with registered(tmp_path) as home:
        applied = _applied(home, tmp_path / "terraform")
        _objects(home, [host["instance_ip"] for host in applied["outputs"]["provisioned_hosts"]["value"]])
        _documents(home, applied)
        yield home


def _applied(home: Registered, place: Path) -> Any:
    """What OpenTofu does when OneForm tells it to."""
    shutil.copytree(BUILT_IN / "dummy" / "terraform", place)
    tags = {"provision_id": str(PROVISION), "provider_id": str(PROVIDER), "driver": "dummy"}
    told = {"oneform_hosts": 2, "oneform_tags": tags, "token": SECRET}
    (place / "provision.auto.tfvars.json").write_text(json.dumps(told))
    for words in (("init",), ("apply", "-auto-approve")):
        subprocess.run(
            [tofu(), *words, "-no-color"], cwd=place, env=home.environment, check=True, capture_output=True
        )
    return json.loads((place / "terraform.tfstate").read_text())


def _objects(home: Registered, ips: list[str]) -> None:
    cloud = home.nebula.cloud
    tag = {"ONEFORM": {"PROVISION_ID": str(PROVISION), "PROVIDER_ID": str(PROVIDER), "DRIVER": "dummy"}}
    cloud.clusters[1] = Owned(1, "c1", 0, 0, dict(tag))
    for number, name in ((0, "system"), (1, "images")):
        cloud.datastores[number] = InCluster(number, name, 0, 0, {"TM_MAD": "ssh", **tag}, cluster=1)
    network = cloud.add_network("private")
    network.cluster, network.template = 1, dict(tag)
    public = cloud.add_network("public")
    public.cluster, public.template = 1, dict(tag)
    asked = {"SIZE": "1", "PROVISION_ID": str(PROVISION), "NAME": "lease-1"}
    public.ranges[1] = {"TYPE": "IP4", "SIZE": "1", **_ipam(home, "register_address_range", asked)}
    cloud.give_back = partial(_ipam, home, "unregister_address_range")
    for number, ip in enumerate(ips):
        cloud.hosts[number] = InCluster(
            number, ip, 0, 0, {"IM_MAD": "kvm", "VM_MAD": "kvm", **tag}, cluster=1
        )


def _ipam(home: Registered, script: str, given: Mapping[str, Any]) -> dict[str, str]:
    """What an OpenNebula does that has the scripts of this driver: the attributes that are answered."""
    tags = "".join(f"<{name}>{value}</{name}>" for name, value in given.items())
    xml = f"<IPAM_DRIVER_ACTION_DATA><AR>{tags}</AR></IPAM_DRIVER_ACTION_DATA>"
    done = subprocess.run(
        [BUILT_IN / "dummy" / "ipam" / script, "1"],
        input=base64.b64encode(xml.encode()),
        env={**home.environment, "ONE_HOME": str(home.path)},
        check=True,
        capture_output=True,
    )
    return ipam.attributes(done.stdout.decode())


def _documents(home: Registered, applied: Any) -> None:
    add = home.nebula.cloud.add_document
    for _ in range(PROVIDER):
        add(103, "old", {"state": 3}, tag="BODY")
    account = {
        "driver": "dummy",
        "connection": {"token": SECRET, "region": "nowhere"},
        "registration_time": 5,
    }
    add(103, "acc", account, tag="PROVIDER_BODY")
    hosts = applied["outputs"]["provisioned_hosts"]["value"]
    body = {
        "state": 6,
        "provider_id": PROVIDER,
        "deployment_file": "dummy_cluster",
        "user_inputs_values": {"oneform_hosts": 2, "oneform_public_ips": 1},
        "tfstate": base64.b64encode(json.dumps(applied).encode()).decode(),
        "registration_time": 6,
        "one_objects": {
            "cluster": {"id": 1, "name": "c1"},
            "datastores": [{"id": 0, "name": "system"}, {"id": 1, "name": "images"}],
            "networks": [
                {
                    "id": 0,
                    "name": "private",
                    "template": {"vn_mad": "dummy", "ar": [{"type": "IP4", "size": 9}]},
                },
                {
                    "id": 1,
                    "name": "public",
                    "template": {"vn_mad": "elastic", "ar": [{"ipam": "dummy", "ar_id": 1, "ip": LEASED}]},
                },
            ],
            "hosts": [
                {"id": at, "name": each["instance_ip"], "resource_id": each["instance_id"]}
                for at, each in enumerate(hosts)
            ],
        },
    }
    add(104, "c1", body, tag="PROVISION_BODY")
    add(104, "busy", {**body, "state": 7}, tag="PROVISION_BODY")
    add(104, "stranger", body, tag="PROVISION_BODY")
    add(104, "lost", {**body, "tfstate": {}}, tag="PROVISION_BODY")
    objects: Any = body["one_objects"]
    short = {**body, "one_objects": {**objects, "hosts": objects["hosts"][:1]}}
    add(104, "short", short, tag="PROVISION_BODY")


def test_what_oneform_made_is_told_taken_over_once_and_goes_on(form: Registered) -> None:
    law, before = Law(form.path), form.there()
    machines = law.existing()
    told = form.run("import", "--dry-run")
    assert "provider 0 (old): NOT taken over: it has no PROVIDER_BODY: it is not OneForm's" in told.out
    assert f"provider {PROVIDER} (acc): oneform/dummy\n" in told.out
    hosts = ", ".join(f"{at} {ip}" for at, ip in enumerate(sorted(machines)))
    heir = f"provision {PROVISION} (c1): oneform/dummy dummy_cluster, hosts {hosts}"
    assert f"{heir}, public addresses {LEASED}\n" in told.out
    assert "provision 5 (busy): NOT taken over: it is SCALING there" in told.out
    assert "provision 6 (stranger): NOT taken over: its cluster 1 c1 is not tagged as of it" in told.out
    assert "provision 7 (lost): NOT taken over: it has no OpenTofu state" in told.out
    assert "provision 8 (short): NOT taken over: its OpenTofu state has machines that are no host" in told.out
    assert form.run("list", "-j").json["DOCUMENT_POOL"]["DOCUMENT"] == []
    alone = form.run("import", PROVISION, code=5)
    assert f"its provider {PROVIDER} is not taken over" in alone.out
    form.run("import", PROVIDER, PROVISION)
    again = form.run("import", PROVIDER, PROVISION, code=5)
    assert f"there is a provision {PROVISION} here already" in again.out
    law.holds(2, PROVISION)
    assert (law.existing(), form.there()) == (machines, before)
    assert not {call for call in form.nebula.calls if not call.endswith(("info", "infoextended"))}
    assert SECRET not in told.out + told.err
    shown = form.show(PROVISION)["one_objects"]["hosts"]
    assert [(host["opennebula_id"], host["configuration"]) for host in shown] == [
        (0, "configured"),
        (1, "configured"),
    ]
    assert public(form) == [(1, EXTERNAL)]
    added = form.run("add-host", PROVISION)
    assert "site.yaml on 1 hosts" in added.err
    assert machines.items() < law.existing().items(), "the machines that were there are the same ones"
    law.holds(3, PROVISION)
    assert form.ranges() == {LEASED}
    more = form.run("add-ip", PROVISION)
    assert "AR 2 of public: ready" in more.err
    assert len(law.addresses()) == 2
    form.run("remove-ip", PROVISION, 1)
    ((number, _),) = public(form)
    assert (number, len(form.ranges()), len(law.addresses())) == (2, 1, 1)
    form.run("deprovision", PROVISION, "--yes")
    assert law.addresses() == set()
    assert (law.existing(), form.there()) == ({}, [])


def public(form: Registered) -> list[tuple[int, str]]:
    """The public addresses of the provision, by their numbers."""
    networks = form.show(PROVISION)["one_objects"]["networks"]
    return [(ar["ar_id"], ar["ip"]) for net in networks for ar in net["ar"] if ar.get("ipam_mad")]
