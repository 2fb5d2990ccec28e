"""The loop keeps a driver's limits and its own, and survives drivers that misbehave."""

import time
from pathlib import Path

import pytest

from onecore.machines.model import Kind
from tests.onecore.machines.bench import LIST, POLICY, Bench, a_driver

# One line when it begins, one when it ends; the file is only ever appended to.
NOTED = """
echo "+ $(date +%s.%N)" >>"$ONE_HOME/calls"
sleep 0.6
: >"$ONE_HOME/made/$2"
echo "- $(date +%s.%N)" >>"$ONE_HOME/calls"
echo "id-$2"
"""
MAKE = ': >"$ONE_HOME/made/$2"; echo "id-$2"'
CANCEL = 'rm -f "$ONE_HOME/made/$2"'
LISTS = "idempotent: true\nextensions: [list]\n"
HANGS = "limits: {timeout_s: 0.4}"


def noted(home: Path) -> list[tuple[str, float]]:
    lines = (home / "calls").read_text().splitlines()
    return [(line[0], float(line[2:])) for line in lines]


def peak(home: Path) -> int:
    running, most = 0, 0
    for sign, _ in noted(home):
        running += 1 if sign == "+" else -1
        most = max(most, running)
    return most


def install(bench: Bench, manifest: str = LISTS, **scripts: str) -> None:
    (bench.home / "made").mkdir(exist_ok=True)
    a_driver(bench.home, "small", manifest, **{"deploy": MAKE, "cancel": CANCEL, "list": LIST, **scripts})


def made(bench: Bench) -> int:
    return len(list((bench.home / "made").iterdir()))


@pytest.mark.parametrize(
    ("parallel", "threads", "most"),
    [
        pytest.param(3, 16, 3, id="the driver's"),
        pytest.param(16, 2, 2, id="ours"),
        pytest.param(16, 16, 6, id="none: all at once"),
    ],
)
def test_calls_at_once_reach_the_limit_and_not_more(bench: Bench, parallel, threads, most):
    install(bench, f"{LISTS}limits: {{parallel: {parallel}}}", deploy=NOTED)
    bench.want(6, driver="small")
    assert bench.worker(threads=threads).settle().problems == {}
    assert peak(bench.home) == most
    assert made(bench) == 6


def test_calls_per_second_are_honoured(bench: Bench):
    install(bench, f"{LISTS}limits: {{parallel: 16, calls_per_second: 10}}", deploy=NOTED)
    bench.want(6, driver="small")
    assert bench.worker().settle().problems == {}
    starts = bench.ask(lambda tx: [row[0] for row in tx.all("SELECT started_at FROM operation ORDER BY id")])
    # An intent is written a moment after its time was chosen, hence the tolerance.
    assert starts[-1] - starts[0] >= 5 / 10 - 0.05
    assert made(bench) == 6


def test_removals_keep_the_limit_too(bench: Bench):
    slow = NOTED.replace(': >"$ONE_HOME/made/$2"', 'rm -f "$ONE_HOME/made/$2"')
    install(bench, f"{LISTS}limits: {{parallel: 2}}", cancel=slow)
    bench.want(4, driver="small")
    bench.worker().settle()
    bench.unwant_all()
    assert bench.worker().settle().problems == {}
    assert (peak(bench.home), made(bench)) == (2, 0)


# -- drivers that misbehave --------------------------------------------------------------------------------


def test_64_mib_of_output_are_cut_and_what_was_made_is_found(bench: Bench):
    install(bench, deploy=f"{MAKE}; head -c 67108864 /dev/zero")
    bench.want(1, driver="small")
    assert bench.worker().settle().problems == {}
    assert bench.journal() == [("deploy", "unknown")]
    assert (made(bench), bench.left_over()) == (1, [])


def test_endless_output_ends(bench: Bench):
    install(bench, deploy="yes")
    bench.want(1, driver="small")
    result = bench.worker().settle()
    assert "printed more than a driver may" in result.problems[0]
    assert made(bench) == 0


def test_a_child_left_behind_neither_blocks_nor_survives(bench: Bench):
    install(bench, deploy=f'{MAKE}; sleep 60 & echo $! >"$ONE_HOME/pid"')
    bench.want(1, driver="small")
    assert bench.worker().settle().problems == {}
    assert bench.journal() == [("deploy", "ok")]
    assert ended(int((bench.home / "pid").read_text()))


def test_a_driver_that_forks_and_dies_by_a_signal_is_unknown_and_looked_for(bench: Bench):
    install(bench, deploy=f"{MAKE}; sleep 60 & kill -9 $$")
    bench.want(1, driver="small")
    assert bench.worker().settle().problems == {}
    assert bench.journal() == [("deploy", "unknown")]


def test_a_driver_that_cannot_be_started_is_a_clear_failure(bench: Bench):
    install(bench, deploy="#")
    (bench.home / "remotes" / "pm" / "small" / "deploy").write_text("#!/no/such/shell\n")
    bench.want(1, driver="small")
    result = bench.worker().settle()
    assert "could not be started" in result.problems[0]
    assert bench.journal() == [("deploy", "failed")] * (POLICY.retries + 1)


# -- drivers without a list --------------------------------------------------------------------------------


@pytest.mark.parametrize("manifest", ["", "idempotent: false"])
def test_without_a_list_a_lost_call_is_held_for_the_user(bench: Bench, manifest):
    install(bench, f"{manifest}\n{HANGS}" if manifest else "", deploy=f"{MAKE} >&2; kill -9 $$")
    bench.want(1, driver="small")
    result = bench.worker().settle()
    assert "its end is unknown, and the driver cannot list" in result.problems[0]
    assert bench.states == ["unknown"]
    bench.unwant_all()
    assert bench.worker().settle().problems != {}
    assert (bench.states, made(bench)) == (["unknown"], 1)


def test_a_refusal_of_a_repeated_deploy_does_not_hide_what_the_first_one_made(bench: Bench):
    script = f'if [ -e "$ONE_HOME/made/$2" ]; then echo "try later" >&2; exit 1; fi; {MAKE} >&2; kill -9 $$'
    install(bench, f"idempotent: true\n{HANGS}", deploy=script)
    bench.want(1, driver="small")
    assert "try later" in bench.worker().settle().problems[0]
    bench.unwant_all()
    assert bench.worker().settle().problems != {}
    assert (bench.states, made(bench)) == (["unknown"], 1)


def test_without_a_list_a_clear_failure_is_believed(bench: Bench):
    install(bench, "", deploy="echo 'no room' >&2; exit 1")
    bench.want(1, driver="small")
    assert "no room" in bench.worker().settle().problems[0]
    bench.unwant_all()
    assert bench.worker().settle().problems == {}
    assert bench.records == []


def test_without_a_list_each_machine_is_polled(bench: Bench):
    install(bench, "", poll="echo STATE=a GUEST_IP_ADDRESSES=192.0.2.7 CPU=5")
    bench.want(3, driver="small")
    assert bench.worker().settle().problems == {}
    assert [r.addresses for r in bench.records] == [("192.0.2.7",)] * 3
    assert bench.records[0].metrics == {"CPU": "5"}


def test_an_address_that_the_list_does_not_show_yet_has_not_vanished(bench: Bench):
    install(
        bench,
        "extensions: [allocate_ip, release_ip, list_ips]",
        allocate_ip='echo "$1" >>"$ONE_HOME/made/taken"; echo \'{"id": "ip-1", "ip": "192.0.2.1"}\'',
        release_ip=NOTHING_TO_DO,
        list_ips="echo '[]'",
    )
    bench.want(1, driver="small", kind=Kind.ADDRESS, lag_s=3600.0)
    bench.worker().settle()
    bench.worker().refresh()
    bench.worker().settle()
    assert bench.journal() == [("allocate_ip", "ok")]


NOTHING_TO_DO = "exit 0"


def ended(pid: int, within_s: float = 5.0) -> bool:
    """Whether the process is over, soon; a zombie is."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
    return False
