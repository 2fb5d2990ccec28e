"""Calls on behalf of a user: few tokens, whoever asks and however often."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from onecore.errors import NotFound
from onecore.opennebula.client import Client, Endpoint
from tests.nebula.cloud import Cloud
from tests.nebula.server import serving


@pytest.fixture
def nebula():
    with serving(Cloud(time.time)) as running:
        running.cloud.add_user("alice", "alice's")
        yield running


def a_client(nebula, folder, now=time.time, key=b"the key"):
    (folder / "one_auth").write_text("oneadmin:secret")
    return Client(Endpoint(nebula.url, folder / "one_auth"), key=key, now=now)


def tokens(nebula):
    return list(nebula.cloud.users[1].tokens)


def test_all_processes_and_threads_of_an_installation_share_a_token(nebula, tmp_path):
    clients = [a_client(nebula, tmp_path, now=lambda: 1234.0) for _ in range(4)]
    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(clients[at % 4].call_for, "alice", "user.info", -1) for at in range(24)]
        assert {each.result().NAME for each in asked} == {"alice"}
    assert len(tokens(nebula)) == 1
    assert nebula.calls["one.user.login"] == 4
    a_client(nebula, tmp_path, key=b"another installation").call_for("alice", "user.info", -1)
    assert len(tokens(nebula)) == 2


def test_a_token_is_replaced_long_before_it_expires(nebula, tmp_path):
    at = [time.time() // 600 * 600]
    client = a_client(nebula, tmp_path, now=lambda: at[0])
    for later in (0, 599, 1):
        at[0] += later
        assert client.call_for("alice", "user.info", -1).NAME == "alice"
    assert (len(tokens(nebula)), nebula.calls["one.user.login"]) == (2, 2)


def test_a_token_that_is_gone_before_its_time_is_made_again(nebula, tmp_path):
    """A server may allow a shorter life (MAX_TOKEN_TIME), and a user may cancel his tokens."""
    client = a_client(nebula, tmp_path)
    client.call_for("alice", "user.info", -1)
    nebula.cloud.users[1].tokens.clear()
    assert client.call_for("alice", "user.info", -1).NAME == "alice"


def test_our_own_credentials_need_no_token_and_nobody_has_none(nebula, tmp_path):
    client = a_client(nebula, tmp_path)
    assert client.call_for("oneadmin", "user.info", -1).NAME == "oneadmin"
    assert client.call_for("", "user.info", -1).NAME == "oneadmin"
    with pytest.raises(NotFound, match="no user 'bob'"):
        client.call_for("bob", "user.info", -1)
    assert nebula.calls["one.user.login"] == 0
