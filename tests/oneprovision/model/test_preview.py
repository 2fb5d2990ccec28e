import json
from typing import Any

from hypothesis import given, settings

from oneprovision.model.evaluate import evaluate
from oneprovision.model.preview import dump, offline_context
from tests.oneprovision.model.builders import a_context, a_document, a_template
from tests.oneprovision.model.test_evaluate import TEMPLATES


def test_everything_is_counted_from_zero_before_it_exists():
    template = a_template(
        "name: web\ncluster: {name: 'c-${provision_id}'}\n"
        "datastores: [{name: a, tm_mad: x, type: y}, {name: 'b-${cluster.0.id}', tm_mad: x, type: y}]\n"
        "networks: [{name: n, vn_mad: x, d: '${datastore.b-0.id}'}]\n"
        "hosts: [{a: '${network.n.id} ${host.1.id}', provision: {count: 2}}]"
    )
    spec = evaluate(template, offline_context(template, default_driver="dummy"))
    assert spec.cluster.name == "c-0"
    assert spec.networks[0].attributes["d"] == "1"
    assert spec.hosts[0].attributes == {"a": "0 1"}


def test_the_name_may_be_another_one():
    assert offline_context(a_template("name: web"), name="db").name == "db"


def test_a_dump_is_a_template_with_every_host_written_out():
    template = a_template(
        "name: web\ndescription: d\nplaybook: [p]\ninputs: [{name: n, type: number, default: 2}]\n"
        "hosts: [{provision: {count: '${input.n}', plan: s}, connection: {private_key: /k}, "
        "reserved_cpu: 5}]\n"
        "networks: [{name: n, vn_mad: b, ar: [{ip: 10.0.0.1}, {ipam_mad: dummy, size: '${input.n}'}]}]"
    )
    dumped: Any = dump(evaluate(template, a_context()))
    connection = {"remote_user": "root", "remote_port": 22, "public_key": "/k.pub", "private_key": "/k"}
    assert dumped["hosts"][1] == {
        "im_mad": "kvm",
        "vm_mad": "kvm",
        "provision": {"driver": "dummy", "plan": "s", "hostname": "web-1"},
        "connection": connection,
        "configuration": {},
        "reserved_cpu": 5,
    }
    assert dumped["networks"] == [
        {"name": "n", "vn_mad": "b", "ar": [{"ip": "10.0.0.1"}, {"ipam_mad": "dummy", "size": 2}]}
    ]
    assert (dumped["description"], dumped["playbook"], "inputs" in dumped) == ("d", ["p"], False)


@settings(deadline=None, max_examples=50)
@given(TEMPLATES)
def test_a_dump_evaluates_to_the_same_hosts(template):
    spec = evaluate(template, a_context())
    again = evaluate(a_template(json.dumps(dump(spec))), a_context())
    assert [host.provision for host in again.hosts] == [host.provision for host in spec.hosts]
    assert [host.attributes for host in again.hosts] == [host.attributes for host in spec.hosts]
    assert [host.configuration for host in again.hosts] == [host.configuration for host in spec.hosts]
    assert a_document(json.dumps(dump(again))).data == dump(spec)
