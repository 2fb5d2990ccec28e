"""What is recorded of a template is recorded once, however often the planning begins anew."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from onecore import config
from onecore.bootstrap import open_deps
from onecore.deps import Deps
from onecore.errors import DriverFailed, InvalidInput, NotFound
from onecore.ids import MACHINE_NAME, GroupId, ProviderId, UserId
from onecore.machines.model import Kind, Resource, State, Wanted
from onecore.store import providers, resources
from oneprovision import enrolment, store
from oneprovision.model.provision import ObjectKind, Provision, StoredObject
from oneprovision.store import SCHEMA
from oneprovision.template_files import read
from oneprovision.usecases.provisions import CreateProvision, create
from tests.onecore.machines.bench import a_driver
from tests.oneprovision.builders import an_object
from tests.ssh_server import give_login_key

EXAMPLE = Path(__file__).parents[2] / "examples" / "dummy-cluster.yaml"


@pytest.fixture
def deps(tmp_path: Path) -> Iterator[Deps]:
    environ = {"ONE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "ONE_REMOTES": str(tmp_path / "remotes")}
    deps = open_deps(config.read(environ), (SCHEMA,))
    with closing(deps.database):
        yield deps


def recorded(deps: Deps, *sets: str) -> Provision:
    """A provision that waits to be carried out."""
    return create(replace(deps, waits=False), CreateProvision(read(EXAMPLE, sets)))


def planned(deps: Deps, provision: Provision) -> tuple[list[str], list[object]]:
    """Plan it; the names of the machines and addresses, and the objects, that are recorded then."""
    with deps.database.begin() as tx:
        enrolment.enrol(tx, deps, provision, enrolment.defaults(deps, None))
        names = [r.name for r in resources.of_owner(tx, provision.key)]
        return names, list(store.objects_of(tx, provision.id))


@pytest.mark.parametrize("hosts", [0, 2])
def test_planning_twice_records_once(deps: Deps, hosts: int):
    provision = recorded(deps, f"input.hosts={hosts}", "input.public_ips=2")
    first = planned(deps, provision)
    assert len(first[0]) == hosts + 2
    assert planned(deps, provision) == first


def test_a_leased_address_is_labelled_with_the_name_of_its_network(deps: Deps):
    provision = recorded(deps, "input.public_ips=1")
    planned(deps, provision)
    with deps.database.read() as tx:
        (address,) = (r for r in resources.of_owner(tx, provision.key) if r.kind is Kind.ADDRESS)
        networks = [o for o in store.objects_of(tx, provision.id) if o.kind is ObjectKind.NETWORK]
    assert address.label == f"AR 0 of {networks[1].name}"


# -- the records -------------------------------------------------------------------------------------------

LEASING = """
extensions: [list, allocate_ip, release_ip, list_ips]
limits: {list_lag_s: 30}
"""
WHOLE = {"list": "echo '[]'", "allocate_ip": "exit 1", "release_ip": "exit 1", "list_ips": "echo '[]'"}


def machines_of(deps: Deps, provision: Provision, kind: Kind = Kind.MACHINE) -> list[Resource]:
    with deps.database.read() as tx:
        return [r for r in resources.of_owner(tx, provision.key) if r.kind is kind]


def test_every_host_has_a_number_a_machine_and_is_out_of_service(deps: Deps):
    provision = recorded(deps, "input.hosts=3")
    _, objects = planned(deps, provision)
    hosts = [o for o in objects if isinstance(o, StoredObject) and o.kind is ObjectKind.HOST]
    machines = machines_of(deps, provision)
    assert [host.id for host in hosts] == [machine.number for machine in machines] == [0, 1, 2]
    assert [host.name for host in hosts] == [machine.label for machine in machines]
    assert not any(host.registered for host in hosts)
    assert all(MACHINE_NAME.fullmatch(machine.name) for machine in machines)
    assert all((m.state, m.wanted, m.deploy_id) == (State.NEW, Wanted.PRESENT, "") for m in machines)


def test_the_deployment_has_what_the_template_says_of_the_host(deps: Deps):
    provision = recorded(deps, "input.hosts=2")
    planned(deps, provision)
    second = machines_of(deps, provision)[1]
    parameters = second.deployment["provision"]
    assert isinstance(parameters, dict)
    assert (second.deployment["name"], second.deployment["pm_mad"]) == (second.name, "dummy")
    assert (parameters["rack"], parameters["plan"]) == ("rack-1", "small")
    assert (parameters["hostname"], parameters["provision_id"]) == (second.label, "0")


def test_numbers_go_on_over_provisions_and_addresses_count_in_their_network(deps: Deps):
    first, second = recorded(deps, "input.public_ips=2"), recorded(deps, "input.public_ips=2")
    planned(deps, first)
    planned(deps, second)
    assert [machine.number for machine in machines_of(deps, second)] == [3, 4, 5]
    for provision in (first, second):
        addresses = machines_of(deps, provision, Kind.ADDRESS)
        assert [address.number for address in addresses] == [0, 1]
    assert len({a.name for p in (first, second) for a in machines_of(deps, p, Kind.ADDRESS)}) == 4


@pytest.mark.parametrize(("asked", "lag"), [(0, 30.0), (5, 30.0), (90, 90.0)])
def test_the_list_of_a_machine_is_late_as_declared_or_as_the_template_says(deps: Deps, asked, lag):
    a_driver(deps.settings.home, "late", LEASING, **WHOLE)
    sets = (
        "defaults.provision.driver=late",
        "networks.1.ar.0.ipam_mad=late",
        f"defaults.provision.list_lag={asked}",
    )
    provision = recorded(deps, *sets, "input.hosts=1")
    planned(deps, provision)
    assert [machine.lag_s for machine in machines_of(deps, provision)] == [lag]


def test_the_list_of_addresses_is_late_as_declared(deps: Deps):
    a_driver(deps.settings.home, "late", LEASING, **WHOLE)
    provision = recorded(deps, "networks.1.ar.0.ipam_mad=late", "input.public_ips=2")
    planned(deps, provision)
    addresses = machines_of(deps, provision, Kind.ADDRESS)
    assert [(address.driver, address.lag_s) for address in addresses] == [("late", 30.0)] * 2


def test_more_hosts_go_on_counting_and_are_like_the_last(deps: Deps):
    provision = recorded(deps, "input.hosts=2")
    _, objects = planned(deps, provision)
    existing = [o for o in objects if isinstance(o, StoredObject)]
    specs = enrolment.more_hosts(provision, enrolment.defaults(deps, None), existing, 2)
    assert [spec.index for spec in specs] == [2, 3]
    assert [spec.provision["rack"] for spec in specs] == ["rack-2", "rack-3"]
    assert {spec.driver for spec in specs} == {"dummy"}


# -- refusals ----------------------------------------------------------------------------------------------


def refused(deps: Deps, *sets: str) -> None:
    """Nothing may be recorded of what is refused."""
    try:
        recorded(deps, *sets)
    finally:
        with deps.database.read() as tx:
            assert store.every(tx) == []
            assert resources.everything(tx) == []


def test_an_unknown_driver_is_refused(deps: Deps):
    with pytest.raises(NotFound, match="nowhere"):
        refused(deps, "defaults.provision.driver=nowhere")


def test_a_driver_that_is_not_whole_is_refused_before_anything_is_made(deps: Deps):
    folder = a_driver(deps.settings.home, "half", "")
    (folder / "cancel").unlink()
    with pytest.raises(DriverFailed, match=r"not whole: .*cancel is missing"):
        refused(deps, "defaults.provision.driver=half", "input.public_ips=0")


def test_a_parameter_that_the_driver_does_not_take_is_refused(deps: Deps):
    with pytest.raises(InvalidInput, match="latency"):
        refused(deps, "defaults.provision.latency=soon")


def test_a_driver_that_leases_no_addresses_is_refused_where_some_are_wanted(deps: Deps):
    a_driver(deps.settings.home, "plain", "")
    recorded(deps, "networks.1.ar.0.ipam_mad=plain", "input.public_ips=0")
    with pytest.raises(InvalidInput, match="'plain' cannot lease public addresses"):
        recorded(deps, "networks.1.ar.0.ipam_mad=plain", "input.public_ips=1")


# -- the public network ------------------------------------------------------------------------------------


def a_network(number: int, public: bool):
    return an_object(number, ObjectKind.NETWORK, body={"public": public})


def test_addresses_are_added_to_the_first_public_network(deps: Deps):
    provision = recorded(deps)
    networks = [a_network(3, False), a_network(4, True), a_network(5, True)]
    assert enrolment.public_network(networks, provision).id == 4


def test_without_a_public_network_the_way_to_one_is_said(deps: Deps):
    with pytest.raises(InvalidInput, match="has no public network") as failed:
        enrolment.public_network([a_network(3, False)], recorded(deps))
    assert "ipam_mad" in failed.value.hint


# -- the provider ------------------------------------------------------------------------------------------


def test_a_provider_adds_its_driver_and_parameters_below_the_template(deps: Deps):
    provider = providers.Provider(
        ProviderId(0), "cloud", "dummy", UserId(0), GroupId(0), 0o640, parameters={"plan": "big", "zone": "a"}
    )
    with deps.database.begin() as tx:
        providers.insert(tx, provider)
    given = enrolment.defaults(deps, 0)
    assert (given.driver, given.parameters) == ("dummy", {"plan": "big", "zone": "a"})
    spec = enrolment.previewed(replace(recorded(deps), provider_id=0), given)
    assert (spec.hosts[0].provision["plan"], spec.hosts[0].provision["zone"]) == ("small", "a")


def test_without_a_provider_nothing_is_added(deps: Deps):
    assert enrolment.defaults(deps, None) == enrolment.Defaults()


@pytest.mark.parametrize(("driver", "parameter"), [("ssh", "address"), ("dummy", "")])
def test_machines_that_exist_are_adopted_by_the_parameter_that_their_driver_declares(
    deps, driver, parameter, tmp_path, monkeypatch
):
    give_login_key(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    pattern = {"driver": driver, "ip": "192.0.2.1", "address": "192.0.2.1"}
    template = {"version": 1, "name": "w", "hosts": [{"provision": pattern}]}
    provision = create(replace(deps, waits=False), CreateProvision(template))
    given = enrolment.Defaults()
    assert enrolment.adopts(deps, provision, given, []) == parameter
    if parameter:
        (spec,) = enrolment.adopted_hosts(provision, given, [], ["192.0.2.7"], parameter)
        assert (spec.name, spec.provision[parameter]) == ("w-0", "192.0.2.7")
