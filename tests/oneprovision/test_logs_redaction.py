"""A secret reaches the driver and nothing else; what commands did is in a private log without it."""

import base64
import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.scenario.installation import Answer, Installation, template, until, written
from tests.ssh_server import give_login_key

CANARY = "c4nary/of+the&mine=0123456789"
SPELLINGS = (CANARY, quote(CANARY, safe=""), base64.b64encode(CANARY.encode()).decode())

# Tells its secret wherever a driver can tell anything; `mode` says where.
DRIVER = r"""#!/bin/sh
here=${0%/*}
read -r mode < "$here/mode"
quoted=$(printf %s "$TOKEN" | sed 's:/:%2F:;s:+:%2B:;s:&:%26:;s:=:%3D:')
case ${0##*/} in
deploy)
    printf %s "$TOKEN" > "$here/seen"
    case $mode in
    hang) echo $$ > "$here/hanging.new"; mv "$here/hanging.new" "$here/hanging"; sleep 60 ;;
    refuse)
        echo "debug: sent $TOKEN"
        printf 'ERROR MESSAGE --8<------\n401 for %s\n' "$TOKEN" >&2
        printf 'at https://cloud/?token=%s or %s\n' "$quoted" "$(printf %s "$TOKEN" | base64)" >&2
        echo 'ERROR MESSAGE ------>8--' >&2
        exit 1 ;;
    stdout) echo "failed with $TOKEN"; exit 1 ;;
    id) echo "vm-$TOKEN"; exit 0 ;;
    lines) printf '%s\n%s\n' "$TOKEN" "$TOKEN"; exit 0 ;;
    esac
    echo "$2" > "$here/vm-1"
    echo vm-1 ;;
poll)
    [ -f "$here/vm-1" ] || { echo STATE=d; exit 0; }
    echo "STATE=a NOTE=x$TOKEN GUEST_IP_ADDRESSES=192.0.2.1" ;;
list)
    case $mode in badlist) echo "[\"$TOKEN\"]"; exit 0 ;; esac
    [ -f "$here/vm-1" ] || { echo '[]'; exit 0; }
    read -r name < "$here/vm-1"
    printf '[{"name": "%s", "deploy_id": "vm-1", "state": "running", "metrics": {"note": "%s"}}]' \
        "$name" "$TOKEN" ;;
cancel) rm -f "$here/vm-1" ;;
esac
"""
MANIFEST = "ssh: false\nsecrets: {token: TOKEN}\nextensions: [list]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the driver."""
    path = tmp_path / "remotes" / "pm" / "leaky"
    path.mkdir(parents=True)
    for action in ("deploy", "cancel", "poll", "reboot", "reset", "shutdown", "list"):
        (path / action).write_text(DRIVER)
        (path / action).chmod(0o755)
    for each in (path, path.parent, path.parent.parent):
        each.chmod(0o755)
    (path / "mode").write_text("well\n")
    return path


@pytest.fixture
def here(tmp_path: Path, folder: Path) -> Installation:
    give_login_key(tmp_path)
    return Installation(tmp_path / "home", {"ONE_REMOTES": str(tmp_path / "remotes")})


def with_manifest(folder: Path) -> None:
    (folder / "driver.yaml").write_text(MANIFEST)


def a_provider(here: Installation) -> None:
    text = f"{{name: p, driver: leaky, connection: {{token: '{CANARY}'}}}}"
    answer = here.run("provider", "create", "-", stdin=text.encode())
    assert answer.code == 0, answer.err


def created(here: Installation, tmp_path: Path) -> Answer:
    # Without a manifest readiness would be probed over SSH.
    patience = ("--fail-retry", "0", "--ping-retries", "1", "--ping-timeout", "0")
    return here.run("create", template(tmp_path, driver="leaky"), "--provider", "p", *patience)


def told(here: Installation, *answers: Answer) -> list[str]:
    """Where the canary can be read: in files of the installation, its tables, answers, and what is shown."""
    places = {str(file): file.read_bytes() for file in here.home.rglob("*") if file.is_file()}
    places["tables"] = repr(here.stored()).encode()
    for number, answer in enumerate(answers):
        places[f"answer {number}"] = (answer.out + answer.err).encode()
    for command in (
        ["show", "0"],
        ["show", "0", "-j"],
        ["logs", "0"],
        ["logs", "0", "-j"],
        ["list", "-j"],
        ["provider", "show", "p", "-j"],
        ["provider", "list", "-j"],
        ["retry", "0", "-j"],
    ):
        answer = here.run(*command)
        places[" ".join(command)] = (answer.out + answer.err).encode()
    return [name for name, text in places.items() if any(s.encode() in text for s in SPELLINGS)]


def command_lines() -> Iterator[bytes]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield (entry / "cmdline").read_bytes()
            except OSError:  # it ended meanwhile
                continue


def lines(here: Installation) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (here.home / "logs" / "oneprovision.log").read_text().splitlines()]


# -- the canary ----------------------------------------


@pytest.mark.parametrize("mode", ["well", "refuse", "stdout", "id", "lines"])
@pytest.mark.parametrize("manifest", [False, True])
def test_a_secret_reaches_the_driver_and_nothing_else(
    mode: str, manifest: bool, here: Installation, folder: Path, tmp_path: Path
) -> None:
    if manifest:
        with_manifest(folder)
    a_provider(here)
    (folder / "mode").write_text(f"{mode}\n")
    answer = created(here, tmp_path)
    assert (folder / "seen").read_text() == CANARY
    assert told(here, answer) == []


def test_a_list_that_tells_a_secret_tells_it_to_nobody(
    here: Installation, folder: Path, tmp_path: Path
) -> None:
    with_manifest(folder)
    a_provider(here)
    assert created(here, tmp_path).code == 0
    (folder / "mode").write_text("badlist\n")
    answer = here.run("deprovision", "0", "--yes", "--force")
    assert answer.code == 1
    assert told(here, answer) == []


def test_metrics_are_kept_without_the_secret(here: Installation, folder: Path, tmp_path: Path) -> None:
    with_manifest(folder)
    a_provider(here)
    assert created(here, tmp_path).code == 0
    shown = json.loads(here.ok("show", "0", "-j"))["DOCUMENT"]["TEMPLATE"]["PROVISION_BODY"]
    assert shown["one_objects"]["hosts"][0]["metrics"] == {"note": "*****"}


def test_while_a_driver_is_at_work_its_secret_is_in_no_command_line_and_no_open_file(
    here: Installation, folder: Path, tmp_path: Path
) -> None:
    a_provider(here)
    (folder / "mode").write_text("hang\n")
    process = here.start("create", template(tmp_path, driver="leaky"), "--provider", "p")
    try:
        until((folder / "hanging").exists, "the driver is at work")
        assert not [line for line in command_lines() if CANARY.encode() in line]
        files = [file for file in here.home.rglob("*") if file.is_file()]
        assert [f.name for f in files if f.suffix == ".xml"]
        assert not [file for file in files if CANARY.encode() in file.read_bytes()]
        assert not [file for file in files if stat.S_IMODE(file.stat().st_mode) & 0o077]
    finally:
        process.end()
        os.killpg(int((folder / "hanging").read_text()), signal.SIGKILL)


def test_secrets_of_the_environment_are_masked_like_those_of_a_provider(
    here: Installation, folder: Path, tmp_path: Path
) -> None:
    with_manifest(folder)
    (folder / "mode").write_text("refuse\n")
    given = Installation(here.home, {**here.environ, "TOKEN": CANARY})
    answer = given.run("create", template(tmp_path, driver="leaky"), "--fail-retry", "0")
    assert (folder / "seen").read_text() == CANARY
    assert told(given, answer) == []


# -- the log ----------------------------------------


def test_a_command_leaves_who_began_what_and_how_it_ended(here: Installation, tmp_path: Path) -> None:
    here.ok("create", template(tmp_path))
    first, *between, last = lines(here)
    assert (first["message"], first["user"], first["argv"][0]) == ("began", "oneadmin", "create")
    assert (last["message"], last["exit_code"], last["argv"]) == ("ended", 0, first["argv"])
    assert 0 < last["duration_s"] < 40
    assert {"APPLYING", "RUNNING"} <= {line["message"] for line in between}
    assert [line["label"] for line in between if line.get("step") == "ready"] == ["t-0"]


def test_a_failure_is_logged_with_its_exit_code(here: Installation, tmp_path: Path) -> None:
    here.ok("create", template(tmp_path))
    here.run("delete", "0")
    last = lines(here)[-1]
    assert (last["level"], last["argv"], last["exit_code"]) == ("error", ["delete", "0"], 5)


def test_who_cannot_prove_who_he_is_is_logged_without_a_name(here: Installation, tmp_path: Path) -> None:
    here.ok("list")
    file = written(tmp_path / "auth", "alice:guess\n")
    assert Installation(here.home, {"ONE_AUTH": file}).run("deprovision", "0", "--yes").code == 4
    assert [(line["user"], line.get("exit_code")) for line in lines(here)] == [("", None), ("", 4)]


@pytest.mark.parametrize("command", ["list", "list -j", "show 0", "logs 0", "provider list", "user list"])
def test_a_command_that_reads_leaves_no_line(command: str, here: Installation, tmp_path: Path) -> None:
    here.run(*command.split())
    assert not (here.home / "logs").exists()


def test_the_log_is_private(here: Installation, tmp_path: Path) -> None:
    here.ok("create", template(tmp_path))
    file = here.home / "logs" / "oneprovision.log"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_secrets_in_a_command_line_are_not_logged(here: Installation, tmp_path: Path) -> None:
    here.ok("provider", "create", "--name", "p", "--driver", "leaky", "--connection", f"token={CANARY}")
    here.ok("create", template(tmp_path), "--set", "defaults.provision.api_token=hunter2")
    text = (here.home / "logs" / "oneprovision.log").read_text()
    assert "token=*****" in text
    assert CANARY not in text
    assert "hunter2" not in text


def test_a_log_that_cannot_be_written_stops_no_work(here: Installation, tmp_path: Path) -> None:
    here.ok("list")
    (here.home / "logs").write_text("in the way")
    here.ok("create", template(tmp_path))
