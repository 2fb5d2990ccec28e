"""One worker at a time: a lease names its holder, passes on when he is gone, and fences late writes."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecore.errors import WrongState
from onecore.store import lease
from onecore.store.lease import TTL_S, Lease, Owner, is_dead, this_process
from tests.onecore.store.builders import an_owner, finished, opened, program

KEY = "provision/3"
CLAIM = """
database = open_database(path, (CORE,))
with database.begin() as tx:
    lease.claim(tx, "provision/3", "scale", float(sys.argv[2]), lease.this_process())
print("claimed", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def database(tmp_path: Path):
    with opened(tmp_path / "one.db") as database:
        yield database


def claimed(database, now=100.0, owner=None, purpose="scale") -> Lease:
    with database.begin() as tx:
        return lease.claim(tx, KEY, purpose, now, owner or this_process())


def test_a_free_lease_is_claimed_and_says_who_has_it(database):
    assert claimed(database) == Lease(KEY, 1)
    with database.read() as tx:
        assert lease.holder(tx, KEY, 100.0) == (this_process(), "scale")


def test_a_lease_nobody_ever_had_has_no_holder(database):
    with database.read() as tx:
        assert lease.holder(tx, KEY, 100.0) is None


def test_a_refusal_names_the_holder_and_how_to_follow_it(database):
    claimed(database, owner=an_owner(host="far", pid=77))
    with pytest.raises(WrongState) as refused:
        claimed(database, now=100.0 + TTL_S - 1)
    assert refused.value.message == "provision 3 is being worked on by process 77 on far (scale)"
    assert refused.value.hint == "follow it with: oneprovision logs 3 --follow"
    assert refused.value.retryable


def test_a_refusal_changes_nothing(database):
    mine = claimed(database)
    with pytest.raises(WrongState):
        claimed(database)
    with database.begin() as tx:
        lease.check(tx, mine)


def test_a_released_lease_is_free_at_once_and_its_token_grows(database):
    for token in (1, 2, 3):
        mine = claimed(database)
        assert mine.token == token
        with database.begin() as tx:
            lease.release(tx, mine)
            assert lease.holder(tx, KEY, 100.0) is None


def test_an_expired_lease_is_taken_over_whoever_had_it(database):
    claimed(database, owner=an_owner(host="far"))
    assert claimed(database, now=100.0 + TTL_S) == Lease(KEY, 2)


def test_renewing_keeps_it_from_expiring(database):
    mine = claimed(database, owner=an_owner(host="far"))
    with database.begin() as tx:
        lease.renew(tx, mine, 100.0 + TTL_S - 1)
    with pytest.raises(WrongState):
        claimed(database, now=100.0 + TTL_S + 1)


def test_a_late_write_of_one_who_lost_it_is_refused(database):
    late = claimed(database, owner=an_owner(host="far"))
    new = claimed(database, now=100.0 + TTL_S)
    for act in (lease.check, lambda tx, held: lease.renew(tx, held, 200.0)):
        with pytest.raises(WrongState, match="another process took over provision 3"), database.begin() as tx:
            act(tx, late)
    with database.begin() as tx:
        lease.check(tx, new)


def test_releasing_what_one_lost_does_not_free_it(database):
    late = claimed(database, owner=an_owner(host="far"))
    claimed(database, now=100.0 + TTL_S)
    with database.begin() as tx:
        lease.release(tx, late)
        assert lease.holder(tx, KEY, 100.0 + TTL_S) is not None


def test_a_lease_that_was_never_claimed_cannot_be_used(database):
    with pytest.raises(WrongState), database.begin() as tx:
        lease.check(tx, Lease("provision/9", 1))


def test_leases_of_two_things_do_not_touch(database):
    claimed(database)
    with database.begin() as tx:
        assert lease.claim(tx, "provision/4", "scale", 100.0, this_process()).token == 1


# -- real processes ----------------------------------------------------------------------------------------


def test_a_living_process_keeps_it_and_a_dead_one_loses_it_at_once(database, tmp_path: Path):
    holder = program(CLAIM, tmp_path / "one.db", 100.0)
    assert holder.stdout and holder.stdout.readline() == "claimed\n"
    with pytest.raises(WrongState, match=f"process {holder.pid} "):
        claimed(database)
    assert finished(holder)[0] == 0
    assert claimed(database) == Lease(KEY, 2)


def test_a_process_that_was_killed_and_not_waited_for_is_dead(database, tmp_path: Path):
    holder = program(CLAIM, tmp_path / "one.db", 100.0)
    assert holder.stdout and holder.stdout.readline() == "claimed\n"
    with database.read() as tx:
        found = lease.holder(tx, KEY, 100.0)
    holder.kill()
    os_says_over(holder.pid)
    assert found and is_dead(found[0], this_process())
    finished(holder)


def os_says_over(pid: int) -> None:
    """A zombie: it ended, and nobody asked for its status yet."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


# -- who is dead -------------------------------------------------------------------------------------------


def test_we_are_alive():
    assert not is_dead(this_process(), this_process())


@pytest.mark.parametrize(
    ("changed", "dead"),
    [
        pytest.param({"host": "far", "started": "0"}, False, id="of another machine one cannot tell"),
        pytest.param({"boot": "earlier"}, True, id="before the machine was started anew"),
        pytest.param({"space": "pid:[9]", "started": "0"}, False, id="of another container one cannot tell"),
        pytest.param({"started": "0"}, True, id="a later process has its number"),
        pytest.param({"pid": 2**22 + 1}, True, id="no process has its number"),
    ],
)
def test_who_is_known_to_be_dead(changed, dead):
    here = this_process()
    assert is_dead(Owner(**{**vars(here), **changed}), here) is dead


WORD = st.text(st.characters(categories=["L", "N", "P"]), min_size=1)


@given(st.builds(Owner, WORD, WORD, WORD, st.integers(0, 2**22), WORD))
def test_an_owner_is_read_as_it_was_written(owner):
    assert Owner.parse(str(owner)) == owner


def test_many_are_renewed_at_once_and_those_that_were_taken_over_are_missing(database):
    mine = [claimed(database)]
    with database.begin() as tx:
        mine.append(lease.claim(tx, "service/1", "serve", 100.0, this_process()))
        lost = lease.claim(tx, "service/2", "serve", 100.0, this_process())
        lease.claim(tx, "service/2", "serve", 100.0 + TTL_S, an_owner(host="far"))
        assert lease.ours(tx, [*mine, lost]) == {KEY, "service/1"}
        assert lease.renew_all(tx, [*mine, lost], 150.0) == {KEY, "service/1"}
        assert lease.holder(tx, KEY, 100.0 + TTL_S) == (this_process(), "scale")
        assert lease.holder(tx, "service/2", 100.0 + 2 * TTL_S) is None


def test_no_leases_are_nobodys(database):
    with database.begin() as tx:
        assert (lease.ours(tx, []), lease.renew_all(tx, [], 100.0)) == (set(), set())
