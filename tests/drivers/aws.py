"""EC2 as moto plays it, behind a door that does what moto leaves out: client tokens, and lost answers."""

import atexit
import http.client
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.ssh_server import free_port

VALIDATE = ("AMI_VALIDATION", "KEYPAIR_VALIDATION")


@dataclass
class Door:
    """`lose`: so many answers to each of these actions are lost. `asked`: the actions, in order. `on_effect`
    is told of each that made or removed something, before it is answered."""

    upstream: int
    port: int = 0
    lose: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    tokens: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    on_effect: Callable[[], None] = lambda: None

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY",
            "AWS_DEFAULT_REGION": "eu-west-3",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
        }

    def answer(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes] | None:
        """None is an answer that is lost."""
        form = dict(urllib.parse.parse_qsl(body.decode()))
        action, token = form.get("Action", ""), form.get("ClientToken", "")
        with self.lock:
            self.asked.append(action)
            answer = self.tokens.get(token) if token else None
            if answer is None:
                answer = self._forwarded(body, headers)
                if token and answer[0] == 200:
                    self.tokens[token] = answer
            lost = self.lose.get(action, 0) > 0
            self.lose[action] = self.lose.get(action, 0) - lost
        if answer[0] == 200 and not action.startswith("Describe"):
            self.on_effect()
        return None if lost else answer

    def client(self) -> Any:
        """What sees the account without a driver."""
        import boto3

        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
        url = self.environment["AWS_ENDPOINT_URL"]
        return boto3.client("ec2", endpoint_url=url, region_name="eu-west-3", **keys)

    def forget(self) -> None:
        """Everything that exists in any account."""
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=60)
        with closing(connection):
            connection.request("POST", "/moto-api/reset")
            assert connection.getresponse().status == 200

    def _forwarded(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=60)
        try:
            connection.request("POST", "/", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@cache
def upstream() -> int:
    """The port of one server for all that this process does; `Door.forget` empties it."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(moto())


@contextmanager
def moto() -> Iterator[int]:
    """The port of a server that forgets everything at the end."""
    port = free_port()
    environ = {**os.environ, **{f"MOTO_ENABLE_{name}": "1" for name in VALIDATE}}
    argv = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(argv, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            assert process.poll() is None, "moto ended"
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def door() -> Iterator[Door]:
    """A door of its own, to an account that is the same for all."""
    made = Door(upstream())

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = made.answer(body, {k: v for k, v in self.headers.items() if k.lower() != "host"})
            if answer is None:
                self.close_connection = True
                return
            with suppress(ConnectionError):  # whoever asked may be dead by now
                self.send_response(answer[0])
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(answer[1])))
                self.end_headers()
                self.wfile.write(answer[1])

        def log_message(self, *args: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
