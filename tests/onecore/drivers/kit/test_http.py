"""The client of a provider's API: what it repeats, what it never repeats, and what it says."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from onecore.drivers.kit.http import Account, Api, Provider, Refused, Uncertain, safe_url
from onecore.drivers.kit.program import Failed
from onecore.drivers.kit.values import text
from tests.http_server import Reply, Request, serving
from tests.onecore.drivers.kit.turning_clock import TurningClock

OK = Reply(200, {"ok": True})
LOST = Reply(lost=True)


def busy(status: int, words: str) -> bool:
    return words.startswith("busy")


class Cloud:
    """Answers one reply after the other, the last one again and again, and keeps what it was asked."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self.replies = list(replies)
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Reply:
        self.asked.append(request)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@contextmanager
def api(folder: Path, *replies: Reply, token: str = "t0ken") -> Iterator[tuple[Api, Cloud, TurningClock]]:
    cloud, clock = Cloud(replies), TurningClock()
    with serving(cloud) as url:
        provider = Provider("cloud", "https://cloud.test", lambda body: text(body, "why"), busy)
        yield Api(provider, Account(url, token), folder, clock=clock), cloud, clock


def test_an_answer_is_its_json_and_the_key_is_sent(tmp_path: Path):
    with api(tmp_path, Reply(200, {"id": 7})) as (client, cloud, _):
        assert client.get("/things", {"page": "2"}) == {"id": 7}
    assert (cloud.asked[0].path, cloud.asked[0].query) == ("/things", {"page": "2"})
    assert cloud.asked[0].headers["authorization"] == "Bearer t0ken"


def test_without_a_key_none_is_sent_not_even_one_of_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with api(tmp_path, OK, token="") as (client, cloud, _):
        client.get("/things")
    assert "authorization" not in cloud.asked[0].headers


@pytest.mark.parametrize(
    "stumble",
    [
        pytest.param(LOST, id="lost"),
        pytest.param(Reply(500, {"why": "oops"}), id="500"),
        pytest.param(Reply(502, b"<html>"), id="a proxy's page"),
        pytest.param(Reply(503, None), id="503"),
        pytest.param(Reply(408, {"why": "Please try again"}), id="408"),
        pytest.param(Reply(200, b"<html>"), id="no JSON"),
    ],
)
def test_reading_and_removing_are_repeated_and_making_is_not(tmp_path: Path, stumble: Reply):
    with api(tmp_path, stumble, stumble, OK) as (client, cloud, _):
        assert client.get("/things") == {"ok": True}
        assert len(cloud.asked) == 3
    with api(tmp_path, stumble, OK) as (client, cloud, _):
        assert client.delete("/things/1") is True
        assert len(cloud.asked) == 2
    with api(tmp_path, stumble, OK) as (client, cloud, _):
        with pytest.raises(Uncertain):
            client.post("/things", {"name": "x"})
        assert len(cloud.asked) == 1


@pytest.mark.parametrize(
    "not_now",
    [Reply(429, {"why": "slower"}), Reply(400, {"why": "busy."}), Reply(500, {"why": "busy: locked"})],
)
def test_making_is_repeated_when_the_provider_says_that_nothing_was_done(tmp_path: Path, not_now: Reply):
    with api(tmp_path, not_now, not_now, OK) as (client, cloud, _):
        assert client.post("/things", {"name": "x"}) == {"ok": True}
    assert [request.body for request in cloud.asked] == [{"name": "x"}] * 3


def test_making_is_repeated_when_no_connection_came_about(tmp_path: Path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    clock = TurningClock()
    provider = Provider("cloud", url, lambda body: "")
    with pytest.raises(Failed, match="cloud cannot be reached at http://127") as caught:
        Api(provider, Account(""), tmp_path, patience_s=10, clock=clock).post("/things")
    assert not isinstance(caught.value, Uncertain)
    assert 5 < sum(clock.slept) <= 10


def test_a_refusal_is_told_in_the_providers_words_and_not_repeated(tmp_path: Path):
    refusal = Reply(422, {"why": "the quota\nis reached"})
    with api(tmp_path, refusal) as (client, cloud, _), pytest.raises(Refused) as caught:
        client.post("/things")
    assert str(caught.value) == "cloud refuses POST /things: the quota is reached (HTTP 422)"
    assert (caught.value.status, len(cloud.asked)) == (422, 1)


def test_patience_ends(tmp_path: Path):
    with api(tmp_path, Reply(500, {"why": "oops"})) as (client, _, clock):
        with pytest.raises(Uncertain, match="oops"):
            client.get("/things")
    assert 200 < sum(clock.slept) <= 240


def test_what_is_gone_is_found_to_be_none_and_its_removal_is_no_error(tmp_path: Path):
    with api(tmp_path, Reply(404, {"why": "not found"})) as (client, _, _clock):
        assert client.find("/things/1") is None
        assert client.delete("/things/1") is False


def test_what_was_removed_although_the_answer_was_lost_is_gone_at_the_second_try(tmp_path: Path):
    with api(tmp_path, LOST, Reply(404, {"why": "not found"})) as (client, cloud, _):
        assert client.delete("/things/1") is False
    assert len(cloud.asked) == 2


def test_a_pause_that_the_provider_asks_for_is_kept(tmp_path: Path):
    with api(tmp_path, Reply(429, {"why": "slower"}, {"Retry-After": "17"}), OK) as (client, _, clock):
        client.get("/things")
    assert sum(clock.slept) >= 17


def test_the_key_follows_no_redirection(tmp_path: Path):
    away = Reply(302, None, {"Location": "http://127.0.0.1:9/"})
    with api(tmp_path, away) as (client, cloud, _), pytest.raises(Refused, match="HTTP 302"):
        client.get("/things")
    assert len(cloud.asked) == 1


@pytest.mark.parametrize("url", ["https://api.test/v4", "http://127.0.0.1:80", "http://localhost:1/x"])
def test_an_address_where_the_key_is_safe(url: str):
    assert safe_url(url) == url


@pytest.mark.parametrize(
    "url",
    ["http://api.test", "ftp://api.test", "https://user:pass@api.test", "api.test", "file:///etc/passwd", ""],
)
def test_an_address_where_the_key_is_not_safe_is_refused_and_shows_no_password(url: str):
    with pytest.raises(Failed) as caught:
        safe_url(url)
    assert "pass@" not in str(caught.value)
