"""A real server of either product in a process of its own, and real clients of it."""

import base64
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onecore import config
from onecore.access import hash_password
from onecore.bootstrap import open_deps
from onecore.store import accounts
from oneflow.store import SCHEMA
from tests.nebula.cloud import Cloud
from tests.nebula.server import Nebula, serving

REPOSITORY = Path(__file__).parents[3]
PATIENCE_S = 60.0
REALMS = {"oneflow": "OneFlow", "oneprovision": "OneForm"}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        return str(self.json["error"]["message"])


@dataclass
class Server:
    """`url`, `gate_url`: where it listens; `process`: to be stopped or killed;
    `environment`: what it was told besides; `nebula`: where its VMs live, if not in the embedded cloud."""

    home: Path
    process: "subprocess.Popen[str]"
    url: str = ""
    gate_url: str = ""
    said: list[str] = field(default_factory=list)
    environment: Mapping[str, str] = field(default_factory=dict)
    nebula: Nebula | None = None

    def vms(self) -> list[str]:
        """What exists in its cloud."""
        if self.nebula is None:
            return sorted(path.name for path in (self.home / "dummy" / "machines").iterdir())
        return [vm.name for vm in self.nebula.cloud.living()]

    def add_user(self, name: str, password: str) -> str:
        """A user of the group `users`; returns his credentials."""
        if self.nebula is None:
            return a_user(self.home, name, password)
        self.nebula.cloud.add_user(name, password)
        return f"{name}:{password}"

    def add_group(self, name: str) -> int:
        if self.nebula is None:
            return a_group(self.home, name)
        number = max(self.nebula.cloud.groups) + 1
        self.nebula.cloud.groups[number] = name
        return number

    @property
    def credentials(self) -> str:
        return (self.home / "one_auth").read_text().strip()

    def curl(self, *arguments: str, user: str | None = None) -> Reply:
        """What curl prints; the last argument is the path."""
        *options, path = arguments
        asking = ["-u", self.credentials if user is None else user] if user != "" else []
        done = subprocess.run(
            ["curl", "-s", "-i", *asking, *options, self.url + path],
            capture_output=True,
            timeout=PATIENCE_S,
            check=True,
        )
        return _parsed(done.stdout)

    def ask(self, method: str, path: str, data: object = None, user: str | None = None) -> Reply:
        body = data if isinstance(data, bytes) or data is None else json.dumps(data).encode()
        header = "Basic " + base64.b64encode((user or self.credentials).encode()).decode()
        return asked(self.url, method, path, body, {"Authorization": header})

    def until(self, what: Callable[[], Any]) -> Any:
        """Ask again until the answer is true, and return it."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            found = what()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError("it did not happen")

    def service(self, number: int) -> Any:
        return self.ask("GET", f"/service/{number}").json["DOCUMENT"]["TEMPLATE"]["BODY"]

    def running(self, number: int) -> Any:
        """The body of the service once it is RUNNING."""
        return self.until(lambda: (body := self.service(number))["state"] == 2 and body)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.said += self.process.communicate(timeout=PATIENCE_S)[1].splitlines()
        return self.process.returncode


def asked(url: str, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE_S)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


CLOUDS = ("embedded", "opennebula")


@contextmanager
def a_server_on(cloud: str, home: Path, *options: str) -> Iterator[Server]:
    """A server whose VMs live there, with a few VM templates."""
    if cloud == "embedded":
        with a_server(home, *options) as server:
            yield server
        return
    with an_opennebula(home) as nebula:
        environment = {"ONE_XMLRPC": nebula.url, "ONE_AUTH": str(home / "one_auth")}
        with a_server(home, *options, environment=environment) as server:
            server.nebula = nebula
            yield server


@contextmanager
def an_opennebula(home: Path) -> Iterator[Nebula]:
    """With a few VM templates; the credentials of its administrator are in the home."""
    there = Cloud(time.time, pace=0.01)
    for name in ("small", "medium", "large"):
        there.add_template(name, CPU="1", MEMORY="512", CONTEXT={"NETWORK": "YES"})
    (home / "one_auth").write_text("oneadmin:secret\n")
    with serving(there) as nebula:
        yield nebula


@contextmanager
def a_server(
    home: Path, *options: str, product: str = "oneflow", environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    server = started(home, *options, product=product, environment=environment)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
        server.process.communicate()


def started(
    home: Path, *options: str, product: str = "oneflow", environment: Mapping[str, str] | None = None
) -> Server:
    """A server on a free port, once it says that it listens. `environment`: what it is told besides."""
    process = subprocess.Popen(
        [sys.executable, "-m", product, "serve", "--port", "0", *options],
        env={"ONE_HOME": str(home), "HOME": str(home), "PATH": os.environ["PATH"], **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    server = Server(home, process, environment=environment or {})
    assert process.stderr is not None
    last = "OneGate" if "--gate" in options else REALMS[product]
    for line in process.stderr:
        server.said.append(line.strip())
        found = re.fullmatch(r"(\w+) listens on (\S+)", line.strip())
        if found and found[1] == "OneGate":
            server.gate_url = found[2]
        elif found:
            server.url = found[2]
        if found and found[1] == last:
            return server
    process.stderr.close()
    process.wait(PATIENCE_S)
    raise AssertionError(server.said)


def a_user(home: Path, name: str, password: str) -> str:
    """A user of the group `users`; returns his credentials."""
    environ = {"ONE_HOME": str(home), "HOME": str(home), "PATH": "/usr/bin:/bin"}
    deps = open_deps(config.read(environ), (SCHEMA,))
    with deps.database.begin() as tx:
        accounts.add_user(tx, name, hash_password(password, os.urandom(16)), accounts.USERS_GROUP)
    deps.database.close()
    return f"{name}:{password}"


def no_user(home: Path, name: str) -> None:
    """That user is no more."""
    environ = {"ONE_HOME": str(home), "HOME": str(home), "PATH": "/usr/bin:/bin"}
    deps = open_deps(config.read(environ), (SCHEMA,))
    with deps.database.begin() as tx:
        accounts.remove_user(tx, accounts.user_id(tx, name))
    deps.database.close()


def a_group(home: Path, name: str) -> int:
    environ = {"ONE_HOME": str(home), "HOME": str(home), "PATH": "/usr/bin:/bin"}
    deps = open_deps(config.read(environ), (SCHEMA,))
    with deps.database.begin() as tx:
        number = accounts.add_group(tx, name)
    deps.database.close()
    return number


def _parsed(text: bytes) -> Reply:
    """Without what came before the last head: 100 Continue."""
    while text.startswith(b"HTTP/1.1 100"):
        text = text.partition(b"\r\n\r\n")[2]
    head, _, body = text.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Reply(int(first.split()[1]), headers, body)
