"""Credentials: a slow hash for new ones only, and no more for a user that is not there."""

import asyncio
import base64
from typing import Any

import pytest

from onecore import config
from onecore.bootstrap import open_deps
from onecore.errors import NotAuthorized, OneError
from onecore.http.passwords import MOST_FAILURES, MOST_REMEMBERED, REMEMBERED_S, Passwords
from onecore.store import accounts
from onecore.store.accounts import User

NOBODYS = "of nobody"


class Checked:
    """Passwords on a real state, with a hash that is quick and counted, and a clock that stands."""

    def __init__(self, home: Any) -> None:
        environ = {"ONE_HOME": str(home), "HOME": str(home), "PATH": "/usr/bin:/bin"}
        self.database = open_deps(config.read(environ), ()).database
        self.checked: list[str] = []
        self.at = 0.0
        self.passwords = Passwords(self.database, self._verify, lambda: self.at, lambda count: b"k" * count)
        self.set("oneadmin", "secret")

    def _verify(self, name: str, user: User | None, password: str) -> "asyncio.Future[bool]":
        stored = user.password if user else NOBODYS

        async def verified() -> bool:
            await asyncio.sleep(0)
            self.checked.append(stored)
            return stored == f"hash of {password}"

        return asyncio.ensure_future(verified())

    def set(self, user: str, password: str) -> None:
        with self.database.begin() as tx:
            accounts.set_password(tx, accounts.user_id(tx, user), f"hash of {password}")

    async def admit(self, text: str, peer: str = "192.0.2.1", version: int = 0) -> str:
        header = "Basic " + base64.b64encode(text.encode()).decode()
        return (await self.passwords.admit(header, peer, version)).user_name


@pytest.fixture
def state(tmp_path):
    made = Checked(tmp_path)
    yield made
    made.database.close()


def test_what_was_verified_is_remembered_for_a_while(state):
    for _ in range(3):
        assert asyncio.run(state.admit("oneadmin:secret")) == "oneadmin"
    assert len(state.checked) == 1
    state.at = REMEMBERED_S
    asyncio.run(state.admit("oneadmin:secret"))
    assert len(state.checked) == 2


def test_connections_that_begin_at_once_wait_for_one_check(state):
    async def eight() -> list[str]:
        return list(await asyncio.gather(*(state.admit("oneadmin:secret") for _ in range(8))))

    assert asyncio.run(eight()) == ["oneadmin"] * 8
    assert len(state.checked) == 1


def test_a_password_may_hold_a_colon_and_any_letter(state):
    state.set("oneadmin", "a:b é")
    assert asyncio.run(state.admit("oneadmin:a:b é")) == "oneadmin"


def test_another_password_ends_what_is_remembered(state):
    asyncio.run(state.admit("oneadmin:secret"))
    state.set("oneadmin", "other")
    with pytest.raises(NotAuthorized, match="Invalid credentials"):
        asyncio.run(state.admit("oneadmin:secret", version=1))
    assert asyncio.run(state.admit("oneadmin:other", version=1)) == "oneadmin"


def test_a_user_that_is_not_there_costs_a_check_as_well(state):
    with pytest.raises(NotAuthorized, match="Invalid credentials"):
        asyncio.run(state.admit("nobody:secret"))
    assert state.checked == [NOBODYS]


def test_guesses_are_refused_without_a_check_until_some_time_has_passed(state):
    for n in range(MOST_FAILURES):
        with pytest.raises(NotAuthorized):
            asyncio.run(state.admit(f"oneadmin:{n}"))
    with pytest.raises(OneError, match="too many wrong passwords") as refused:
        asyncio.run(state.admit("oneadmin:secret"))
    assert (refused.value.http_status, len(state.checked)) == (429, MOST_FAILURES)
    assert asyncio.run(state.admit("oneadmin:secret", peer="192.0.2.2")) == "oneadmin"
    state.at = 61.0
    with pytest.raises(NotAuthorized):
        asyncio.run(state.admit("oneadmin:wrong"))


def test_no_more_is_remembered_than_there_is_room_for(state):
    for n in range(MOST_REMEMBERED + 10):
        with pytest.raises(NotAuthorized):
            asyncio.run(state.admit(f"user{n}:x"))
    assert len(state.passwords._failures._times) == MOST_REMEMBERED
