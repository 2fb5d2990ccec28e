"""The work inside the server: a bug ends one run on a provision, and the next one takes it up."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from onecore.deps import Deps
from onecore.http.journal import ServerLog
from onecore.log import Redactor
from onecore.store.engine import CORE, open_database
from oneprovision import store
from oneprovision.api.driving import Driving
from oneprovision.model.states import State
from oneprovision.usecases import provisions
from oneprovision.usecases.provisions import CreateProvision
from tests.oneprovision.builders import an_installation

PATIENCE_S = 60.0
TEMPLATE = {
    "name": "few",
    "defaults": {"provision": {"driver": "dummy"}},
    "hosts": [{"im_mad": "kvm", "vm_mad": "kvm", "provision": {"count": 3}}],
}


class Bug:
    """Raises at the second boundary of this name that whoever works on a provision passes: by the first one
    it is taken."""

    def __init__(self, name: str) -> None:
        self.left = 2
        self._name = name

    def __call__(self, name: str) -> None:
        if name == self._name and self.left and threading.current_thread().name.startswith("provision"):
            self.left -= 1
            if not self.left:
                raise RuntimeError("a bug")


@pytest.fixture
def deps(tmp_path: Path) -> Iterator[Deps]:
    (tmp_path / "dummy").mkdir()
    (tmp_path / "dummy" / "cloud.conf").write_text("LATENCY=0.05\n")
    with an_installation(tmp_path, waits=False) as made:
        yield made


@pytest.mark.parametrize("name", ["before commit", "after commit", "driver started", "driver ended"])
def test_a_bug_while_drivers_are_at_work_leaves_the_provision_to_the_next_run(deps: Deps, name: str):
    provisions.create(deps, CreateProvision(TEMPLATE))
    bug = Bug(name)

    def opened() -> Deps:
        database = open_database(deps.settings.database, (CORE, store.SCHEMA), bug)
        return replace(deps, database=database, boundary=bug)

    log = ServerLog(deps.settings.log_directory, "oneprovision", Redactor(()), deps.clock.now)
    driving = Driving(opened, log, 4)
    driving.start()
    until = time.monotonic() + PATIENCE_S
    while state(deps) is not State.RUNNING and time.monotonic() < until:
        driving.wake()
        time.sleep(0.05)
    driving.check()
    driving.stop()
    assert (bug.left, state(deps)) == (0, State.RUNNING)
    home = deps.settings.home
    assert len(list((home / "dummy" / "machines").iterdir())) == 3
    assert not (home / "dummy" / "made-twice").exists()
    assert "RuntimeError: a bug" in json.loads(log.errors.read_text().splitlines()[0])["message"]


def state(deps: Deps) -> State:
    with deps.database.read() as tx:
        return store.get(tx, 0).state
