"""The client of our REST servers: who it says it is, and what becomes of answers that are none."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from onecore.errors import InvalidInput, NotAuthorized, NotFound, OneError, WrongState
from onecore.http.client import Client, credentials


@contextmanager
def answering(status: int, body: str) -> Iterator[tuple[str, list[tuple[str, str, str, bytes]]]]:
    """A server that always answers the same; what it was asked is in the list."""
    seen: list[tuple[str, str, str, bytes]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append((self.command, self.path, self.headers["Authorization"], sent))
            text = body.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_path_before_the_routes_and_any_password_are_kept():
    with answering(200, '{"a": 1}') as (url, seen):
        assert Client(f"{url}/flow/", "alice", "pässwörd:1").ask("GET", "/service") == {"a": 1}
    assert seen == [("GET", "/flow/service", "Basic YWxpY2U6cMOkc3N3w7ZyZDox", b"")]


def test_what_is_sent_is_json_and_sent_once():
    with answering(500, "") as (url, seen):
        with pytest.raises(OneError, match="the server answers 500"):
            Client(url, "a", "b").ask("POST", "/service", {"name": "ü"})
    assert [json.loads(sent) for _, _, _, sent in seen] == [{"name": "ü"}]


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (400, '{"error": {"message": "Maximum cardinality is 3"}}', InvalidInput, "Maximum cardinality is 3"),
        (401, '{"error": {"message": "Invalid credentials"}}', NotAuthorized, "Invalid credentials"),
        (404, '{"message": "gone"}', NotFound, "gone"),
        (409, "plain words", WrongState, "plain words"),
        (502, "<html>", OneError, "<html>"),
    ],
)
def test_errors_are_the_errors_they_were_at_the_server(status, body, kind, message):
    with answering(status, body) as (url, _), pytest.raises(kind) as caught:
        Client(url, "a", "b").ask("GET", "/")
    assert (caught.value.message, caught.value.http_status) == (message, status)


def test_an_answer_that_is_no_json_is_said_to_be_none():
    with (
        answering(200, "<html>hello</html>") as (url, _),
        pytest.raises(OneError, match="does not answer with JSON"),
    ):
        Client(url, "a", "b").ask("GET", "/")


def test_an_empty_answer_is_none():
    with answering(204, "") as (url, _):
        assert Client(url, "a", "b").ask("DELETE", "/service/1") is None


def test_credentials_come_from_options_then_variables_then_files(tmp_path):
    (tmp_path / ".one").mkdir()
    (tmp_path / ".one" / "one_auth").write_text("carol:of:three\n")
    home = {"HOME": str(tmp_path)}
    named = {**home, "ONEFLOW_USER": "bob", "ONEFLOW_PASSWORD": "two"}
    assert credentials(named, "ONEFLOW", ("alice", "one")) == ("alice", "one")
    assert credentials(named, "ONEFLOW", ("", "")) == ("bob", "two")
    assert credentials(home, "ONEFLOW", ("", "")) == ("carol", "of:three")
    (tmp_path / "mine").write_text("dora:four\n")
    assert credentials({**home, "ONE_AUTH": str(tmp_path / "mine")}, "ONEFLOW", ("", "")) == ("dora", "four")
    with pytest.raises(NotAuthorized, match="ONE_AUTH file not present"):
        credentials({**home, "ONE_AUTH": str(tmp_path / "none")}, "ONEFLOW", ("", ""))


def test_the_password_of_a_file_is_sent_with_its_own_name_only(tmp_path):
    (tmp_path / ".one").mkdir()
    (tmp_path / ".one" / "one_auth").write_text("carol:secret\n")
    home = {"HOME": str(tmp_path)}
    assert credentials(home, "ONEFLOW", ("carol", "")) == ("carol", "secret")
    with pytest.raises(NotAuthorized, match="nobody said who asks"):
        credentials(home, "ONEFLOW", ("alice", ""))
