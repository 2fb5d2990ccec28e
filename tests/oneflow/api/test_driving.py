"""The controller inside the server: a bug ends one run of it and no more, whatever was under way."""

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from onecore.drivers.catalog import Catalog, builtin_remotes
from onecore.http.journal import ServerLog
from onecore.ids import GroupId, ProviderId, UserId
from onecore.log import Redactor
from onecore.machines.binder import UNNOTICED_S
from onecore.machines.model import Kind as MachineKind
from onecore.machines.model import Resource
from onecore.store import providers
from onecore.store.engine import CORE, open_database
from onecore.store.providers import Provider
from onecore.vault import seal
from oneflow import store
from oneflow.api.serving import Driving
from oneflow.controller import Controller
from oneflow.deps import FlowDeps
from oneflow.model.document import Kind
from oneflow.model.states import ServiceState
from oneflow.usecases import templates
from tests.onecore.machines.simulated_fleet import VirtualClock
from tests.oneflow.builders import a_role, a_template, an_installation

PATIENCE_S = 60.0


class Bug:
    """Raises at the first boundary of this name that the controller passes after `skip` others of it."""

    def __init__(self, name: str, skip: int, exception: BaseException) -> None:
        self.left = skip
        self._name, self._exception = name, exception

    def __call__(self, name: str) -> None:
        if name == self._name and threading.current_thread().name == "controller":
            self.left -= 1
            if self.left == -1:
                raise self._exception


@pytest.fixture
def deps(tmp_path: Path) -> Iterator[FlowDeps]:
    made = an_installation(tmp_path)
    (tmp_path / "dummy").mkdir()
    (tmp_path / "dummy" / "cloud.conf").write_text("LATENCY=0.05\n")
    yield made
    made.database.close()


def driving(deps: FlowDeps, boundary: Callable[[str], None], said: list[str]) -> Driving:
    def opened() -> FlowDeps:
        database = open_database(deps.settings.database, (CORE, store.SCHEMA), boundary)
        return replace(deps, database=database, boundary=boundary)

    log = ServerLog(deps.settings.log_directory, "oneflow", Redactor(()), deps.clock.now)
    return Driving(opened, log, deps.clock, said.append)


def state(deps: FlowDeps) -> ServiceState:
    with deps.database.read() as tx:
        return ServiceState(store.get(tx, Kind.SERVICE, 0).body["state"])


@pytest.mark.parametrize("name", ["before commit", "after commit", "driver started", "driver ended"])
@pytest.mark.parametrize("skip", [0, 1, 2])
def test_a_bug_while_drivers_are_at_work_leaves_the_service_to_the_next_run(
    deps: FlowDeps, name: str, skip: int
):
    templates.create(deps, a_template(a_role(cardinality=3)))
    templates.instantiate(deps, 0)
    said: list[str] = []
    bug = Bug(name, skip, RuntimeError("a bug"))
    driver = driving(deps, bug, said)
    driver.start()
    until = time.monotonic() + PATIENCE_S
    while state(deps) is not ServiceState.RUNNING and time.monotonic() < until:
        time.sleep(0.02)
    driver.check()
    driver.stop()
    assert bug.left < 0
    assert state(deps) is ServiceState.RUNNING
    home = deps.settings.home
    assert len(list((home / "dummy" / "machines").iterdir())) == 3
    assert not (home / "dummy" / "made-twice").exists()
    [told] = said
    assert told.startswith("the controller failed and begins anew: RuntimeError; more in ")
    [line] = Path(told.rpartition(" ")[2]).read_text().splitlines()
    assert "RuntimeError: a bug" in json.loads(line)["message"]


def test_what_would_end_a_program_does_not_end_the_controller(deps: FlowDeps):
    said: list[str] = []
    driver = driving(deps, Bug("before commit", 0, SystemExit(1)), said)
    templates.create(deps, a_template(a_role(cardinality=1)))
    templates.instantiate(deps, 0)
    driver.start()
    until = time.monotonic() + PATIENCE_S
    while not (said and state(deps) is ServiceState.RUNNING) and time.monotonic() < until:
        time.sleep(0.02)
    driver.check()
    driver.stop()
    assert said[0].startswith("the controller failed and begins anew: SystemExit")
    assert state(deps) is ServiceState.RUNNING


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_controller_that_ended_by_itself_is_noticed(deps: FlowDeps):
    def say(text: str) -> None:
        raise RuntimeError("cannot be said")  # stands for a bug at the edge itself

    driver = driving(deps, Bug("before commit", 0, RuntimeError("a bug")), [])
    driver._say = say
    templates.create(deps, a_template())
    templates.instantiate(deps, 0)
    driver.start()
    driver._thread.join(PATIENCE_S)
    with pytest.raises(AssertionError, match="the controller ended by itself"):
        driver.check()


def test_an_account_that_somebody_changes_is_used_from_then_on(deps: FlowDeps, tmp_path: Path):
    folder = tmp_path / "remotes" / "pm" / "needy"
    shutil.copytree(builtin_remotes() / "pm" / "dummy", folder)
    (folder / "driver.yaml").write_text("name: needy\nsecrets: {token: NEEDY_TOKEN}\n")
    provider = Provider(ProviderId(0), "needy", "needy", UserId(0), GroupId(0), 0o600)
    machine = Resource(
        id=0,
        kind=MachineKind.MACHINE,
        name="m",
        owner="service/0",
        driver="needy",
        provider_id=0,
        number=0,
        label="m",
    )

    def stored(token: str) -> Provider:
        return replace(provider, sealed=seal(tmp_path / "key", {"token": token}))

    with deps.database.begin() as tx:
        providers.insert(tx, stored("old"))
    own = open_database(deps.settings.database, (CORE, store.SCHEMA))
    catalog = Catalog([("test", tmp_path / "remotes")])
    clock = VirtualClock()
    controller = Controller(replace(deps, clock=clock, database=own, find_drivers=lambda: catalog))
    bind = controller._tools.bind
    controller.turn(0)
    assert bind(machine).secrets == {"NEEDY_TOKEN": "old"}
    with deps.database.begin() as tx:
        providers.update(tx, stored("new"))
    clock.sleep(UNNOTICED_S)
    controller.turn(0)
    assert bind(machine).secrets == {"NEEDY_TOKEN": "new"}
    own.close()
