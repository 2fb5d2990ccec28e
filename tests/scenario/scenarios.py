"""What is killed: each command that starts drivers, from a prepared state, on a good and on a bad day."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLUSTER = str(ROOT / "examples" / "dummy-cluster.yaml")
DUMMY = ROOT / "drivers" / "remotes" / "pm" / "dummy"
LATENCY_S = 0.06

Command = tuple[str, ...]
RETRY: Command = ("retry", "0", "--force")
DEPROVISION: Command = ("deprovision", "0", "--yes")
DEPROVISION_ANYHOW: Command = (*DEPROVISION, "--force")


@dataclass(frozen=True)
class Scenario:
    """`argv` is killed, after every command of `before` ran to its end. `planned`: the machines and addresses
    that the template asks for. `conf`: cloud.conf while `before` runs. `change` edits a copy of the dummy
    driver. `latency_s`: what a driver call takes, half before its effect and half after it. `outlived`: only
    we are killed, never the drivers: where they can neither list nor repeat, nobody could tell what became of
    one that was cut short, and the user is asked (tests/scenario/test_repair.py)."""

    name: str
    argv: Command
    before: tuple[Command, ...] = ()
    planned: tuple[int, int] = (3, 2)
    conf: str = ""
    change: Callable[[Path], None] | None = None
    latency_s: float = 0.0
    recoveries: tuple[Command, ...] = (RETRY, DEPROVISION)
    outlived: bool = False
    long: bool = False


def create(*knobs: str, ips: int = 2, hosts: int = 3, options: Command = ()) -> Command:
    sets = [f"input.hosts={hosts}", f"input.public_ips={ips}"]
    sets += [f"defaults.provision.{knob}" for knob in knobs]
    return ("create", CLUSTER, *(part for each in sets for part in ("--set", each)), *options)


def adapted(folder: Path, change: Callable[[Path], None]) -> Path:
    """A remotes folder with a changed copy of the dummy driver."""
    driver = folder / "pm" / "dummy"
    shutil.copytree(DUMMY, driver)
    change(driver)
    return folder


def make_unrepeatable(driver: Path) -> None:
    """Not idempotent: deploying a name that exists is a second machine, which is noted down."""
    _replace(driver / "driver.yaml", "idempotent: true", "idempotent: false")
    _replace(driver / "deploy", "\nadopt() {\n", '\nadopt() {\n    echo "$name" >>"$cloud/made-twice"\n')


def make_blind(driver: Path) -> None:
    """Cannot list its machines, as drivers of the old tool."""
    _replace(driver / "driver.yaml", "extensions: [list, ", "extensions: [")
    (driver / "list").unlink()


def make_old(driver: Path) -> None:
    """As a driver of the old tool at its worst."""
    make_blind(driver)
    make_unrepeatable(driver)


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    if old not in text:
        raise AssertionError(f"{file} does not hold {old!r}")
    file.write_text(text.replace(old, new))


_SLOW = f"latency={LATENCY_S}"
_LAG = "list_lag=0.3"
_RUNS = (create(),)
_RUNS_SLOWLY = (create(_SLOW, ips=1),)
_HALF_FAILED = (create(ips=1, options=("--fail-retry", "0")),)
_HALF_SCALED = (create(ips=1), ("add-host", "0", "--amount", "2", "--fail-retry", "0"))
_AT_ONCE = ("--fail-sleep", "0")

SCENARIOS = (
    Scenario("create", create()),
    Scenario("create slow", create(_SLOW, hosts=2, ips=0), planned=(2, 0), latency_s=LATENCY_S),
    Scenario("create without hosts", create(hosts=0), planned=(0, 2)),
    Scenario("create failing first", create("fail_first=deploy:1", ips=0, options=_AT_ONCE), planned=(3, 0)),
    Scenario(
        "create unrepeatable",
        create(_SLOW, hosts=1, ips=0),
        planned=(1, 0),
        change=make_unrepeatable,
        latency_s=LATENCY_S,
    ),
    Scenario("create blind", create(hosts=2, ips=0), planned=(2, 0), change=make_blind),
    Scenario(
        "create old",
        create(_SLOW, hosts=2, ips=0),
        planned=(2, 0),
        change=make_old,
        latency_s=LATENCY_S,
        recoveries=(RETRY, DEPROVISION_ANYHOW),
        outlived=True,
    ),
    Scenario("add-host", ("add-host", "0", "--amount", "2"), _RUNS),
    Scenario("add-host slow", ("add-host", "0"), _RUNS_SLOWLY, latency_s=LATENCY_S),
    Scenario("del-host ids", ("del-host", "0", "--host-ids", "0,2"), _RUNS),
    Scenario("del-host amount", ("del-host", "0", "--amount", "1"), _RUNS_SLOWLY, latency_s=LATENCY_S),
    Scenario("add-ip", ("add-ip", "0", "--amount", "2"), _RUNS),
    Scenario("remove-ip", ("remove-ip", "0", "0"), _RUNS),
    Scenario("deprovision", DEPROVISION, _RUNS),
    Scenario("deprovision half-failed", DEPROVISION, _HALF_FAILED, planned=(3, 1), conf="CAPACITY=2\n"),
    Scenario("retry half-failed", ("retry", "0"), _HALF_FAILED, planned=(3, 1), conf="CAPACITY=2\n"),
    Scenario("cancel add-host", ("cancel", "0"), _HALF_SCALED, conf="CAPACITY=3\n", long=True),
    Scenario("retry add-host", ("retry", "0"), _HALF_SCALED, conf="CAPACITY=3\n", long=True),
    Scenario("delete", ("delete", "0", "--force", "--yes"), _RUNS, long=True),
    Scenario("deprovision slow", DEPROVISION, _RUNS_SLOWLY, latency_s=LATENCY_S, long=True),
    Scenario("create lagging", create(_LAG, hosts=2, ips=1), planned=(2, 1), long=True),
    Scenario(
        "create late",
        create("late=0.2", _LAG, hosts=2, ips=0, options=_AT_ONCE),
        planned=(2, 0),
        long=True,
    ),
    Scenario(
        "create late unrepeatable",
        create("late=0.2", _LAG, hosts=2, ips=0, options=_AT_ONCE),
        planned=(2, 0),
        change=make_unrepeatable,
        long=True,
    ),
    Scenario(
        "create failing after",
        create("fail_after=deploy", hosts=2, ips=0, options=_AT_ONCE),
        planned=(2, 0),
        change=make_unrepeatable,
        long=True,
    ),
    Scenario(
        "create crashing driver",
        create("crash=deploy", hosts=2, ips=0, options=_AT_ONCE),
        planned=(2, 0),
        change=make_unrepeatable,
        long=True,
    ),
    Scenario("create booting", create("boot=0.3", hosts=2, ips=0), planned=(2, 0), long=True),
    Scenario("add-host lagging", ("add-host", "0"), (create(_LAG),), long=True),
    Scenario("del-host lagging", ("del-host", "0", "--amount", "2"), (create(_LAG),), long=True),
    Scenario("deprovision lagging", DEPROVISION, (create(_LAG),), long=True),
    Scenario(
        "create cleaning up",
        create("fail_first=deploy:1", hosts=2, ips=0, options=("--fail-retry", "0", "--fail-cleanup")),
        planned=(2, 0),
        recoveries=(DEPROVISION,),
        long=True,
    ),
)
