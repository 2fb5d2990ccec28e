"""Real OpenTofu: plans are saved and carried out as they are, and a state says what was made."""

import os
import signal
import time
from pathlib import Path

import pytest

from onecore import alive, process, tofu
from onecore.errors import DriverFailed, NotFound, WrongState
from onecore.process import Ended, Outcome
from onecore.tofu import Workspace
from onecore.tofu_output import Action, Heard, heard_in, parse_plan, parse_state
from tests.oneform import tofu as program

MAIN = """
variable "hosts" { type = number }
variable "pause" { default = 0 }
resource "terraform_data" "net" { input = "shared" }
resource "terraform_data" "host" {
  count = var.hosts
  input = { name = "m${count.index}", net = terraform_data.net.output }
  provisioner "local-exec" {
    command = "sleep ${var.pause}; test ! -e fail-${count.index} && echo ${self.id} > ${self.input.name}"
  }
  provisioner "local-exec" {
    when    = destroy
    command = "rm -f ${self.input.name}"
  }
}
output "provisioned_hosts" {
  value = [for i, h in terraform_data.host : { instance_id = h.id, instance_ip = "192.0.2.${i}" }]
}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "main.tf").write_text(MAIN)
    made = Workspace(program(), tmp_path, {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, timeout_s=60)
    wanted(made, hosts=3)
    tofu.carry_out(made.init(), "init")
    return made


def wanted(workspace: Workspace, **values: object) -> None:
    (workspace.folder / tofu.VARIABLES).write_text(tofu.variables_text(values))


def plan(workspace: Workspace, *targets: str, destroy: bool = False) -> dict[str, Action]:
    outcome = silently(workspace.plan(workspace.folder / "plan.out", targets, destroy))
    assert outcome.ok, outcome
    shown = tofu.carry_out(workspace.show_plan(), "show").stdout
    return {change.address: change.action for change in parse_plan(shown).changes}


def silently(command: process.Command) -> process.Outcome:
    return tofu.follow(command, lambda heard: None, lambda: True, 0.02)


def apply(workspace: Workspace) -> process.Outcome:
    return silently(workspace.apply(workspace.folder / "apply.out"))


def stored(workspace: Workspace) -> dict[str, bool]:
    """Address and whether it is whole."""
    state = parse_state((workspace.folder / tofu.STATE).read_text())
    return {i.address: not i.tainted for i in state.instances}


def machines(workspace: Workspace) -> set[str]:
    return {path.name for path in workspace.folder.glob("m[0-9]*")}


def test_the_plan_that_is_shown_is_the_one_that_is_carried_out(workspace):
    assert set(plan(workspace).values()) == {Action.CREATE}
    wanted(workspace, hosts=50)
    assert apply(workspace).ok
    assert machines(workspace) == {"m0", "m1", "m2"}


def test_outputs_and_instances_are_read_from_the_state(workspace):
    plan(workspace)
    apply(workspace)
    state = parse_state((workspace.folder / tofu.STATE).read_text())
    ids = [i.values["id"] for i in sorted(state.instances, key=lambda i: i.address) if i.key is not None]
    listed = state.outputs["provisioned_hosts"]
    assert isinstance(listed, list)
    assert [each["instance_id"] for each in listed] == ids


def test_a_plan_that_the_state_has_overtaken_is_refused(workspace):
    plan(workspace)
    saved = (workspace.folder / tofu.PLAN).read_bytes()
    apply(workspace)
    (workspace.folder / tofu.PLAN).write_bytes(saved)
    outcome = apply(workspace)
    with pytest.raises(WrongState, match="the state was changed by somebody else"):
        raise tofu.failure(outcome, "apply")
    assert len(machines(workspace)) == 3


def test_a_failure_names_the_resource_and_keeps_what_was_made(workspace):
    (workspace.folder / "fail-1").touch()
    plan(workspace)
    error = tofu.failure(apply(workspace), "apply")
    assert isinstance(error, DriverFailed)
    assert "terraform_data.host[1]: local-exec provisioner error" in error.message
    assert stored(workspace)["terraform_data.host[0]"] is True
    assert stored(workspace)["terraform_data.host[1]"] is False
    assert plan(workspace) == {"terraform_data.host[1]": Action.REPLACE}


def test_removing_two_of_three_by_target_names_two(workspace):
    plan(workspace)
    apply(workspace)
    targets = [f"terraform_data.host[{at}]" for at in (0, 1)]
    assert plan(workspace, *targets, destroy=True) == dict.fromkeys(targets, Action.DELETE)
    apply(workspace)
    assert machines(workspace) == {"m2"}


def test_who_asks_to_stop_is_heard_and_the_state_is_written(workspace):
    wanted(workspace, hosts=3, pause=30)
    plan(workspace)
    begun: list[Heard] = []
    outcome = tofu.follow(
        workspace.apply(workspace.folder / "apply.out"),
        begun.append,
        lambda: sum(h.kind == "provision_start" for h in begun) < 3,
        0.02,
    )
    assert outcome.ended is Ended.STOPPED
    assert outcome.duration_s < 20
    hosts = {address: whole for address, whole in stored(workspace).items() if "host" in address}
    assert hosts == {f"terraform_data.host[{at}]": False for at in range(3)}


def test_a_run_past_its_time_is_ended(workspace):
    wanted(workspace, hosts=1, pause=30)
    plan(workspace)
    hurried = Workspace(workspace.program, workspace.folder, workspace.environment, timeout_s=1)
    outcome = silently(hurried.apply(workspace.folder / "apply.out"))
    assert outcome.ended is Ended.TIMED_OUT
    assert "halted" in tofu.failure(outcome, "apply").message


def test_a_run_that_outlives_us_can_be_waited_for_and_read(workspace):
    """The output stays locked while the program lives, whoever started it."""
    wanted(workspace, hosts=2, pause=1)
    plan(workspace)
    output = workspace.folder / "apply.out"
    child = os.fork()
    if child == 0:
        tofu.follow(workspace.apply(output), lambda heard: os.kill(os.getpid(), signal.SIGKILL), lambda: True)
    os.waitpid(child, 0)
    assert alive.is_held(output)
    deadline = time.monotonic() + 30
    while alive.is_held(output):
        assert time.monotonic() < deadline
        os.sched_yield()
    assert machines(workspace) == {"m0", "m1"}


def test_a_killed_run_leaves_what_it_had_finished_in_the_state(workspace):
    (workspace.folder / "main.tf").write_text(MAIN.replace("sleep ${var.pause}", "sleep ${count.index * 30}"))
    plan(workspace)
    output = workspace.folder / "apply.out"

    def kill(heard: Heard) -> None:
        if heard.kind == "apply_complete" and heard.key == 0:
            alive.kill_holders(output)

    outcome = tofu.follow(workspace.apply(output), kill, lambda: True, 0.02)
    assert outcome.ended is Ended.SIGNALLED
    heard = list(heard_in(outcome.stdout))
    begun = {h.key for h in heard if h.kind == "apply_start" and h.key is not None}
    ended = {h.key for h in heard if h.kind == "apply_complete" and h.key is not None}
    assert (begun, ended) == ({0, 1, 2}, {0})
    # Why the log is read beside the state: what was begun and not ended may stand in it as if it were whole.
    begun_and_stored = stored(workspace).keys() & {"terraform_data.host[1]", "terraform_data.host[2]"}
    for address in begun_and_stored:
        tofu.carry_out(workspace.taint(address), "taint")
    assert plan(workspace) == {
        f"terraform_data.host[{at}]": (
            Action.REPLACE if f"terraform_data.host[{at}]" in begun_and_stored else Action.CREATE
        )
        for at in (1, 2)
    }


def test_what_a_run_writes_is_for_us_alone(workspace):
    plan(workspace)
    apply(workspace)
    written = [workspace.folder / name for name in (tofu.STATE, tofu.PLAN, "apply.out", "plan.out")]
    assert {oct(path.stat().st_mode & 0o777) for path in written} == {"0o600"}


def test_a_value_never_becomes_code(workspace):
    (workspace.folder / "main.tf").write_text('variable "v" {}\noutput "v" { value = var.v }\n')
    nasty = 'quote" ${path.module} %{ if true } \\ ü\n'
    wanted(workspace, v=nasty)
    plan(workspace)
    apply(workspace)
    assert parse_state((workspace.folder / tofu.STATE).read_text()).outputs["v"] == nasty


def test_a_damaged_state_is_never_taken_for_an_empty_one():
    for text in ('{"version": 4, "resources": [', "[]", '{"version": 3}'):
        with pytest.raises(ValueError, match=r"."):
            parse_state(text)


def test_a_machine_without_the_program_is_told_what_to_install(tmp_path):
    with pytest.raises(NotFound) as caught:
        tofu.find("", str(tmp_path))
    assert "neither tofu nor terraform" in caught.value.message
    assert "opentofu" in caught.value.hint.lower()
    with pytest.raises(NotFound, match="there is no program '/no/tofu'"):
        tofu.find("/no/tofu", str(tmp_path))


def test_tofu_is_preferred_and_terraform_is_taken_where_it_is_alone(tmp_path):
    for name in ("terraform", "tofu"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        assert tofu.find("", str(tmp_path)).name == name


def test_a_refresh_that_changes_nothing_is_no_failure():
    said = b'{"@level":"error","@message":"Error: Cannot apply non-applyable plan"}\n'
    refused = Outcome(Ended.EXITED, 1, said, b"", 0.1)
    assert tofu.had_nothing_to_do(refused)
    assert not tofu.had_nothing_to_do(Outcome(Ended.EXITED, 1, b"no credentials", b"", 0.1))
