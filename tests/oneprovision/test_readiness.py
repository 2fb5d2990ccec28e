"""Hosts are ready when they let us in: waited for with pauses, and not for ever; against real servers."""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from onecore import ssh
from onecore.deps import Deps
from onecore.errors import DriverFailed, Interrupted
from onecore.notice import Notice
from oneprovision import store
from oneprovision.model.configuration import made_ready
from oneprovision.model.provision import ObjectKind, Options, Provision
from oneprovision.model.spec import Connection
from oneprovision.model.states import State
from oneprovision.readiness import Waited, wait_for_hosts
from oneprovision.usecases.provisions import CreateProvision, create
from tests.onecore.machines.bench import a_driver
from tests.oneprovision.builders import Heard, a_host, a_machine, an_installation, claimed, recorded
from tests.oneprovision.model.builders import a_template
from tests.ssh_server import SshServer, a_key, free_port, ssh_server

# A machine is its address: what `ip` says in the template is where the host answers.
DEPLOY = """
ip=$(sed -n 's:.*<IP>\\(.*\\)</IP>.*:\\1:p' "$1")
mkdir -p "$ONE_HOME/loop" && echo "$ip" >"$ONE_HOME/loop/$2" && echo "loop-$2"
"""
POLL = 'echo "STATE=a GUEST_IP_ADDRESSES=$(cat "$ONE_HOME/loop/$2")"'
CANCEL = 'rm -f "$ONE_HOME/loop/$2"'
TRIES = Options(ping_timeout_s=0.1, ping_retries=3)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def deps(tmp_path: Path, heard: Heard) -> Iterator[Deps]:
    a_driver(tmp_path, "loop", deploy=DEPLOY, poll=POLL, cancel=CANCEL)
    with an_installation(tmp_path, notify=heard.append) as deps:
        yield deps


@pytest.fixture
def server(tmp_path: Path) -> SshServer:
    return ssh_server(tmp_path / "sshd")


def a_connection(server: SshServer, **changed) -> Connection:
    login = server.login
    given = Connection(login.remote_user, login.remote_port, f"{login.private_key}.pub", login.private_key)
    return replace(given, **changed)


def waited(
    deps: Deps, *hosts: tuple[str, Connection], options: Options = TRIES, driver="loop"
) -> dict[int, str]:
    """Wait for hosts at these addresses."""
    provision = recorded(deps, options=options)
    pairs = [
        (
            a_host(number, connection),
            a_machine(number, driver=driver, addresses=(address,) if address else ()),
        )
        for number, (address, connection) in enumerate(hosts)
    ]
    return wait_for_hosts(deps, claimed(deps, provision), provision, pairs).problems


def said(heard: Heard) -> list[str]:
    return [notice.text for notice in heard if notice.step == "ssh"]


# -- the rules of waiting; nothing needs to listen ---------------------------------------------------------


def nowhere(tmp_path: Path) -> Connection:
    key = a_key(tmp_path / "key")
    return Connection("root", free_port(), f"{key}.pub", key)


def test_hosts_of_a_driver_without_ssh_are_ready_at_once(deps: Deps, heard: Heard):
    assert waited(deps, ("192.0.2.1", Connection()), driver="dummy") == {}
    assert said(heard) == []


def test_without_hosts_there_is_nothing_to_wait_for(deps: Deps):
    assert waited(deps) == {}


@pytest.mark.parametrize(("retries", "tries"), [(3, 3), (1, 1), (0, 1)])
def test_a_host_that_never_answers_is_tried_as_often_as_asked(
    deps: Deps, heard: Heard, tmp_path, retries, tries
):
    problems = waited(deps, ("127.0.0.1", nowhere(tmp_path)), options=replace(TRIES, ping_retries=retries))
    assert list(problems) == [0]
    assert problems[0].startswith("root@127.0.0.1:")
    assert "does not answer" in problems[0]
    assert len(said(heard)) == tries
    assert said(heard)[-1].endswith(f"(try {tries})")


def test_tries_are_as_far_apart_as_asked(deps: Deps, heard: Heard, tmp_path: Path):
    waited(deps, ("127.0.0.1", nowhere(tmp_path)), options=Options(ping_timeout_s=0.4, ping_retries=3))
    times = [notice.at for notice in heard if notice.step == "ssh"]
    assert len(times) == 3
    # The pause begins a moment before the try that failed is told.
    assert all(later - earlier > 0.3 for earlier, later in pairwise(times))


def test_a_host_without_an_address_is_said(deps: Deps, tmp_path: Path):
    (problem,) = waited(deps, ("", nowhere(tmp_path))).values()
    assert problem == "the machine has no address to log in to"


def test_who_interrupts_the_waiting_is_heard(deps: Deps, heard: Heard, tmp_path: Path):
    impatient = replace(deps, interrupted=lambda: "interrupted" if said(heard) else "")
    with pytest.raises(Interrupted, match="interrupted"):
        waited(
            impatient, ("127.0.0.1", nowhere(tmp_path)), options=Options(ping_timeout_s=60, ping_retries=9)
        )
    assert len(said(heard)) == 1


def test_another_process_can_end_the_waiting(deps: Deps, heard: Heard, tmp_path: Path):
    def cancel(notice: Notice) -> None:
        heard.append(notice)
        with deps.database.begin() as tx:
            store.edit(tx, replace(store.get(tx, 0), stop="cancelled"))

    with pytest.raises(Interrupted, match="cancelled"):
        waited(
            replace(deps, notify=cancel),
            ("127.0.0.1", nowhere(tmp_path)),
            options=Options(ping_timeout_s=60, ping_retries=9),
        )
    assert len(said(heard)) == 1


# -- real servers ------------------------------------------------------------------------------------------


def test_a_host_that_lets_us_in_is_ready_and_its_key_is_known(deps: Deps, heard: Heard, server: SshServer):
    provision = recorded(deps, options=TRIES)
    pair = (a_host(0, a_connection(server)), a_machine(0, driver="loop", addresses=(server.address,)))
    with server.running():
        waited = wait_for_hosts(deps, claimed(deps, provision), provision, [pair])
        assert waited == Waited({0: ssh.host_key(server.address, server.port)}, {})
    assert said(heard) == ["ready (try 1)"]


def test_a_host_that_comes_up_late_is_waited_for(deps: Deps, heard: Heard, server: SshServer):
    options = Options(ping_timeout_s=0.2, ping_retries=200)
    with started_after_a_first_try(server, heard):
        assert waited(deps, (server.address, a_connection(server)), options=options) == {}
    assert "does not answer" in said(heard)[0]
    assert said(heard)[-1].startswith("ready (try ")


@contextmanager
def started_after_a_first_try(server: SshServer, heard: Heard) -> Iterator[None]:
    """The server starts as soon as somebody has found nothing that listens."""
    over = threading.Event()

    def serve() -> None:
        while not said(heard) and not over.is_set():
            os.sched_yield()
        with server.running():
            over.wait(60)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_key_that_is_refused_is_a_problem_of_that_host_alone(deps: Deps, server: SshServer, tmp_path: Path):
    stranger = a_key(tmp_path / "stranger")
    with server.running():
        problems = waited(
            deps,
            (server.address, a_connection(server, private_key=stranger)),
            (server.address, a_connection(server)),
        )
    assert problems == {0: f"{problems[0].split()[0]} refuses the key {stranger}"}


def test_a_host_with_another_key_than_before_is_a_problem_that_no_further_try_solves(
    deps: Deps, heard: Heard, server: SshServer
):
    with server.running():
        host = made_ready(a_host(7, a_connection(server)), ssh.host_key(server.address, server.port))
    server.new_host_key()
    provision = recorded(deps, options=TRIES)
    pair = (host, a_machine(7, driver="loop", addresses=(server.address,)))
    with server.running():
        (problem,) = wait_for_hosts(deps, claimed(deps, provision), provision, [pair]).problems.values()
    assert "not the recorded SHA256:" in problem
    assert problem.endswith("if the machine was really replaced: oneprovision host accept-key 7")
    assert len(said(heard)) == 1


def test_several_hosts_are_waited_for_side_by_side(deps: Deps, tmp_path: Path):
    servers = [ssh_server(tmp_path / f"sshd-{n}", f"127.0.0.{n + 2}") for n in range(3)]
    with ExitStack() as stack:
        for server in servers:
            stack.enter_context(server.running())
        assert waited(deps, *((server.address, a_connection(server)) for server in servers)) == {}


# -- the whole way -----------------------------------------------------------------------------------------


def created(deps: Deps, server: SshServer, private_key: str = "") -> Provision:
    connection = {
        "remote_user": server.login.remote_user,
        "remote_port": server.port,
        "private_key": private_key or server.login.private_key,
    }
    template = {
        **a_template("name: web\nhosts: [{provision: {driver: loop, ip: 127.0.0.1}}]"),
        "defaults": {"connection": connection},
    }
    return create(deps, CreateProvision(template, options=TRIES))


def test_a_provision_runs_once_its_hosts_let_us_in(deps: Deps, server: SshServer):
    with server.running():
        provision = created(deps, server)
    assert provision.state is State.RUNNING
    with deps.database.read() as tx:
        (host,) = (o for o in store.objects_of(tx, provision.id) if o.kind is ObjectKind.HOST)
    assert host.body["ready"] is True


def test_a_provision_whose_host_does_not_let_us_in_fails_and_keeps_its_machine(
    deps: Deps, server: SshServer, tmp_path: Path
):
    with server.running(), pytest.raises(DriverFailed, match="refuses the key"):
        created(deps, server, a_key(tmp_path / "stranger"))
    with deps.database.read() as tx:
        (provision,) = store.every(tx)
    assert provision.state is State.CONFIGURING_PROVISION_FAILURE
    assert len(list((tmp_path / "loop").iterdir())) == 1
