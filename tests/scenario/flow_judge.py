"""The independent judge of services: reads what exists and the state file, asks nobody."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.scenario.oracle import Cloud, Violation, read_cloud

RUNNING, WARNING, DONE, FAILED_UNDEPLOYING = 2, 4, 5, 6
ENDING = frozenset({3, DONE, FAILED_UNDEPLOYING, 12, 14})
"""And UNDEPLOYING, UNDEPLOYING_NETS, FAILED_UNDEPLOYING_NETS."""
SETTLED = frozenset({RUNNING, WARNING, DONE, FAILED_UNDEPLOYING, 7, 9, 15})
"""And FAILED_DEPLOYING, FAILED_SCALING, HOLD: a service stays so until somebody asks or a machine changes."""


@dataclass(frozen=True)
class Wish:
    """What was asked for, as far as it was recorded: the state that it has to end in (None: no document), and
    how many VMs in each role."""

    state: int | None
    sizes: tuple[tuple[str, int], ...] = ()


def wish(home: Path) -> Wish:
    """What the state file says is wanted of service 0."""
    body = _body(home)
    if body is None:
        return Wish(None)
    if body["state"] in ENDING:
        return Wish(None if body.get("delete_when_done") else DONE)
    staying = [role for role in body["roles"] if not role.get("leaving")]
    return Wish(RUNNING, tuple((role["name"], role["cardinality"]) for role in staying))


def judge(home: Path, wanted: Wish, cloud: Cloud | None = None) -> list[Violation]:
    """`cloud`: what exists, if not in the files of the dummy cloud."""
    return list(_violations(home, wanted, cloud or read_cloud(home)))


def _violations(home: Path, wanted: Wish, cloud: Cloud) -> Iterator[Violation]:
    rows = all_rows(home, "SELECT name, number, wanted, state FROM resource WHERE number >= 0")  # VMs
    body = _body(home)
    existing, recorded = set(cloud.machines), {row[0] for row in rows}
    for name in existing - recorded:
        yield Violation("leaked", f"machine {name}")
    for name in cloud.made_twice:
        yield Violation("doubled", f"{name} was deployed while it existed")
    for number, times in Counter(row[1] for row in rows).items():
        if times > 1:
            yield Violation("doubled", f"{times} machines for VM {number}")
    yield from _stuck(home, rows, body, wanted)
    yield from _wrong(home, existing, recorded, body, wanted)


def _stuck(home: Path, rows: list[Any], body: Any, wanted: Wish) -> Iterator[Violation]:
    state = body["state"] if body else None
    if state != wanted.state:
        yield Violation("stuck", f"state {state} instead of {wanted.state}")
    for row in rows:
        if row[2] != "present" or row[3] != "ready":
            yield Violation("stuck", f"machine {row[0]} is {row[3]}, wanted {row[2]}")
    if all_rows(home, "SELECT 1 FROM operation WHERE ended_at IS NULL"):
        yield Violation("stuck", "an open operation")
    for (holder,) in all_rows(home, "SELECT owner FROM lease WHERE owner IS NOT NULL"):
        if Path("/proc", holder.split(" ")[3]).exists():
            yield Violation("stuck", f"lease held by {holder}")
    run = home / "run"
    for file in sorted(run.iterdir()) if run.is_dir() else []:
        yield Violation("stuck", f"run file {file.name}")


def _wrong(
    home: Path, existing: set[str], recorded: set[str], body: Any, wanted: Wish
) -> Iterator[Violation]:
    if existing != recorded:
        yield Violation("wrong", f"{len(existing)} machines exist, {len(recorded)} are recorded")
    roles = body["roles"] if body else []
    sizes = tuple((role["name"], len(role["nodes"])) for role in roles if role["nodes"] or wanted.sizes)
    if sizes != wanted.sizes:
        yield Violation("wrong", f"the roles have {sizes}, wanted are {wanted.sizes}")
    nodes = {node["deploy_id"] for role in roles for node in role["nodes"]}
    vms = {row[0] for row in all_rows(home, "SELECT id FROM vm")}
    if nodes != vms or len(existing) != len(nodes):
        yield Violation("wrong", f"nodes {sorted(nodes)}, VMs {sorted(vms)}, {len(existing)} machines")


def _body(home: Path) -> Any:
    found = all_rows(home, "SELECT body FROM document WHERE type = '100' AND id = 0")
    return json.loads(found[0][0]) if found else None


def all_rows(home: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{home / 'one.db'}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()
