"""Commands at the same moment: one works on a provision, the other is told who does; nothing is lost."""

from pathlib import Path

import pytest

from tests.scenario.installation import RUNNING, Installation, remotes_that, template, until

pytestmark = pytest.mark.scenario


def test_the_second_is_told_who_works_and_how_to_follow(tmp_path: Path):
    go = tmp_path / "go"
    wait = f'until [ -e {go} ]; do sleep 0.02; done; exec "$real" "$@"'
    one = Installation(tmp_path / "home", {"ONE_REMOTES": remotes_that(tmp_path, wait)})
    one.ok("list")
    first = one.start("create", template(tmp_path, 1))
    try:
        until(lambda: bool(one.rows("SELECT id FROM operation")), "a driver is at work")
        before = one.stored()
        for arguments in (
            ["retry", "0"],
            ["deprovision", "0", "--yes"],
            ["add-host", "0"],
            ["delete", "0", "--force"],
        ):
            second = one.run(*arguments, *(["--yes"] if arguments[0] == "delete" else []))
            assert (second.code, second.is_clear) == (5, True), second
            assert f"process {first.pid}" in second.err and "logs 0 --follow" in second.err
        assert one.stored()["resource"] == before["resource"]
        go.touch()
        answer = first.answer()
    finally:
        first.end()
        one.end_drivers()
    assert answer.code == 0, answer
    assert (one.state(), one.existing()) == (RUNNING, one.wanted())


def test_of_twenty_pairs_never_two_work_and_nothing_is_lost(tmp_path: Path):
    one = Installation(tmp_path / "home")
    one.ok("create", template(tmp_path, 1, "dummy", latency="0.2"))
    done = 0
    for _ in range(20):
        pair = [one.start("add-host", "0", "--amount", "1") for _ in range(2)]
        answers = [process.answer() for process in pair]
        assert {answer.code for answer in answers} <= {0, 5}, answers
        refused = [answer.err for answer in answers if answer.code == 5]
        assert all("is being worked on by process" in text for text in refused), answers
        done += 2 - len(refused)
    assert done >= 20, "at least one of each pair works"
    names = [name for (name,) in one.rows("SELECT name FROM object WHERE kind = 'host'")]
    assert len(names) == len(set(names)) == 1 + done
    assert one.existing() == one.wanted() and len(one.wanted()) == 1 + done
    assert one.state() == RUNNING


def test_twenty_creates_by_separate_processes_in_a_fresh_home_all_run(tmp_path: Path):
    one = Installation(tmp_path / "home")
    path = template(tmp_path, 2)
    processes = [one.start("create", path, "--name", f"p{n}", "--threads", "4") for n in range(20)]
    answers = [process.answer() for process in processes]
    assert [(a.code, a.err) for a in answers if a.code or "locked" in a.err] == []
    assert sorted(a.out for a in answers) == sorted(f"ID: {n}\n" for n in range(20))
    assert one.rows("SELECT DISTINCT state FROM provision") == [(RUNNING,)]
    assert one.existing() == one.wanted() and len(one.wanted()) == 40
    hosts = one.rows("SELECT id FROM object WHERE kind = 'host' ORDER BY id")
    assert hosts == [(n,) for n in range(40)]


def test_edits_at_the_same_moment_are_all_kept(tmp_path: Path):
    one = Installation(tmp_path / "home")
    one.ok("create", template(tmp_path, 1))
    edits = [("rename", "0", "new"), ("update", "0", "--set", "description=d"), ("chmod", "0", "640")]
    edits += [("add-host", "0"), ("update", "0", "--set", "tags.a=b")]
    answers = [process.answer() for process in [one.start(*edit) for edit in edits]]
    assert [answer.err for answer in answers if answer.code] == []
    stored = one.rows("SELECT name, description, permissions, tags, state FROM provision")
    assert stored == [("new", "d", 0o640, '{"a": "b"}', RUNNING)]
