"""How far a host is configured, and what runs next on which hosts."""

import pytest

from oneprovision.model.configuration import (
    Batch,
    Configuration,
    Status,
    configuration_of,
    configured_as,
    forgotten,
    host_key_of,
    is_ready,
    made_ready,
    next_batch,
    summary,
    to_do_again,
)
from tests.oneprovision.builders import a_host


@pytest.mark.parametrize(
    ("configuration", "status"),
    [
        (Configuration(), Status.PENDING),
        (Configuration(done=1, run="0-ab", touched=True), Status.PENDING),
        (Configuration(error="no room"), Status.ERROR),
        (Configuration(done=2, complete=True), Status.CONFIGURED),
    ],
)
def test_the_status_is_that_of_the_specification(configuration, status):
    assert configuration.status is status
    assert configuration_of(configured_as(a_host(), configuration)) == configuration


def test_a_host_that_nothing_was_done_to_is_pending():
    assert configuration_of(a_host()) == Configuration()
    assert (is_ready(a_host()), host_key_of(a_host())) == (False, "")


def test_what_is_true_of_a_machine_is_forgotten_with_it():
    host = configured_as(made_ready(a_host(), "ssh-ed25519 AAAA"), Configuration(done=1, complete=True))
    assert forgotten(host) == a_host()


def test_a_host_that_nobody_logged_in_to_keeps_its_key():
    known = made_ready(a_host(), "ssh-ed25519 AAAA")
    assert made_ready(known, "") == known
    assert host_key_of(made_ready(known, "ssh-ed25519 BBBB")) == "ssh-ed25519 BBBB"


def test_to_do_a_host_again_keeps_its_key_and_that_it_was_touched():
    done = Configuration(done=2, complete=True, touched=True, cleaned=1)
    again = to_do_again(configured_as(made_ready(a_host(), "ssh-ed25519 AAAA"), done))
    assert configuration_of(again) == Configuration(touched=True, cleaned=1)
    assert (is_ready(again), host_key_of(again)) == (False, "ssh-ed25519 AAAA")


@pytest.mark.parametrize(
    ("open_hosts", "tries", "expected"),
    [
        ({}, {}, None),
        ({1: 2, 2: 2}, {}, None),
        ({1: 0, 2: 0}, {}, Batch(0, (1, 2), 0)),
        # Who is behind catches up first.
        ({1: 1, 2: 0, 3: 2}, {}, Batch(0, (2,), 0)),
        ({1: 1, 3: 2}, {}, Batch(1, (1,), 0)),
        # Who failed waits until the fresh ones are through, and has a number of tries.
        ({1: 0, 2: 1}, {1: 1}, Batch(1, (2,), 0)),
        ({1: 0, 2: 2}, {1: 1}, Batch(0, (1,), 1)),
        ({1: 0, 2: 2}, {1: 3}, None),
        ({1: 0, 4: 0}, {1: 3, 4: 2}, Batch(0, (4,), 2)),
    ],
)
def test_what_runs_next(open_hosts, tries, expected):
    assert next_batch(open_hosts, tries, playbooks=2, most_tries=3) == expected


def test_without_playbooks_nothing_runs():
    assert next_batch({1: 0}, {}, playbooks=0, most_tries=3) is None


def test_the_same_trouble_of_many_is_said_once():
    assert summary([("a", "no room"), ("b", "gone"), ("c", "no room")]) == "a, c: no room; b: gone"
