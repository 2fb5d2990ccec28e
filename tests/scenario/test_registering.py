"""A provision with its objects in an OpenNebula, from its creation to its end."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.scenario.command import CLUSTER, ONCE, ROOT
from tests.scenario.registered import Registered, registered

pytestmark = pytest.mark.scenario


@pytest.fixture
def form(tmp_path) -> Iterator[Registered]:
    with registered(tmp_path) as home:
        yield home


def test_a_provision_lives_with_its_objects_there(form: Registered):
    form.run("create", CLUSTER, "--set", "input.hosts=2")
    names = ["dummy-cluster", "dummy-cluster-images", "dummy-cluster-system"]
    networks = ["dummy-cluster-private", "dummy-cluster-public"]
    assert form.there()[:5] == [*names, *networks]
    assert form.tags() == [("0", "0"), ("0", "1")]
    assert [host.status for host in form.nebula.cloud.hosts.values()] == [0, 0]
    shown = form.show()["one_objects"]
    assert (shown["cluster"]["opennebula_id"], len(shown["hosts"])) == (1, 2)
    form.run("add-host", 0)
    form.run("del-host", 0, "--host-ids", 0)
    assert form.tags() == [("0", "1"), ("0", "2")]
    cloud = form.nebula.cloud
    vm = cloud.instantiate(cloud.users[0], cloud.add_template("tty"), "mine", False, {})
    cloud.hosts[1].holds, cloud.datastores[0].holds = [vm.id], [9]
    refused = form.run("deprovision", 0, "--yes", code=1)
    assert "host 1 dummy-cluster-1 has VMs 0; datastore 0 dummy-cluster-images has images 9" in refused.err
    assert (len(form.machines()), len(cloud.living())) == (2, 1)
    form.run("deprovision", 0, "--yes", "--force")
    assert (form.there(), form.machines(), cloud.living()) == ([], {}, [])


def test_an_opennebula_that_is_away_leaves_nothing_twice_and_nothing_behind(form: Registered):
    form.nebula.faults.lost_after["one.datastore.allocate"] = 1
    failed = form.run("create", CLUSTER, *ONCE, "--set", "input.hosts=1", code=1)
    assert "one.datastore.allocate" in failed.err
    form.run("retry", 0)
    assert len(form.there()) == 6
    form.nebula.stop()
    waiting = form.start("deprovision", 0, "--yes")
    waiting.says("waiting for OpenNebula")
    waiting.kill()
    assert len(form.machines()) == 1
    waiting = form.start("retry", 0)
    waiting.says("waiting for OpenNebula")
    form.nebula.start()
    waiting.end()
    assert (form.there(), form.machines()) == ([], {})


def test_embedded_registers_nothing_and_what_is_registered_is_not_forgotten(form: Registered):
    form.run("--embedded", "create", CLUSTER, "--set", "input.hosts=1")
    assert form.there() == []
    form.run("create", CLUSTER, "--set", "input.hosts=1", "--set", "name=other", "--name", "other")
    assert len(form.there()) == 6
    refused = form.run("--embedded", "deprovision", 1, "--yes", code=1)
    assert "are in the OpenNebula at" in refused.err
    assert len(form.there()) == 6
    forgotten = form.run("delete", 1, "--from-db", "--yes")
    assert "cluster 1 other stays in the OpenNebula at" in forgotten.err


def test_public_addresses_are_ranges_of_their_network_while_they_are_leased(form: Registered):
    form.run("create", CLUSTER, *ONCE, "--set", "input.hosts=1", "--set", "input.public_ips=2")
    assert form.ranges() == form.leased() != set()
    form.nebula.faults.lost_after["one.vn.add_ar"] = 1
    failed = form.run("add-ip", 0, code=1)
    assert "one.vn.add_ar" in failed.err
    form.run("retry", 0)
    assert form.ranges() == form.leased()
    assert len(form.leased()) == 3
    public = form.nebula.cloud.networks[1]
    public.leased = set(public.ranges)
    refused = form.run("remove-ip", 0, 0, code=1)
    assert "Address Range has leases in use" in refused.err
    assert len(form.leased()) == 3, "what a VM may use is not given back"
    public.leased = set()
    form.run("--embedded", "retry", 0, code=1)
    assert len(form.leased()) == 3
    form.run("retry", 0)
    assert form.ranges() == form.leased()
    assert len(form.leased()) == 2
    form.run("deprovision", 0, "--yes")
    assert (form.there(), form.leased()) == ([], set())


def test_what_is_adopted_into_a_provision_is_registered_with_it(form: Registered):
    form.run("create", CLUSTER, *ONCE, "--set", "input.hosts=1", "--set", "input.public_ips=1")
    (name, text), *_ = form.machines().items()
    stray = "provision-" + "5" * 48
    other = re.sub(r"(?m)^IP=.*$", "IP=192.0.2.200", text.replace(name, stray))
    (form.cloud / "machines" / stray).write_text(other)
    form.run("orphans", "--adopt", "--provision", 0)
    assert form.tags() == [("0", "0"), ("0", "1")]
    assert [host.status for host in form.nebula.cloud.hosts.values()] == [0, 0]
    assert [host["opennebula_id"] for host in form.show()["one_objects"]["hosts"]] == [0, 1]
    form.run("deprovision", 0, "--yes")
    assert (form.there(), form.machines()) == ([], {})


def test_where_its_library_is_missing_nothing_is_made(form: Registered):
    code = "import sys; sys.modules['pyone'] = None; from oneprovision.__main__ import main; sys.exit(main())"
    argv = [sys.executable, "-c", code, "create", CLUSTER]
    done = subprocess.run(argv, env=form.environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'onesuite[opennebula]'" in done.stderr
    assert form.run("list", "--csv", "--no-header").out == ""
