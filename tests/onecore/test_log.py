"""Logs keep no secret, stay private, stay small and never stop the work."""

import base64
import json
import multiprocessing
import os
import resource
import signal
import stat
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.log import LONGEST_LINE, MASK, LogWriter, Redactor

SECRET = 'p&ss/w"rd <1>+é\\z'
AT = 1_763_717_400.25


def a_writer(folder, secrets=(), **limits):
    return LogWriter(folder / "logs" / "one.log", Redactor(secrets), **limits)


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    "spelling",
    [
        SECRET,
        urllib.parse.quote(SECRET),
        urllib.parse.quote(SECRET, safe=""),
        urllib.parse.quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(SECRET))[3:-3],
        escape(SECRET),
        quoteattr(SECRET)[1:-1],
        repr(SECRET)[1:-1],
    ],
)
def test_secret_is_masked_in_every_spelling(spelling):
    assert Redactor([SECRET]).text(f"curl said <<{spelling}>> twice {spelling}") == (
        f"curl said <<{MASK}>> twice {MASK}"
    )


@given(st.text(alphabet="abcdefgh0123456789/+&\"'<>é", min_size=8), st.text(max_size=3), st.text(max_size=3))
@settings(deadline=None)
def test_base64_of_something_longer_shows_no_secret(secret, before, after):
    wrapped = base64.b64encode((before + secret + after).encode()).decode()
    cleaned = Redactor([secret]).text(wrapped)
    assert MASK in cleaned
    assert len(cleaned.replace(MASK, "")) <= 4 * (len(before.encode()) + len(after.encode()) + 6)


@given(st.text(alphabet="Q%&\"'\\<>/+é\n", min_size=4).filter(lambda text: len(text.strip()) >= 4), st.data())
@settings(deadline=None)
def test_no_log_line_holds_a_known_secret(tmp_path_factory, secret, data):
    writer = a_writer(tmp_path_factory.mktemp("log"), [secret])
    message = data.draw(st.sampled_from([f"said {secret}", f"said {json.dumps({'x': secret})}"]))
    writer.write(AT, "info", "provision 0", message, detail={"list": [secret], secret: 1})
    assert secret not in json.dumps(lines_of(writer.path), ensure_ascii=False).replace(MASK, "")
    assert json.dumps(secret)[1:-1] not in writer.path.read_text()


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer *****"),
        ("authorization: Basic QQ==", "authorization: Basic *****"),
        ("-H 'Authorization: Bearer abc' -v", "-H 'Authorization: Bearer *****' -v"),
        ("password=hunter2 next", "password=***** next"),
        ("LINODE_TOKEN='a b' x", "LINODE_TOKEN=***** x"),
        ("https://u:pw@host/x?api_key=k&y=1", "https://u:*****@host/x?api_key=*****&y=1"),
        ('{"password": "a\\"b", "user": "u"}', '{"password": "*****", "user": "u"}'),
        ("{'secret': 'x', 'a': 1}", "{'secret': \"*****\", 'a': 1}"),
        ("<ROOT_PASSWORD><![CDATA[x]]></ROOT_PASSWORD>", "<ROOT_PASSWORD>*****</ROOT_PASSWORD>"),
        ("oneuser --password hunter2 --force", "oneuser --password ***** --force"),
        (
            "key: -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- end",
            "key: ***** end",
        ),
        ("cut -----BEGIN PRIVATE KEY-----\\nMIIE", "cut *****"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text, cleaned):
    assert Redactor(()).text(text) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "provision 0: host-1 deploy: 3 of 5 done",
        "connection.token: is required",
        "http://192.0.2.1:8080/path",
        "basic authentication was refused",
        "driver 'x' needs the secret LINODE_TOKEN",
    ],
)
def test_plain_sentences_stay_as_they_are(text):
    assert Redactor(["abc"]).text(text) == text


def test_longer_secret_is_masked_before_the_one_it_begins_with():
    assert Redactor(["abcd", "abcd-efgh"]).text("abcd-efgh abcd") == f"{MASK} {MASK}"


def test_line_of_a_secret_key_is_masked_on_its_own():
    key = "first-line-of-key-material\nsecond-line-of-key-material\n"
    assert Redactor([key]).text("got second-line-of-key-material?") == f"got {MASK}?"


def test_secret_learned_later_is_masked_from_then_on():
    redactor = Redactor(())
    assert redactor.text("late-secret") == "late-secret"
    redactor.add("late-secret")
    assert redactor.text("late-secret") == MASK


def test_value_under_a_telling_name_is_masked_whole():
    cleaned = Redactor(()).value({"password": "x y", "lease_token": 3, "hosts": ("a", None, 1.5)})
    assert cleaned == {"password": MASK, "lease_token": 3, "hosts": ["a", None, 1.5]}


@pytest.mark.parametrize(
    "text", ["password" * 20_000, "<password><![CDATA[" * 8_000, "--" * 80_000, '"key":"' * 20_000]
)
def test_hostile_text_costs_no_quadratic_time(text):
    started = time.process_time()
    Redactor(()).text(text)
    assert time.process_time() - started < 3


def test_line_is_json_with_time_level_subject_message_and_fields(tmp_path):
    writer = a_writer(tmp_path)
    writer.write(AT, "info", "provision 0", "APPLYING\nnow", host=3)
    assert lines_of(writer.path) == [
        {
            "at": "2025-11-21T09:30:00.250Z",
            "level": "info",
            "subject": "provision 0",
            "message": "APPLYING\nnow",
            "host": 3,
        }
    ]


def test_file_and_folder_are_private_even_if_they_were_not(tmp_path):
    writer = a_writer(tmp_path)
    writer.write(AT, "info", "s", "one")
    writer.path.chmod(0o644)
    writer.write(AT, "info", "s", "two")
    assert stat.S_IMODE(writer.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(writer.path.parent.stat().st_mode) == 0o700


def test_symbolic_link_in_the_place_of_the_log_is_not_followed(tmp_path):
    writer = a_writer(tmp_path)
    writer.path.parent.mkdir()
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    writer.path.symlink_to(victim)
    writer.write(AT, "info", "s", "m")
    assert victim.read_text() == "untouched"
    assert writer.dropped == 1


def test_no_control_character_reaches_a_terminal_that_shows_the_log(tmp_path):
    writer = a_writer(tmp_path)
    writer.write(AT, "info", "s", "\x1b[2J\x9b31m\u202e\udc80")
    assert writer.path.read_bytes().rstrip(b"\n").decode("ascii").isprintable()


def test_full_file_is_rotated_and_only_the_last_ones_are_kept(tmp_path):
    writer = a_writer(tmp_path, largest=400, kept=2)
    for number in range(40):
        writer.write(AT, "info", "s", f"line {number}")
    files = sorted(path.name for path in writer.path.parent.iterdir())
    assert files == ["one.log", "one.log.1", "one.log.2"]
    kept = [line["message"] for name in reversed(files) for line in lines_of(writer.path.with_name(name))]
    assert kept == [f"line {number}" for number in range(40 - len(kept), 40)]
    assert all(path.stat().st_size <= 400 for path in writer.path.parent.iterdir())


def _write_many(folder, name):
    writer = a_writer(folder, largest=20_000, kept=50)
    for number in range(200):
        writer.write(AT, "info", name, f"line {number}")
    os._exit(writer.dropped)


def test_processes_that_share_a_log_lose_no_line_in_rotation(tmp_path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_many, args=(tmp_path, name)) for name in "abcd"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    found = [line for path in (tmp_path / "logs").iterdir() for line in lines_of(path)]
    assert len({(line["subject"], line["message"]) for line in found}) == len(found) == 800


@pytest.mark.parametrize("filler", ["x", "é", "\x00", "\U0001f600"])
def test_overlong_line_is_cut_and_says_so(tmp_path, filler):
    writer = a_writer(tmp_path)
    writer.write(AT, "info", "s" * 5000, filler * 100_000, output="y" * 70_000)
    assert LONGEST_LINE - 16 <= writer.path.stat().st_size <= LONGEST_LINE
    (line,) = lines_of(writer.path)
    assert line["message"].startswith(filler * 100)
    assert line["cut_bytes"] > LONGEST_LINE


def _fill_the_disk(folder):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (250, 250))
    writer = a_writer(folder)
    for number in range(4):
        writer.write(AT, "info", "s", f"line {number}")
    os._exit(writer.dropped)


def test_full_disk_drops_whole_lines_and_counts_them(tmp_path):
    child = multiprocessing.get_context("spawn").Process(target=_fill_the_disk, args=(tmp_path,))
    child.start()
    child.join()
    assert child.exitcode == 2
    kept = lines_of(tmp_path / "logs" / "one.log")
    assert [line["message"] for line in kept] == ["line 0", "line 1"]


def test_folder_that_cannot_be_made_drops_the_line(tmp_path):
    (tmp_path / "logs").write_text("a file stands in the way")
    writer = a_writer(tmp_path)
    writer.write(AT, "info", "s", "m")
    assert writer.dropped == 1


def test_secrets_may_become_known_while_another_thread_masks():
    redactor = Redactor([f"secret-{number}" for number in range(200)])
    failed: list[BaseException] = []
    enough = threading.Event()

    def add() -> None:
        number = 200
        while not enough.is_set():
            number += 1
            redactor.add(f"secret-{number}")
            enough.wait(0.0005)

    thread = threading.Thread(target=add)
    thread.start()
    try:
        for _ in range(8):
            assert "secret-7" not in redactor.text("here is secret-7")
    except (RuntimeError, AttributeError) as exc:
        failed.append(exc)
    enough.set()
    thread.join()
    assert failed == []
