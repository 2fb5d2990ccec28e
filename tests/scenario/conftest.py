"""Homes, and drivers that count their calls or come from the old tool."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenario.command import ROOT, Home
from tests.ssh_server import give_login_key

DUMMY = ROOT / "drivers" / "remotes" / "pm" / "dummy"
ACTIONS = ("deploy", "cancel", "poll", "reboot", "reset", "shutdown")

# Calls of the actions that $ONE_HOME/hold names wait for its end, before they have an effect.
COUNTING = """#!/bin/sh
printf '+ %s %s\\n' "${0##*/}" "${2:--}" >>"$ONE_HOME/calls"
while [ -e "$ONE_HOME/hold" ] && grep -qx "${0##*/}" "$ONE_HOME/hold"; do sleep 0.02; done
"${0%/*}/real/${0##*/}" "$@"
status=$?
printf '%s %s %s\\n' - "${0##*/}" "${2:--}" >>"$ONE_HOME/calls"
exit $status
"""

# As the old tool knew them: it cannot list; a new machine for every deploy. What $ONE_HOME/stop names
# waits before it has an effect, what $ONE_HOME/late names has its effect and waits before it answers.
OLD = """#!/bin/sh
set -u
action=${0##*/}
old=$ONE_HOME/old
mkdir -p "$old/machines"
# A session leader is its own process group: whoever is to kill it finds it here.
echo $$ >"$old/$action.pid"
wait_for() { while [ -e "$ONE_HOME/$1" ] && grep -q "^$action$" "$ONE_HOME/$1"; do sleep 0.02; done; }
wait_for stop
case $action in
deploy)
    id=$(cd "$old/machines" && mktemp sh-XXXXXXXX)
    wait_for late
    echo "$id"
    ;;
poll) [ -e "$old/machines/$1" ] && echo STATE=a || echo STATE=d ;;
cancel) rm -f "$old/machines/$1" ;;
esac
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """An empty home on the dummy driver as it is shipped."""
    yield from _closed(Home(tmp_path))


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[Home]:
    """A home whose dummy driver counts its calls."""
    yield from _closed(Home(tmp_path, counting_dummy(tmp_path / "remotes")))


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Home]:
    """A home whose dummy driver gives removed machines a moment only to leave the list."""
    change = ("timeouts: {deploy: 120}", "timeouts: {confirm: 0.3}")
    remotes = counting_dummy(tmp_path / "remotes", change)
    yield from _closed(Home(tmp_path, remotes))


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Home]:
    """A home with the driver `old`, which knows the six actions only; on its machines nobody listens."""
    folder = old_driver(tmp_path)
    (folder / "driver.yaml").write_text("name: old\nssh: false\n")
    yield from _closed(Home(tmp_path, tmp_path / "remotes"))


@pytest.fixture
def deaf(tmp_path: Path) -> Iterator[Home]:
    """The same, but we do not know that nobody listens: new hosts are waited for in vain."""
    old_driver(tmp_path)
    give_login_key(tmp_path)
    yield from _closed(Home(tmp_path, tmp_path / "remotes"))


def old_driver(folder: Path) -> Path:
    driver = folder / "remotes" / "pm" / "old"
    driver.mkdir(parents=True, mode=0o755)
    for action in ACTIONS:
        _program(driver / action, OLD)
    (folder / "old.yaml").write_text(OLD_TEMPLATE)
    return driver


OLD_TEMPLATE = """name: old
version: 1
defaults: {provision: {driver: old}}
cluster: {name: old}
hosts: [{im_mad: kvm, vm_mad: kvm, provision: {count: 1}}]
"""


def counting_dummy(remotes: Path, change: tuple[str, str] = ("", "")) -> Path:
    """A copy of the dummy driver behind programs that count; `change`: in its driver.yaml."""
    folder = remotes / "pm" / "dummy"
    shutil.copytree(DUMMY, folder / "real", ignore=shutil.ignore_patterns("*.md"))
    before, after = change
    manifest = (folder / "real" / "driver.yaml").read_text()
    assert before in manifest
    (folder / "driver.yaml").write_text(manifest.replace(before, after) if before else manifest)
    for program in (folder / "real").iterdir():
        if program.suffix == "":
            _program(folder / program.name, COUNTING)
    for each in (remotes, *remotes.rglob("*")):
        each.chmod(each.stat().st_mode & ~0o022)
    return remotes


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _closed(home: Home) -> Iterator[Home]:
    home.path.mkdir(mode=0o700)
    yield home
    home.close()
