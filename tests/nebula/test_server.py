"""The test server is held to pyone: what it answers is read by pyone, what it refuses is raised by pyone."""

import itertools
from typing import Any
from xmlrpc.client import ServerProxy

import pyone
import pytest

from tests.nebula import states
from tests.nebula.cloud import Cloud
from tests.nebula.server import Nebula, serving


class Clock:
    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def nebula():
    with serving(Cloud(Clock(), pace=1.0)) as running:
        running.cloud.add_template("small", CPU="1", MEMORY="512", CONTEXT={"NETWORK": "YES"})
        yield running


def client(nebula: Nebula, session: str = "oneadmin:secret"):
    return pyone.OneServer(nebula.url, session)


def after(nebula: Nebula, seconds: float) -> None:
    clock: Any = nebula.cloud.now
    clock.at += seconds


def test_a_vm_is_made_of_a_template_and_comes_to_run(nebula):
    one = client(nebula)
    number = one.template.instantiate(0, "web_0", False, 'SERVICE_ID="5"\nCONTEXT=[A="b \\"c\\""]', False)
    seen = []
    for _ in range(4):
        vm = one.vm.info(number)
        seen.append((vm.STATE, vm.LCM_STATE))
        after(nebula, 1.0)
    assert seen == [(3, 1), (3, 2), (3, 3), (3, 3)]
    assert vm.NAME == "web_0"
    assert vm.USER_TEMPLATE["SERVICE_ID"] == "5"
    context = {"A": 'b "c"', "DISK_ID": "1", "TARGET": "hda"}
    assert vm.TEMPLATE["CONTEXT"] == context, "vectors of the same name are replaced, as oned does"
    assert vm.TEMPLATE["MEMORY"] == "512"


def test_a_held_vm_waits_until_it_is_released(nebula):
    one = client(nebula)
    number = one.template.instantiate(0, "held", True, "", False)
    after(nebula, 9.0)
    assert one.vm.info(number).STATE == states.HOLD
    one.vm.action("release", number)
    after(nebula, 9.0)
    assert one.vm.info(number).LCM_STATE == states.RUNNING


@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("poweroff", states.POWEROFF),
        ("poweroff-hard", states.POWEROFF),
        ("undeploy", states.UNDEPLOYED),
        ("undeploy-hard", states.UNDEPLOYED),
        ("stop", states.STOPPED),
        ("suspend", states.SUSPENDED),
        ("terminate", states.DONE),
        ("terminate-hard", states.DONE),
        ("reboot", states.ACTIVE),
        ("reboot-hard", states.ACTIVE),
    ],
)
def test_a_running_vm_can_be_acted_on(nebula, action, state):
    one = client(nebula)
    number = a_running_vm(nebula)
    one.vm.action(action, number)
    after(nebula, 9.0)
    assert one.vm.info(number).STATE == state


def test_what_is_off_can_be_resumed(nebula):
    one = client(nebula)
    for action in ("poweroff", "undeploy", "stop", "suspend"):
        number = a_running_vm(nebula)
        one.vm.action(action, number)
        after(nebula, 9.0)
        one.vm.action("resume", number)
        after(nebula, 9.0)
        assert one.vm.info(number).LCM_STATE == states.RUNNING, action


def test_an_action_that_the_state_does_not_allow_is_refused(nebula):
    number = client(nebula).template.instantiate(0, "booting", False, "", False)
    for action in ("terminate", "terminate-hard", "poweroff", "resume", "hold"):
        with pytest.raises(pyone.OneActionException, match="not available"):
            client(nebula).vm.action(action, number)
    with pytest.raises(pyone.OneActionException, match=r'Action "shutdown" is not supported'):
        client(nebula).vm.action("shutdown", number)


def test_recover_deletes_what_cannot_be_terminated(nebula):
    one = client(nebula)
    number = one.template.instantiate(0, "booting", False, "", False)
    one.vm.recover(number, states.RECOVER_DELETE)
    after(nebula, 9.0)
    assert one.vm.info(number).STATE == states.DONE


def test_a_boot_that_fails_can_be_retried(nebula):
    one = client(nebula)
    number = one.template.instantiate(0, "broken", False, "SIM_FAILS=BOOT", False)
    after(nebula, 9.0)
    assert one.vm.info(number).LCM_STATE == states.BOOT_FAILURE
    one.vm.recover(number, states.RECOVER_RETRY)
    after(nebula, 9.0)
    assert one.vm.info(number).LCM_STATE == states.RUNNING


def test_what_is_at_rest_is_deleted_at_once_and_recreated_only_from_some_states(nebula):
    one = client(nebula)
    number = a_running_vm(nebula)
    one.vm.recover(number, states.RECOVER_RETRY)  # of no use, and no error
    one.vm.action("poweroff", number)
    one.vm.action("poweroff-hard", number)
    after(nebula, 9.0)
    assert one.vm.info(number).STATE == states.POWEROFF
    with pytest.raises(pyone.OneActionException, match="powered off"):
        one.vm.recover(number, states.RECOVER_RECREATE)
    with pytest.raises(pyone.OneActionException, match="perform a retry"):
        one.vm.recover(number, states.RECOVER_RETRY)
    with pytest.raises(pyone.OneActionException, match="recovery operation"):
        one.vm.recover(number, 9)
    one.vm.recover(number, states.RECOVER_DELETE)
    assert one.vm.info(number).STATE == states.DONE
    with pytest.raises(pyone.OneActionException, match="already in DONE"):
        one.vm.recover(number, states.RECOVER_RECREATE)


def test_disks_go_back_to_a_snapshot_while_the_vm_is_off(nebula):
    one = client(nebula)
    number = a_running_vm(nebula)
    one.vm.disksnapshotcreate(number, 0, "first")
    after(nebula, 9.0)
    with pytest.raises(pyone.OneActionException, match="wrong state"):
        one.vm.disksnapshotrevert(number, 0, 0)
    one.vm.action("poweroff", number)
    after(nebula, 9.0)
    one.vm.disksnapshotrevert(number, 0, 0)
    after(nebula, 9.0)
    one.vm.disksnapshotdelete(number, 0, 0)
    after(nebula, 9.0)
    assert one.vm.info(number).STATE == states.POWEROFF


def test_snapshots_have_numbers(nebula):
    one = client(nebula)
    number = a_running_vm(nebula)
    assert one.vm.snapshotcreate(number, "before") == 0
    after(nebula, 9.0)
    one.vm.snapshotrevert(number, 0)
    after(nebula, 9.0)
    assert one.vm.disksnapshotcreate(number, 0, "disk") == 0
    after(nebula, 9.0)
    with pytest.raises(pyone.OneActionException, match="does not exist"):
        one.vm.snapshotdelete(number, 7)


def test_the_pool_has_every_vm_that_is_not_done(nebula):
    one = client(nebula)
    first, second = a_running_vm(nebula), a_running_vm(nebula)
    one.vm.action("terminate", first)
    after(nebula, 9.0)
    pool = one.vmpool.infoextended(-2, -1, -1, -1)
    assert [vm.ID for vm in pool.VM] == [second]
    assert [vm.ID for vm in one.vmpool.infoextended(-2, -1, -1, -2).VM] == [first, second]
    assert pool.VM[0].USER_TEMPLATE["ROLE_NAME"] == "web"
    assert pool.VM[0].HISTORY_RECORDS.HISTORY[0].HOSTNAME == "node-1"


@pytest.mark.parametrize(("version", "pooled"), [((5, 12, 0), True), ((6, 0, 0), False)])
def test_what_was_measured_left_the_pool_with_6_0(nebula, version, pooled):
    nebula.cloud.version = version
    number = a_running_vm(nebula)
    with ServerProxy(nebula.url) as plain:  # pyone's bindings leave open what is measured
        one: Any = plain.one
        session, measured = "oneadmin:secret", "<CPU>1.5</CPU>"
        assert measured in one.vm.info(session, number)[1]
        assert (measured in one.vmpool.infoextended(session, -2, -1, -1, -1)[1]) is pooled
        if not pooled:
            assert measured in one.vmpool.monitoring(session, -2, 0)[1]
    if pooled:
        with pytest.raises(pyone.OneException, match="not defined"):
            client(nebula).vmpool.monitoring(-2, 0)
    else:
        assert [record.ID for record in client(nebula).vmpool.monitoring(-2, 0).MONITORING] == [number]
        nebula.cloud.add_user("alice", "alice's")
        assert client(nebula, "alice:alice's").vmpool.monitoring(-2, 0).MONITORING == []


def test_strangers_see_nothing_and_may_nothing(nebula):
    number = a_running_vm(nebula)
    nebula.cloud.add_user("alice", "alice's")
    alice = client(nebula, "alice:alice's")
    assert alice.vmpool.infoextended(-2, -1, -1, -1).VM == []
    with pytest.raises(pyone.OneAuthorizationException):
        alice.vm.info(number)
    with pytest.raises(pyone.OneAuthorizationException):
        alice.template.instantiate(0, "hers", False, "", False)
    client(nebula).vm.chown(number, 1, 1)
    assert alice.vm.info(number).UNAME == "alice"
    alice.vm.update(number, "READY=YES", 1)
    assert alice.vm.info(number).USER_TEMPLATE["READY"] == "YES"
    with pytest.raises(pyone.OneAuthorizationException):
        alice.vm.chown(number, 0, 0)
    with pytest.raises(pyone.OneAuthorizationException):
        alice.vm.recover(number, states.RECOVER_DELETE)


def test_who_asks_is_told_of_himself(nebula):
    alice = nebula.cloud.add_user("alice", "alice's")
    alice.tokens["a-token"] = nebula.cloud.now.at + 60
    told = client(nebula, "alice:a-token").user.info(-1)
    assert (told.ID, told.NAME, told.GID, told.GROUPS.ID) == (1, "alice", 1, [1])
    after(nebula, 61.0)
    for session in ("alice:a-token", "alice:wrong", "nobody:x"):
        with pytest.raises(pyone.OneAuthenticationException):
            client(nebula, session).user.info(-1)


def test_an_administrator_has_tokens_made_for_others(nebula):
    nebula.cloud.add_user("alice", "alice's")
    """Not for all of their groups, which are not those of who asks; and not more than ten."""
    one = client(nebula)
    with pytest.raises(pyone.OneApiException, match="Cannot create a full token"):
        one.user.login("alice", "", 600, -1)
    token = one.user.login("alice", "", 600, 1)
    assert client(nebula, f"alice:{token}").user.info(-1).NAME == "alice"
    with pytest.raises(pyone.OneAuthorizationException):
        client(nebula, f"alice:{token}").user.login("oneadmin", "", 600, -1)
    assert [one.user.login("alice", "a-token", 600, 1) for _ in range(2)] == ["a-token", "a-token"]
    for _ in range(8):
        one.user.login("alice", "", 600, 1)
    with pytest.raises(pyone.OneApiException, match="Max number of tokens"):
        one.user.login("alice", "", 600, 1)
    after(nebula, 601.0)
    one.user.login("alice", "", 600, 1)


def test_arguments_have_to_be_of_their_types_and_number(nebula):
    one = client(nebula)
    for arguments in (
        ("0", "n", False, "", False),
        (0, "n", 0, "", False),
        (0,),
        (0, "n", False, "", False, 1),
    ):
        with pytest.raises(pyone.OneException, match="argument"):
            one.template.instantiate(*arguments)
    with pytest.raises(pyone.OneException, match="not defined"):
        one.vm.delete(0)


def test_an_older_server_lacks_calls(nebula):
    nebula.cloud.version = (5, 6, 0)
    assert client(nebula).system.version() == "5.6.0"
    with pytest.raises(pyone.OneException, match="not defined"):
        client(nebula).vmpool.infoextended(-2, -1, -1, -1)


def test_a_template_that_cannot_be_read_is_refused(nebula):
    with pytest.raises(pyone.OneInternalException, match="syntax error"):
        client(nebula).template.instantiate(0, "n", False, "=", False)
    with pytest.raises(pyone.OneNoExistsException, match=r"template \[7\]"):
        client(nebula).template.instantiate(7, "n", False, "", False)


@pytest.mark.parametrize("version", [(5, 12, 0), (6, 8, 0), (7, 2, 0)])
def test_every_document_is_one_that_pyone_knows_in_full(nebula, version):
    nebula.cloud.version = version
    one = client(nebula)
    number = a_running_vm(nebula)
    for state in itertools.chain(states.active(*range(1, 40)), [(1, 0), (6, 0), (8, 0)]):
        nebula.cloud.put(number, state)
        one.vm.info(number)
    for pool in (one.userpool, one.grouppool):
        pool.info()
    one.templatepool.info(-2, -1, -1)
    one.template.info(0)
    assert nebula.broken == []


def test_a_document_that_pyone_does_not_know_is_found_out():
    from tests.nebula.schemas import check

    assert check("<VM_POOL><VM><ID>1</ID><COLOUR>red</COLOUR></VM></VM_POOL>")
    assert check("<VM><UID>1</UID><ID>1</ID></VM>"), "the order is that of the schema"
    assert check("<VM><ID>seven</ID></VM>")
    assert check("<VM><ID>1</ID></VM>") == []


def test_a_server_that_is_started_again_has_its_vms(nebula):
    number = a_running_vm(nebula)
    nebula.stop()
    with pytest.raises(OSError, match="refused"):
        client(nebula).vm.info(number)
    nebula.start()
    assert client(nebula).vm.info(number).LCM_STATE == states.RUNNING


def test_faults_strike_as_often_as_they_are_asked_for(nebula):
    nebula.faults.lost_after["one.template.instantiate"] = 1
    with pytest.raises(OSError, match="closed"):
        client(nebula).template.instantiate(0, "lost", False, "", False)
    assert [vm.NAME for vm in client(nebula).vmpool.infoextended(-2, -1, -1, -1).VM] == ["lost"]
    nebula.faults.lost_before["*"] = 1
    with pytest.raises(OSError, match="closed"):
        client(nebula).template.instantiate(0, "never", False, "", False)
    assert len(nebula.cloud.living()) == 1


def a_running_vm(nebula: Nebula) -> int:
    number: int = client(nebula).template.instantiate(0, "vm", False, "ROLE_NAME=web", False)
    after(nebula, 9.0)
    return number
