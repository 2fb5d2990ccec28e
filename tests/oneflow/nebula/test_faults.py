"""What becomes of services when their OpenNebula cannot be reached, forgets to answer, or we die: nothing is
made twice, and nothing is left behind."""

import time
from dataclasses import replace

import pytest

from onecore.notice import Notice
from onecore.opennebula.client import NoAnswer, Refused, Unreachable
from oneflow.model.states import ServiceState
from oneflow.nebula.records import MARK
from oneflow.usecases import services
from tests.oneflow.builders import a_role
from tests.oneflow.nebula.site import Site

INSTANTIATE = "one.template.instantiate"
POOL, MEASURED = "one.vmpool.infoextended", "one.vmpool.monitoring"
POST = "libcurl failed to execute the HTTP POST transaction, explaining:"


class Killed(BaseException):
    """As by kill -9: nothing of this process goes on."""


def test_a_vm_whose_answer_was_lost_is_found_again_by_its_mark(site: Site):
    site.nebula.faults.lost_after[INSTANTIATE] = 2
    site.running(a_role(cardinality=3))
    assert (len(site.vms()), site.nebula.calls[INSTANTIATE]) == (3, 3)
    assert {str(vm.id) for vm in site.vms()} == site.recorded()
    assert len({vm.user_template[MARK] for vm in site.vms()}) == 3


@pytest.mark.parametrize("fault", ["lost_before", "cut", "garbled"])
def test_the_pool_is_asked_for_again_when_its_answer_cannot_be_read(site: Site, fault):
    site.hurry()
    getattr(site.nebula.faults, fault)["one.vmpool.infoextended"] = 2
    site.running(a_role(cardinality=2))
    site.end()
    assert site.vms() == []


def test_a_server_that_is_down_is_waited_for(site: Site):
    said: list[Notice] = []
    site.deps = replace(site.deps, notify=said.append)
    number = site.service(a_role(cardinality=2))
    site.nebula.stop()

    def started_again() -> bool:
        if waits(said) and not site.nebula.is_up:
            site.nebula.start()
        return site.state(number) is ServiceState.RUNNING

    site.drive(started_again)
    assert (len(site.vms()), site.nebula.calls[INSTANTIATE]) == (2, 2)
    assert any("answers again" in notice.text for notice in said)


def test_a_token_that_expired_is_replaced_in_its_file(site: Site):
    cloud = site.nebula.cloud
    cloud.users[0].tokens["a-token"] = time.time() + 3600
    site.auth.write_text("oneadmin:a-token")
    said: list[Notice] = []
    site.deps = replace(site.deps, notify=said.append)
    number = site.service()
    del cloud.users[0].tokens["a-token"]

    def renewed() -> bool:
        if waits(said):
            site.auth.write_text("oneadmin:secret")
        return site.state(number) is ServiceState.RUNNING

    site.drive(renewed)
    assert len(site.vms()) == 1


def test_who_stops_waiting_for_a_server_that_is_down_stops_at_once(site: Site):
    said: list[Notice] = []
    site.deps = replace(site.deps, notify=said.append)
    site.service()
    site.nebula.stop()
    site.drive(lambda: waits(said))
    site.nebula.start()
    site.reach(ServiceState.RUNNING)
    assert len(site.vms()) == 1


def test_a_removal_whose_answer_was_lost_is_no_failure(site: Site):
    site.running(a_role(cardinality=2))
    site.nebula.faults.lost_after["one.vm.action"] = 2
    site.end()
    assert site.vms() == []


@pytest.mark.parametrize("boundary", ["driver started", "driver ended"])
@pytest.mark.parametrize("nth", [1, 2])
def test_whoever_comes_after_a_crash_makes_nothing_twice_and_leaves_nothing(site: Site, boundary, nth):
    site.hurry()
    site.service(a_role(cardinality=2))
    killed_at(site, boundary, nth)
    site.reach(ServiceState.RUNNING)
    assert {str(vm.id) for vm in site.vms()} == site.recorded()
    assert len(site.vms()) == 2
    services.shutdown(site.deps, 0)
    killed_at(site, boundary, nth)
    site.reach(ServiceState.DONE)
    assert site.vms() == []


@pytest.mark.parametrize(
    ("version", "calls"),
    [((5, 12, 0), {POOL}), ((6, 0, 0), {POOL, MEASURED}), ((7, 2, 0), {POOL, MEASURED})],
)
def test_one_look_at_the_pool_for_all_services_in_each_round(site: Site, version, calls):
    """Ten services at rest cost as much as one. What was measured is a call of its own from 6.0 on."""
    site.nebula.cloud.version = version
    watch_s = 0.2
    site.watch(watch_s)
    for _ in range(10):
        site.service(a_role(cardinality=2))
    site.drive(lambda: all(site.state(n) is ServiceState.RUNNING for n in site.numbers()))
    site.nebula.calls.clear()
    begun = time.monotonic()
    site.drive(lambda: min(site.nebula.calls[call] for call in calls) >= 5)
    rounds = (time.monotonic() - begun) / watch_s
    assert set(site.nebula.calls) == calls
    assert all(count <= rounds + 2 for count in site.nebula.calls.values())


def test_a_server_that_does_not_tell_what_was_measured_stops_nothing(site: Site):
    site.nebula.faults.refuses[MEASURED] = "SQL error"
    site.running(a_role(cardinality=2))
    site.end()
    assert site.vms() == []


def waits(said: list[Notice]) -> bool:
    return any("waiting for OpenNebula" in notice.text for notice in said)


def killed_at(site: Site, boundary: str, nth: int) -> None:
    """Work until the n-th time that this point is passed, and go no further."""
    left = [nth]

    def fall(name: str) -> None:
        left[0] -= name == boundary
        if left[0] == 0:
            raise Killed

    dying = replace(site.opened(), boundary=fall, clock=site.deps.clock)
    try:
        site.drive(lambda: False, dying)
    except Killed:
        return
    raise AssertionError("it was not killed")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("RPC call timed out and aborted", NoAnswer),
        (f"{POST}  Failed to connect to 10.0.0.2 port 2633: Connection refused", NoAnswer),
        ("HTTP response code is 502, not 200", NoAnswer),
        ("Unable to transport XML to server and get XML response back.  Empty reply from server", NoAnswer),
        ("Response XML from server is not valid XML-RPC response.  not XML", NoAnswer),
        ("Cannot process request, no leader found", Unreachable),
        ("no quota", Refused),
    ],
)
def test_a_server_that_does_not_lead_has_not_refused(site: Site, text, error):
    site.nebula.faults.refuses["one.vm.action"] = text
    assert site.deps.nebula is not None
    with pytest.raises(error, match=text):
        site.deps.nebula.client.call("vm.action", "terminate", 0)
