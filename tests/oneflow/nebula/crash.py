"""The crash law for services in an OpenNebula: whatever is killed, nothing is leaked, doubled or stuck.

    python -m tests.oneflow.nebula.crash              every boundary and every call that changes something
    python -m tests.oneflow.nebula.crash --share 5    one of five of them
    python -m tests.oneflow.nebula.crash --only 'scale up'

A kill ends `oneflow` at one of its boundaries; or when OpenNebula has carried out a call and not answered it;
or when it has received one, which it carries out once the next command is at work. Then it is recovered, by
a command that is killed, too, and by one that is not. What exists is read from the OpenNebula.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from onecore import config
from tests.nebula.cloud import Cloud
from tests.nebula.kills import Kill, Killed, When
from tests.nebula.server import serving
from tests.scenario import killing, oracle
from tests.scenario.flow_judge import RUNNING, Wish, all_rows, judge, wish
from tests.scenario.killing import Boundary, Place

PARALLEL = 4  # most of the time they wait
ENDED_WELL = (0, 3, 5)
"""Done; there is no such service; there is nothing to be done."""
MARK, VM, NETWORK, ROUTER = "ONEFLOW_MARK", "opennebula", "opennebula-network", "opennebula-router"
TEMPLATE = """
name: shop
deployment: straight
networks: {Private: 'M|network|||template_id:0'}
roles:
- {name: gate, type: vr, vm_template: 1, vm_template_contents: 'NIC=[NETWORK_ID="$Private"]'}
- {name: front, vm_template: 0, cardinality: 2, cooldown: 0}
- {name: worker, vm_template: 0, cardinality: 2, cooldown: 0, parents: [front]}
"""
DOOR = """{name: door, type: vr, vm_template: 1, vm_template_contents: 'NIC=[NETWORK_ID="$Private"]'}"""
ROUTERS = frozenset({"gate", "door"})
DEPLOY = ("template", "instantiate", "0")
RECOVER, DELETE = ("recover", "0"), ("delete", "0")


@dataclass(frozen=True)
class Scenario:
    """What is asked for, and what is wanted then. `runs`: the service, before."""

    name: str
    command: tuple[str, ...]
    asked: Wish
    runs: bool = True

    def words(self, folder: Path) -> list[str]:
        return [word.format(folder=folder) for word in self.command]


def _shop(front: int, worker: int, **further: int) -> Wish:
    return Wish(RUNNING, (("gate", 1), ("front", front), ("worker", worker), *further.items()))


SCENARIOS = (
    Scenario("deploy", DEPLOY, _shop(2, 2), runs=False),
    Scenario("scale up", ("scale", "0", "worker", "4"), _shop(2, 4)),
    Scenario("scale down", ("scale", "0", "front", "1"), _shop(1, 2)),
    Scenario("remove role", ("remove-role", "0", "worker"), Wish(RUNNING, (("gate", 1), ("front", 2)))),
    Scenario("add router", ("add-role", "0", "{folder}/door.yaml"), _shop(2, 2, door=1)),
    Scenario("remove router", ("remove-role", "0", "gate"), Wish(RUNNING, (("front", 2), ("worker", 2)))),
    Scenario("delete", DELETE, Wish(None)),
)


@dataclass
class Site(Killed):
    """An installation, and the OpenNebula that it works with."""

    @property
    def state(self) -> Path:
        """Where what belongs to this OpenNebula is kept."""
        return config.read({"ONE_HOME": str(self.place.home), **self.place.environ}).in_opennebula().home

    def violations(self, wanted: Wish) -> list[str]:
        cloud = self.nebula.cloud
        marks = Counter(vm.user_template.get(MARK, f"VM {vm.id}") for vm in cloud.living())
        twice = tuple(mark for mark, times in marks.items() if times > 1)
        seen = oracle.Cloud(dict.fromkeys(marks, ""), {}, twice)
        found = [f"{v.kind}: {v.text}" for v in judge(self.state, wanted, seen)]
        with cloud.lock:
            cloud.advance()
            networks = sorted(n.name for n in cloud.networks.values())
            routers = sorted(r.name for r in cloud.routers.values())
        numbers = {NETWORK: int(bool(wanted.sizes)), ROUTER: sum(role in ROUTERS for role, _ in wanted.sizes)}
        for driver, exist in ((NETWORK, networks), (ROUTER, routers)):
            sql = f"SELECT name FROM resource WHERE driver = '{driver}'"
            recorded = sorted(name for (name,) in all_rows(self.state, sql))
            if exist != recorded or len(exist) != numbers[driver]:
                found.append(f"{driver}: {exist} exist, {recorded} are recorded, {numbers[driver]} wanted")
        return found


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    cloud = Cloud(time.time, pace=0.01)
    cloud.add_template("small", CPU="1", MEMORY="512")
    cloud.add_template("router", CPU="1", MEMORY="512", VROUTER="YES")
    cloud.add_network_template("private", VN_MAD="bridge")
    with serving(cloud) as nebula:
        auth = folder / "one_auth"
        place = Place(folder, {"ONE_XMLRPC": nebula.url, "ONE_AUTH": str(auth), "HOME": str(folder)})
        place.home.mkdir(parents=True, mode=0o700)
        auth.write_text("oneadmin:secret\n")
        (place.home / "oneflow-server.conf").write_text("late_s: 1\n")
        (folder / "shop.yaml").write_text(TEMPLATE)
        (folder / "door.yaml").write_text(DOOR)
        here = Site(nebula, place, _oneflow)
        here.require(("template", "create", str(folder / "shop.yaml")))
        yield here


def prepare(here: Site, scenario: Scenario) -> None:
    if scenario.runs:
        here.require(DEPLOY)


def crash(scenario: Scenario, kill: Kill, folder: Path) -> tuple[int, list[str]]:
    """How often it was killed, and what broke the law."""
    with site(folder) as here:
        prepare(here, scenario)
        before = wish(here.state)
        here.run(scenario.words(folder), kill)
        kills, wanted = int(here.killed), wish(here.state)
        found = [] if wanted in (before, scenario.asked) else [f"wrong: {wanted} is wanted"]
        is_there = bool(all_rows(here.state, "SELECT 1 FROM document WHERE type = '100'"))
        if is_there:
            recover = RECOVER if wanted.state is not None else DELETE
            here.run(recover, Kill(When.BOUNDARY, Random(f"{scenario.name}{kill}").randint(1, 30)))
            kills += here.killed
            found += _done(here, recover)
        found += here.violations(wanted)
        if wanted.state is not None:
            found += [*_done(here, DELETE), *here.violations(Wish(None))]
        said = [here.place.output.read_text()] if found else []
        return kills, [*found, *said]


def _done(here: Site, command: Sequence[str]) -> list[str]:
    code = here.run(command)
    return [] if code in ENDED_WELL else [f"stuck: {' '.join(command)} ended with {code}"]


def kills(scenario: Scenario, folder: Path) -> list[Kill]:
    """All of them, as a run tells that nobody kills."""
    with site(folder) as here:
        prepare(here, scenario)
        here.require(scenario.words(folder))
        found = here.kills()
        assert here.violations(scenario.asked) == []
    return found


def _oneflow(argv: Sequence[str], boundary: Boundary) -> int:
    from oneflow.__main__ import main

    return main(argv, boundary=boundary)


def _carry_out(task: tuple[Scenario, Kill, Path]) -> tuple[Scenario, Kill, int, list[str]]:
    scenario, kill, folder = task
    return scenario, kill, *crash(scenario, kill, folder)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.oneflow.nebula.crash")
    parser.add_argument("--share", type=int, default=1, metavar="N", help="one of N kills")
    parser.add_argument("--only", action="append", metavar="SCENARIO")
    given = parser.parse_args(argv)
    killing.warm("oneflow")
    start, total, broken = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory(prefix="nebula-crash-") as base:
        tasks = []
        for scenario in (s for s in SCENARIOS if not given.only or s.name in given.only):
            folder = Path(base, scenario.name.replace(" ", "-"))
            some = kills(scenario, folder / "whole")[:: given.share]
            print(f"{scenario.name}: {len(some)} kills", flush=True)
            tasks += [(scenario, kill, folder / f"{kill.when}-{kill.at}") for kill in some]
        with multiprocessing.get_context("fork").Pool(PARALLEL) as pool:
            for scenario, kill, times, found in pool.imap_unordered(_carry_out, tasks):
                total, broken = total + times, broken + bool(found)
                for text in found:
                    print(f"{scenario.name}, {kill.when} {kill.at}: {text}", file=sys.stderr)
    print(f"{total} kills in {time.monotonic() - start:.0f} s, {broken} broke the law")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
