"""Documents of OneForm's own server: what is one of a provision that rests, and what is not."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from onecore.errors import OneError
from oneprovision.model import foreign
from oneprovision.model.provision import ObjectKind

STATE = '{"version": 4}'


def a_body(**changed: object) -> str:
    body: dict[str, Any] = {
        "state": 6,
        "provider_id": 3,
        "deployment_file": "ssh_cluster.j2",
        "user_inputs_values": {"oneform_hosts": 1},
        "tfstate": base64.b64encode(STATE.encode()).decode(),
        "one_objects": {
            "cluster": {"id": 100, "name": "c1"},
            "hosts": [{"id": 5, "name": "10.0.0.1", "resource_id": "i-1"}],
            "networks": [{"id": 2, "name": "private", "template": {"ar": {"type": "IP4", "size": 2}}}],
        },
    }
    return json.dumps({**body, **changed})


@pytest.mark.parametrize("state", [6, "6", "RUNNING"])
def test_a_provision_that_runs_is_read_with_its_objects(state):
    read = foreign.provision(a_body(state=state))
    assert (read.provider_id, read.deployment, read.tofu_state) == (3, "ssh_cluster", STATE)
    assert [(each.kind, each.number) for each in read.objects] == [
        (ObjectKind.CLUSTER, 100),
        (ObjectKind.NETWORK, 2),
        (ObjectKind.HOST, 5),
    ]
    assert foreign.ranges(read.of_kind(ObjectKind.NETWORK)[0]) == [{"type": "IP4", "size": 2}]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"state": "SCALING"}, "it is SCALING there"),
        ({"tfstate": {}}, "no OpenTofu state"),
        ({"tfstate": "s3cret!"}, "its OpenTofu state cannot be read"),
        ({"one_objects": []}, "is not as OneForm writes it"),
        ({"one_objects": {"cluster": {"name": "c1", "id": None}}}, "cluster c1 is not registered there yet"),
    ],
)
def test_what_does_not_rest_or_cannot_be_read_is_named(changed, problem):
    with pytest.raises(OneError, match=problem) as caught:
        foreign.provision(a_body(**changed))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "c2VhbGVk", "[]"])
def test_what_is_no_body_is_none_of_oneform(text):
    for read in (foreign.provider, foreign.provision):
        with pytest.raises(OneError):
            read(text)


def test_ranges_that_a_cloud_leased_are_told_from_static_ones():
    ar = [{"type": "IP4", "size": 2}, {"ipam": "aws", "ar_id": 1, "ip": "203.0.113.9"}]
    network = foreign.ForeignObject(ObjectKind.NETWORK, 2, "public", {"ar": ar})
    assert (foreign.ranges(network), foreign.leased(network)) == (ar[:1], [1])
    nameless = replace(network, template={"ar": {"ipam": "aws"}})
    with pytest.raises(OneError, match="network 2 has a leased address range without a number"):
        foreign.leased(nameless)
