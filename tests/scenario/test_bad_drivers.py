"""Whatever a driver does: the error says what, nothing leaks, and a healed driver brings it in order."""

import shutil
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenario.installation import DONE, RUNNING, Installation, template, until
from tests.ssh_server import give_login_key

pytestmark = pytest.mark.scenario

BUILT_IN = Path(__file__).parents[2] / "drivers" / "remotes" / "pm" / "dummy"
ACTIONS = ("deploy", "cancel", "poll", "reboot", "reset", "shutdown")
LIMITS = "limits:\n  timeouts: {deploy: 1, cancel: 1, list: 1, confirm: 0.5, boot: 2}\n"
QUICK = ("--fail-retry", "0", "--fail-sleep", "0.05")


@pytest.fixture
def remotes(tmp_path: Path) -> Path:
    """A dummy driver that may be spoilt, with short limits."""
    folder = tmp_path / "remotes" / "pm" / "dummy"
    shutil.copytree(BUILT_IN, folder)
    declared = (folder / "driver.yaml").read_text()
    (folder / "driver.yaml").write_text(declared[: declared.index("limits:")] + LIMITS)
    for file in (folder.parent, folder, *folder.iterdir()):
        file.chmod(file.stat().st_mode & ~0o022)
    return folder.parent


@pytest.fixture
def one(tmp_path: Path, remotes: Path) -> Iterator[Installation]:
    one = Installation(tmp_path / "home", {"ONE_REMOTES": str(remotes.parent)})
    yield one
    one.end_drivers()


def action(folder: Path, name: str, script: str) -> None:
    """Puts a script in front of the action of a driver; $real is the action that was there."""
    program, real = folder / name, folder / f"real-{name}"
    if not real.exists() and program.exists():
        # Under its own name, which tells it what to do.
        (folder / "real").mkdir(mode=0o755, exist_ok=True)
        for file in BUILT_IN.iterdir():
            shutil.copy(file, folder / "real" / file.name)
            (folder / "real" / file.name).chmod(file.stat().st_mode & ~0o022)
    program.write_text(f'#!/bin/sh\nreal="${{0%/*}}/real/{name}"\n{script}\n')
    program.chmod(0o755)


def heal(folder: Path, name: str) -> None:
    shutil.copy(BUILT_IN / name, folder / name)


def old_driver(registry: Path, deploy: str) -> None:
    """A driver of the old kind: six actions, no driver.yaml; what it makes are files under ONE_HOME/dummy."""
    folder = registry / "old"
    folder.mkdir(mode=0o755)
    for name in ACTIONS:
        (folder / name).write_text("#!/bin/sh\necho STATE=a\n")
        (folder / name).chmod(0o755)
    (folder / "deploy").write_text(f"#!/bin/sh\n{deploy}\n")


# What deploy does instead of its work, and words of the error.
NOTHING_MADE = {
    "exit 1": ("exit 1", "exit"),
    "no program": ("exec /nowhere/at/all", "/nowhere/at/all: not found"),
    "an error on stdout": ("echo no quota left; exit 3", "no quota left"),
    "an error between marks": (
        "printf '%s\\n' 'ERROR MESSAGE --8<------' 'quota <b>&' 'ERROR MESSAGE ------>8--' >&2; exit 1",
        "quota <b>&",
    ),
    "an error that steers the terminal": (r"printf '\033[2Jboo\n' >&2; exit 1", r"\x1b[2Jboo"),
    "binary errors": ("head -c 3000 /dev/urandom >&2; exit 1", "dummy deploy of t-0"),
    "64 MiB of errors": ("head -c 67108864 /dev/zero | tr '\\0' e >&2; exit 1", "printed more"),
    "64 MiB of output": ("head -c 67108864 /dev/zero", "printed more"),
    "much output, slowly": ("head -c 3000000 /dev/zero; exec sleep 9", "printed more"),
    "killed by a signal": ("kill -SEGV $$", "SIGSEGV"),
    "hangs": ("exec sleep 1000", "timed out"),
    "hangs and minds no signal": ("trap '' TERM INT HUP; while :; do sleep 1; done", "timed out"),
    "an empty program": ("exit 0", ""),
    "a blank answer": ("echo; echo '  '", ""),
    "an option as id": ("echo -rf", "begins with '-'"),
    "several lines as id": ("echo a; echo b", "more than one line"),
    "NUL as id": (r"printf 'a\000b\n'", "do not print"),
    "binary as id": (r"printf '\377\376\n'", "UTF-8"),
    "an endless id": ("head -c 100000 /dev/zero | tr '\\0' x", ""),
}


@pytest.mark.parametrize("case", NOTHING_MADE)
def test_a_deploy_that_makes_nothing_fails_with_its_words_and_can_be_repeated(
    one: Installation, remotes: Path, tmp_path: Path, case: str
):
    script, word = NOTHING_MADE[case]
    action(remotes / "dummy", "deploy", script)
    answer = one.run("create", template(tmp_path), *QUICK)
    assert (answer.code, answer.out) == (1, ""), answer
    assert word in answer.err
    assert len(answer.err) < 10_000
    assert answer.err.replace("\n", "").isprintable()
    assert one.existing() == set()

    heal(remotes / "dummy", "deploy")
    one.ok("retry", "0", *QUICK)
    assert one.state() == RUNNING
    assert one.existing() == one.wanted() and len(one.wanted()) == 1


# What a deploy does besides its work. The machine exists, and is found by its name.
MADE_ALL_THE_SAME = {
    "fails afterwards": '"$real" "$@" >/dev/null; exit 1',
    "killed afterwards": '"$real" "$@"; kill -KILL $$',
    "hangs afterwards": '"$real" "$@"; exec sleep 1000',
    "garbage": '"$real" "$@" >/dev/null; printf \'\\377\\000garbage\\n\'',
    "nothing": '"$real" "$@" >/dev/null',
    "two lines": '"$real" "$@"; echo and more',
    "an option": '"$real" "$@" >/dev/null; echo -x',
    "64 MiB": '"$real" "$@"; head -c 67108864 /dev/zero',
    "a child that keeps the output open": '"$real" "$@"; sleep 1000 & exit 0',
    "a child in a group of its own": '"$real" "$@"; setsid sleep 20 & exit 0',
    "another id": '"$real" "$@" >/dev/null; echo another-id',
}


@pytest.mark.parametrize("case", MADE_ALL_THE_SAME)
def test_what_was_made_all_the_same_is_adopted_or_removed(
    one: Installation, remotes: Path, tmp_path: Path, case: str
):
    action(remotes / "dummy", "deploy", MADE_ALL_THE_SAME[case])
    begun = time.monotonic()
    answer = one.run("create", template(tmp_path), *QUICK)
    assert time.monotonic() - begun < 15
    assert answer.code in (0, 1), answer
    assert (answer.code == 0) == (one.state() == RUNNING)
    assert one.existing() <= one.recorded()
    assert len(one.existing()) == 1

    answer = one.run("deprovision", "0", "--yes")
    assert answer.code == 0, answer
    assert (one.state(), one.existing()) == (DONE, set())


def test_a_driver_that_lies_of_its_work_is_found_out(one: Installation, tmp_path: Path):
    answer = one.run("create", template(tmp_path, lie="deploy"), *QUICK)
    assert answer.code == 1
    assert "the provider does not know it" in answer.err
    assert one.existing() == set()
    one.ok("deprovision", "0", "--yes")
    assert one.state() == DONE


def test_a_lying_driver_is_not_believed_again_and_again(one: Installation, tmp_path: Path):
    assert one.run("create", template(tmp_path, lie="deploy"), *QUICK).code == 1
    answer = one.run("retry", "0", "--force", "--fail-retry", "1", "--fail-sleep", "0")
    assert answer.code == 1
    assert "the provider does not know it" in answer.err
    assert one.existing() == set()


def test_a_driver_that_lies_of_a_removal_leaves_the_list_of_what_remains(
    one: Installation, remotes: Path, tmp_path: Path
):
    one.ok("create", template(tmp_path, 2), *QUICK)
    action(remotes / "dummy", "cancel", "exit 0")
    answer = one.run("deprovision", "0", "--yes")
    assert answer.code == 1
    assert all(name in answer.err for name in one.existing())
    assert one.existing() == one.recorded() and len(one.existing()) == 2
    heal(remotes / "dummy", "cancel")
    one.ok("deprovision", "0", "--yes")
    assert (one.state(), one.existing()) == (DONE, set())


@pytest.mark.parametrize(
    "script", ["echo nonsense", "echo '{}'", "echo '[{\"name\": 1}]'", "exec sleep 1000"]
)
def test_a_list_that_cannot_be_read_is_never_taken_for_absence(
    one: Installation, remotes: Path, tmp_path: Path, script: str
):
    one.ok("create", template(tmp_path, 2), *QUICK)
    made = one.existing()
    action(remotes / "dummy", "list", script)
    answer = one.run("retry", "0", "--force", *QUICK)
    assert answer.code == 1, answer
    assert one.existing() == made == one.wanted()
    answer = one.run("deprovision", "0", "--yes", "--force")
    assert answer.code == 1
    assert one.recorded() >= one.existing()
    heal(remotes / "dummy", "list")
    one.ok("deprovision", "0", "--yes")
    assert (one.state(), one.existing()) == (DONE, set())


def test_a_driver_of_the_old_kind_with_an_unknown_end_is_held_until_the_user_decides(
    one: Installation, remotes: Path, tmp_path: Path
):
    old_driver(remotes, "printf '\\377garbage\\n'")
    give_login_key(tmp_path)
    path = template(tmp_path, driver="old")
    answer = one.run("create", path, *QUICK)
    assert answer.code == 1
    assert "cannot list" in answer.err
    answer = one.run("deprovision", "0", "--yes")
    assert answer.code == 1 and "t-0" in answer.err + one.ok("show", "0")
    one.ok("deprovision", "0", "--yes", "--force")
    assert one.state() == DONE


def test_a_child_that_goes_on_working_is_ended_with_its_driver(
    one: Installation, remotes: Path, tmp_path: Path
):
    action(remotes / "dummy", "deploy", '"$real" "$@"; (while :; do sleep 0.05; done) & exit 0')
    one.ok("create", template(tmp_path))
    until(lambda: not one.at_work(), "nobody is at work")


def test_what_a_driver_is_given_survives_any_character(one: Installation, remotes: Path, tmp_path: Path):
    values = {"note": "<a> & \"b\" 'c' $(x) `y` ; | > é 漢 ]]> <!-- &amp;", "plan": "-rf", "image": "a\tb  "}
    action(remotes / "dummy", "deploy", f'cp "$1" {tmp_path}/file; exec "$real" "$@" <"$1"')
    quoted = {key: "'" + value.replace("'", "''") + "'" for key, value in values.items()}
    one.ok("create", template(tmp_path, 1, "dummy", **quoted))
    provision = ET.parse(tmp_path / "file").find("TEMPLATE/PROVISION")
    assert provision is not None
    assert {key: provision.findtext(key.upper()) for key in values} == values


def test_a_driver_that_is_spoilt_later_keeps_what_it_made_on_record(
    one: Installation, remotes: Path, tmp_path: Path
):
    one.ok("create", template(tmp_path, 2), *QUICK)
    (remotes / "dummy" / "cancel").chmod(0o644)
    answer = one.run("deprovision", "0", "--yes")
    assert answer.code == 1 and "not executable" in answer.err
    assert one.existing() == one.recorded() and len(one.existing()) == 2
    (remotes / "dummy" / "cancel").chmod(0o755)
    one.ok("deprovision", "0", "--yes")
    assert (one.state(), one.existing()) == (DONE, set())


def test_a_command_that_is_killed_while_a_driver_hangs_leaves_nothing_behind(
    one: Installation, remotes: Path, tmp_path: Path
):
    action(remotes / "dummy", "deploy", '"$real" "$@" >/dev/null; exec sleep 1000')
    process = one.start("create", template(tmp_path), *QUICK)
    until(lambda: len(one.existing()) == 1, "the machine is made")
    process.end()
    heal(remotes / "dummy", "deploy")
    one.ok("retry", "0", *QUICK)
    assert one.existing() == one.wanted() and len(one.wanted()) == 1
    one.ok("deprovision", "0", "--yes")
    assert (one.state(), one.existing()) == (DONE, set())
