import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.errors import InvalidInput
from oneprovision.model.evaluate import evaluate, host_at
from oneprovision.model.spec import ProvisionSpec
from tests.oneprovision.model.builders import a_context, a_template


def evaluated(text, *sets, **context):
    return evaluate(a_template(text, *sets), a_context(**context))


def a_host(entry="{}", head="", **context):
    return evaluated(f"name: web\n{head}\nhosts: [{entry}]", **context).hosts[0]


def test_a_template_with_nothing_but_a_name_is_a_cluster_of_that_name():
    spec = evaluated("name: other\ndescription: d\nplaybook: default")
    assert spec.name == "web"
    assert spec.cluster.name == "web"
    assert spec.playbooks == ("default",)
    assert spec.hosts == spec.datastores == spec.networks == ()


def test_a_host_has_the_built_in_defaults():
    host = a_host()
    assert (host.name, host.driver, host.im_mad, host.vm_mad) == ("web-0", "dummy", "kvm", "kvm")
    assert host.provision == {"hostname": "web-0"}
    assert host.connection.remote_user == "root"
    assert host.connection.remote_port == 22
    assert host.connection.private_key == "~/.ssh/id_rsa"
    assert host.connection.public_key == "~/.ssh/id_rsa.pub"


def test_the_host_beats_the_defaults_and_they_beat_the_provider():
    head = "defaults: {im_mad: lxc, provision: {b: 2, c: 2}, connection: {remote_user: admin}, "
    head += "configuration: {x: [1]}}"
    host = a_host(
        "{provision: {C: 3}, connection: {remote_port: 2222}, configuration: {x: [2], y: 1}}",
        head,
        default_parameters={"a": 1, "b": 1, "c": 1},
        default_connection={"private_key": "/k"},
    )
    assert host.provision == {"a": "1", "b": "2", "c": "3", "hostname": "web-0"}
    assert host.im_mad == "lxc"
    assert (host.connection.remote_user, host.connection.remote_port) == ("admin", 2222)
    assert (host.connection.private_key, host.connection.public_key) == ("/k", "/k.pub")
    assert host.configuration == {"x": [2], "y": 1}


def test_parameters_become_text_and_null_takes_one_away():
    host = a_host(
        "{provision: {on: true, n: 5, list: [7, 8], map: {a: 1}, gone: null, HOSTNAME: n0}}",
        "defaults: {provision: {gone: 1}}",
    )
    assert host.provision == {"on": "true", "n": "5", "list": "7,8", "map": '{"a": 1}', "hostname": "n0"}


def test_what_the_provider_adds_is_never_evaluated():
    assert a_host(default_parameters={"token": "${x}<% y %>"}).provision["token"] == "${x}<% y %>"


def test_other_attributes_of_a_host_are_kept_with_their_types():
    host = a_host("{reserved_cpu: 100, note: 'host ${index} of ${provision}', tags: ['${provision_id}']}")
    assert host.attributes == {"reserved_cpu": 100, "note": "host 0 of web", "tags": ["7"]}


def test_hosts_are_numbered_over_the_whole_provision():
    text = "name: web\nhosts: [{provision: {count: 2}}, {provision: {count: 0}}, {a: '${index}'}]"
    hosts = evaluated(text).hosts
    assert [(host.index, host.group, host.name) for host in hosts] == [
        (0, 0, "web-0"),
        (1, 0, "web-1"),
        (2, 2, "web-2"),
    ]
    assert hosts[2].attributes == {"a": "2"}


@pytest.mark.parametrize(("given", "count"), [({}, 2), ({"n": "4"}, 4), ({"n": 0}, 0)])
def test_the_count_may_be_an_input(given, count):
    text = "name: web\ninputs: [{name: n, type: number, default: 2}]\n"
    text += "hosts: [{provision: {count: '${input.n}'}}]"
    assert len(evaluated(text, inputs=given).hosts) == count


@pytest.mark.parametrize(
    ("count", "message"),
    [
        ("-1", r"hosts\[0\].provision.count: -1 is negative"),
        ("2.5", r"hosts\[0\].provision.count: 2.5 is not a whole number"),
        ("10001", r"hosts\[0\].provision.count: 10001 is more than 10000"),
        ("9999", "hosts: more than 10000 hosts"),
    ],
)
def test_a_count_that_makes_no_sense_is_refused(count, message):
    text = "name: w\ninputs: [{name: n, type: number}]\n"
    text += "hosts: [{provision: {count: '${input.n}'}}, {provision: {count: 2}}]"
    with pytest.raises(InvalidInput, match=message):
        evaluated(text, inputs={"n": count})


@pytest.mark.parametrize(
    ("entry", "head", "driver"),
    [
        ("{provision: {driver: a}}", "defaults: {provision: {driver: b}}", "a"),
        ("{}", "defaults: {provision: {driver: b}}", "b"),
        ("{}", "", "dummy"),
        ("{provision: {driver: '${input.d}'}}", "inputs: [{name: d, default: linode}]", "linode"),
    ],
)
def test_the_driver_is_the_nearest_one_named(entry, head, driver):
    host = a_host(entry, head)
    assert host.driver == driver
    assert "driver" not in host.provision


def test_a_missing_driver_and_one_with_a_path_are_refused():
    with pytest.raises(InvalidInput, match=r"hosts\[0\].provision.driver: is missing"):
        a_host(default_driver=None)
    with pytest.raises(InvalidInput, match=r"'\.\./\.\./bin' is not a driver name"):
        a_host("{provision: {driver: ../../bin}}")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{provision: {hostname: '-oProxyCommand=x'}}", "is not a host name"),
        ("{provision: {'a b': x}}", "cannot be the name of a parameter"),
        ("{connection: {remote_user: '-oProxyCommand=x'}}", r"connection.remote_user: .* cannot be used"),
        ('{connection: {private_key: "/k\\n"}}', "connection.private_key: .* cannot be used"),
        (
            "{connection: {remote_port: '${provision}'}}",
            "connection.remote_port: 'web' is not a whole number",
        ),
    ],
)
def test_what_could_be_taken_for_something_else_is_refused(entry, message):
    with pytest.raises(InvalidInput, match=message):
        a_host(entry)


def test_two_hosts_of_one_name_are_refused_naming_both():
    with pytest.raises(InvalidInput, match="host 1 has the name 'A' of host 0") as caught:
        evaluated("name: w\nhosts: [{provision: {hostname: a}}, {provision: {hostname: A}}]")
    assert "${index}" in caught.value.hint


@pytest.mark.parametrize(
    "kind",
    [
        "datastores: [{name: a, tm_mad: x, type: y}, {name: a, tm_mad: x, type: y}]",
        "networks: [{name: a, vn_mad: x}, {name: a, vn_mad: x}]",
    ],
)
def test_two_objects_of_one_name_are_refused(kind):
    with pytest.raises(InvalidInput, match="1 has the name 'a' of"):
        evaluated(f"name: w\n{kind}")


def test_datastores_and_networks_take_what_they_lack_from_the_defaults():
    spec = evaluated(
        "name: w\ndefaults: {tm_mad: ssh, ds_mad: fs, vn_mad: bridge}\n"
        "datastores: [{name: a}, {name: b, type: system_ds, tm_mad: nfs}]\nnetworks: [{name: n}]"
    )
    assert spec.datastores[0].attributes == {"tm_mad": "ssh", "ds_mad": "fs"}
    assert spec.datastores[1].attributes == {"type": "system_ds", "tm_mad": "nfs"}
    assert spec.networks[0].attributes == {"vn_mad": "bridge"}


def test_objects_are_named_by_number_or_by_either_of_their_names():
    text = (
        "name: w\ncluster: {name: c}\ndatastores: [{name: 'd', tm_mad: ssh, type: x}]\n"
        "hosts: [{a: '${cluster.0.id} ${datastore.d.id} ${datastore.d (7).tm_mad} ${cluster.c.name}'}]"
    )
    context = {"clusters": ({"ID": 100, "name": "c"},), "datastores": ({"id": 101, "name": "d (7)"},)}
    assert evaluated(text, **context).hosts[0].attributes == {"a": "100 101 ssh c"}


def test_an_object_that_does_not_exist_yet_has_no_id():
    with pytest.raises(InvalidInput, match="cluster '0' has no attribute 'id'"):
        evaluated("name: w\nhosts: [{a: '${cluster.0.id}'}]")


@pytest.mark.parametrize(
    ("network", "public", "addresses", "ipam"),
    [
        ("{vn_mad: bridge, ar: [{ip: 10.0.0.1, size: 5}]}", False, 0, ""),
        ("{vn_mad: bridge}", False, 0, ""),
        ("{vn_mad: elastic}", True, 0, ""),
        ("{vn_mad: bridge, netrole: Public}", True, 0, ""),
        ("{vn_mad: bridge, ar: [{ipam_mad: dummy}]}", True, 1, "dummy"),
        ("{vn_mad: bridge, ar: [{ipam_mad: dummy, size: 0}]}", True, 0, "dummy"),
        (
            "{vn_mad: bridge, ar: [{ipam_mad: d, size: '${input.ips}'}, {ip: 10.0.0.1}, {ipam_mad: d}]}",
            True,
            4,
            "d",
        ),
    ],
)
def test_leased_addresses_make_a_network_public(network, public, addresses, ipam):
    head = "name: w\ninputs: [{name: ips, type: number, default: 3}]\n"
    found = evaluated(f"{head}networks: [{{name: n, {network[1:]}]").networks[0]
    assert (found.public, found.addresses, found.ipam_mad) == (public, addresses, ipam)


def test_static_and_leased_ranges_are_told_apart():
    network = evaluated(
        "name: w\n"
        "networks: [{name: n, vn_mad: b, ar: [{ip: 10.0.0.1, size: 5}, {ipam_mad: dummy, type: ip4}]}]"
    ).networks[0]
    assert network.ranges == ({"ip": "10.0.0.1", "size": 5},)
    assert network.leased == ({"ipam_mad": "dummy", "type": "ip4"},)
    assert "ar" not in network.attributes


def test_two_address_drivers_in_one_network_are_refused():
    with pytest.raises(InvalidInput, match=r"networks\[0\].ar\[1\].ipam_mad: 'b' and 'a' in one network"):
        evaluated("name: w\nnetworks: [{name: n, vn_mad: x, ar: [{ipam_mad: a}, {ipam_mad: b}]}]")


def test_one_more_host_follows_the_last_pattern_or_the_one_asked_for():
    template = a_template("name: web\nhosts: [{provision: {plan: s}}, {provision: {plan: l, count: 0}}]")
    assert host_at(template, a_context(), 9).provision == {"plan": "l", "hostname": "web-9"}
    assert host_at(template, a_context(), 9, group=0).provision["plan"] == "s"


def test_there_is_no_pattern_without_hosts():
    with pytest.raises(InvalidInput, match="the template has no hosts"):
        host_at(a_template("name: web"), a_context(), 0)
    with pytest.raises(InvalidInput, match="there is no such entry"):
        host_at(a_template("name: web\nhosts: [{}]"), a_context(), 0, group=1)


TEXTS = st.sampled_from(["small", "${index}", "p-${provision}-${index}", "${input.n}", "<%= @id %>", "$${x}"])
ENTRIES = st.fixed_dictionaries(
    {
        "provision": st.fixed_dictionaries(
            {"count": st.integers(0, 3)}, optional={"plan": TEXTS, "zone": TEXTS}
        )
    },
    optional={
        "note": TEXTS,
        "configuration": st.dictionaries(st.sampled_from("ab"), st.lists(TEXTS, max_size=2)),
    },
)
TEMPLATES = st.builds(
    lambda hosts: {"version": 1, "name": "web", "inputs": [{"name": "n", "default": 5}], "hosts": hosts},
    st.lists(ENTRIES, min_size=1, max_size=3),
)


@settings(deadline=None)
@given(TEMPLATES)
def test_evaluating_twice_gives_the_same(template):
    assert evaluate(template, a_context()) == evaluate(template, a_context())


@settings(deadline=None)
@given(TEMPLATES)
def test_every_host_of_a_group_is_what_the_pattern_gives_for_its_number(template):
    for host in evaluate(template, a_context()).hosts:
        assert host_at(template, a_context(), host.index, host.group) == host
        if host.group == len(template["hosts"]) - 1:
            assert host_at(template, a_context(), host.index) == host


@settings(deadline=None)
@given(TEMPLATES)
def test_a_stored_provision_is_the_same_when_it_is_read_back(template):
    spec = evaluate(template, a_context())
    assert ProvisionSpec.from_json(spec.to_json()) == spec
