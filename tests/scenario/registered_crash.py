"""The crash law for provisions with their objects in an OpenNebula: nothing is leaked, doubled or stuck, at
the provider or there, and what is somebody else's stays as it was.

    python -m tests.scenario.registered_crash              every boundary, every call that changes something
    python -m tests.scenario.registered_crash --share 5    one of five of them
    python -m tests.scenario.registered_crash --only add-ip

Every second kill is recovered by deprovision instead of by retry. What exists is read from the OpenNebula and
from the files of the dummy cloud.
"""

import argparse
import multiprocessing
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any

from tests.nebula.cloud import Cloud, InCluster, Owned
from tests.nebula.kills import Kill, Killed, When
from tests.nebula.server import serving
from tests.scenario import killing, oracle
from tests.scenario.crash import fast_folder
from tests.scenario.killing import Place
from tests.scenario.scenarios import DEPROVISION, RETRY, Command, create

PARALLEL = 4  # most of the time they wait
PLANNED = (2, 1)
ENDED_WELL = (0, 5)
"""Done; there is nothing to be done."""
CREATE = create(hosts=PLANNED[0], ips=PLANNED[1])
SCENARIOS: dict[str, tuple[Command, tuple[Command, ...]]] = {
    "create": (CREATE, ()),
    "add-host": (("add-host", "0"), (CREATE,)),
    "del-host": (("del-host", "0", "--host-ids", "0"), (CREATE,)),
    "add-ip": (("add-ip", "0"), (CREATE,)),
    "remove-ip": (("remove-ip", "0", "0"), (CREATE,)),
    "deprovision": (DEPROVISION, (CREATE,)),
}
"""What is killed, and what is run before."""


class Site(Killed):
    """An installation, the dummy cloud, and the OpenNebula in which there is a datastore of somebody else."""

    def violations(self, wanted: oracle.Intent, before: oracle.Cloud) -> list[str]:
        found = [f"{v.kind}: {v.text}" for v in oracle.judge(self.place.home, wanted, before)]
        with self.nebula.cloud.lock:
            self.nebula.cloud.advance()
            found += self._there()
        return found

    def _there(self) -> Iterator[str]:
        cloud = self.nebula.cloud
        pools: dict[str, dict[int, Any]] = {
            "cluster": dict(cloud.clusters),
            "datastore": dict(cloud.datastores),
            "network": dict(cloud.networks),
            "host": dict(cloud.hosts),
        }
        recorded = self._recorded()
        for kind, pool in pools.items():
            tags = Counter(tag for each in pool.values() if (tag := _tag(each)))
            known = Counter(number for k, number in recorded if k == kind)
            if tags != known:
                yield f"{kind}: there are {dict(tags)}, recorded {dict(known)}"
        strangers = [each.name for pool in pools.values() for each in pool.values() if not _tag(each)]
        if strangers != ["default", "images of others"]:
            yield f"leaked: {strangers} have no tag"
        if off := [host.name for host in cloud.hosts.values() if host.status != 0]:
            yield f"stuck: {off} are offline"
        ranges = sorted(given["IP"] for net in cloud.networks.values() for given in net.ranges.values())
        leased = sorted(oracle.read_cloud(self.place.home).addresses)
        if ranges != leased:
            yield f"wrong: address ranges {ranges}, leased are {leased}"

    def _recorded(self) -> list[tuple[str, str]]:
        if oracle.read_store(self.place.home) == oracle.Store():
            return []
        with closing(sqlite3.connect(f"file:{self.place.home / 'one.db'}?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT kind, id FROM object").fetchall()
        return [(kind, str(number)) for kind, number in rows]


def _tag(each: Owned) -> str:
    return str((each.template.get("ONEFORM") or {}).get("RESOURCE_ID", ""))


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    cloud = Cloud(time.time, pace=0.01)
    with serving(cloud) as nebula:
        auth = folder / "one_auth"
        place = Place(folder, {"ONE_XMLRPC": nebula.url, "ONE_AUTH": str(auth), "HOME": str(folder)})
        place.home.mkdir(parents=True, mode=0o700)
        auth.write_text("oneadmin:secret\n")
        cloud.datastores[0] = InCluster(0, "images of others", 0, 0)
        yield Site(nebula, place, killing.oneprovision)


def crash(name: str, kill: Kill, folder: Path) -> tuple[int, list[str]]:
    """How often it was killed, and what broke the law."""
    command, before = SCENARIOS[name]
    with site(folder) as here:
        home = here.place.home
        for first in before:
            here.require(first)
        machines = oracle.read_cloud(home)
        here.run(command, kill)
        kills = int(here.killed)
        wanted = oracle.intent(oracle.read_store(home), PLANNED)
        found: list[str] = []
        if wanted.state is not None and kill.at % 2 == 0 and wanted.state != oracle.DONE:
            here.run(RETRY, Kill(When.BOUNDARY, Random(f"{name}{kill}").randint(1, 40)))
            kills += here.killed
            found += [*_done(here, RETRY), *here.violations(wanted, machines)]
        over = oracle.NOTHING
        if oracle.read_store(home).state is not None:
            found += _done(here, DEPROVISION)
            over = oracle.Intent(oracle.DONE, 0, 0, frozenset(), frozenset())
        found += here.violations(over, oracle.Cloud({}, {}))
        said = [here.place.output.read_text()] if found else []
        return kills, [*found, *said]


def _done(here: Site, command: Command) -> list[str]:
    code = here.run(command)
    return [] if code in ENDED_WELL else [f"stuck: {' '.join(command)} ended with {code}"]


def kills(name: str, folder: Path) -> list[Kill]:
    """All of them, as a run tells that nobody kills."""
    command, before = SCENARIOS[name]
    with site(folder) as here:
        for each in (*before, command):
            here.require(each)
        found = here.kills()
        wanted = oracle.intent(oracle.read_store(here.place.home), PLANNED)
        assert here.violations(wanted, oracle.Cloud({}, {})) == []
    return found


def _carry_out(task: tuple[str, Kill, Path]) -> tuple[str, Kill, int, list[str]]:
    name, kill, folder = task
    return name, kill, *crash(name, kill, folder)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.scenario.registered_crash")
    parser.add_argument("--share", type=int, default=1, metavar="N", help="one of N kills")
    parser.add_argument("--only", action="append", metavar="SCENARIO")
    given = parser.parse_args(argv)
    killing.warm()
    start, total, broken = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory(prefix="registered-crash-", dir=fast_folder()) as base:
        tasks = []
        for name in given.only or SCENARIOS:
            folder = Path(base, name)
            some = kills(name, folder / "whole")[:: given.share]
            print(f"{name}: {len(some)} kills", flush=True)
            tasks += [(name, kill, folder / f"{kill.when}-{kill.at}") for kill in some]
        with multiprocessing.get_context("fork").Pool(PARALLEL) as pool:
            for name, kill, times, found in pool.imap_unordered(_carry_out, tasks):
                total, broken = total + times, broken + bool(found)
                for text in found:
                    print(f"{name}, {kill.when} {kill.at}: {text}", file=sys.stderr)
    print(f"{total} kills in {time.monotonic() - start:.0f} s, {broken} broke the law")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
