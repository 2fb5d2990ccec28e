"""A template that cannot be used is refused in a sentence with its exit code, and nothing is recorded."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.scenario.installation import Installation, written

pytestmark = pytest.mark.scenario


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation in which nothing was ever made."""
    one = Installation(tmp_path_factory.mktemp("empty") / "home")
    one.ok("list")
    return one


HOST = "name: x\nhosts:\n- provision:\n    driver: dummy\n"
LAUGHS = "a: &a [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)

# A template, its exit code, and words of the message.
REFUSED_TEMPLATES: dict[str, tuple[str | bytes, int, str]] = {
    "billion laughs": (f"name: x\n{LAUGHS}", 2, "alias"),
    "merged laughs": ("name: x\na: &a {x: 1}\nb: {<<: [" + "*a," * 100_000 + "]}\n", 2, ""),
    "deep": ("name: x\nhosts: " + "[" * 5000 + "]" * 5000, 2, "deep"),
    "deep in blocks": ("name: x\n" + "".join(" " * n + "a:\n" for n in range(1000)), 2, "deep"),
    "deep JSON": ('{"name":' * 50_000 + "1" + "}" * 50_000, 2, "deep"),
    "endless alias": ("name: x\nhosts: &a [*a]\n", 2, "a"),
    "2 MiB": ("name: x\nd: " + "y" * (2 << 20), 2, "KiB"),
    "2 MiB of lists": ("name: x\nd:\n" + "- y\n" * (1 << 19), 2, "KiB"),
    "many keys": ("name: x\nd: {" + ",".join(f"k{n}: 1" for n in range(100_000)) + "}", 2, ""),
    "empty": ("", 2, "empty"),
    "nothing": ("---\n", 2, "empty"),
    "two documents": ("name: x\n---\nname: y\n", 2, "second document"),
    "binary": (bytes(range(256)), 2, "UTF-8"),
    "NUL": (b"name: x\0y\n", 2, "control character"),
    "not YAML": ("name: [x\nhosts: ]", 2, "t.yaml:"),
    "tabs": ("name: x\nhosts:\n\t- a\n", 2, "t.yaml:3"),
    "python object": ("name: !!python/object/apply:os.system [id]\n", 2, "t.yaml:1"),
    "twice": ("name: x\nname: y\n", 2, "name"),
    "a list": ("- a\n", 2, "t.yaml"),
    "a text": ("hello\n", 2, "t.yaml"),
    "no name": ("hosts: []\n", 2, "'name' is missing"),
    "name a list": ("name: [a]\n", 2, "name"),
    "name a number": ("name: 7\n", 2, "number"),
    "name a slash": ("name: a/b\n", 2, "'/'"),
    "name long": ("name: " + "x" * 1000, 2, "128"),
    "hosts a text": ("name: x\nhosts: many\n", 2, "hosts"),
    "host a text": ("name: x\nhosts: [many]\n", 2, "hosts[0]"),
    "count a text": (HOST + "    count: many\n", 2, "count"),
    "count negative": (HOST + "    count: -1\n", 2, "count"),
    "count half": (HOST + "    count: 1.5\n", 2, "count"),
    "count absurd": (HOST + "    count: 1000000\n", 2, "10000"),
    "count of digits": (HOST + "    count: 1" + "0" * 30 + "\n", 2, "t.yaml:5"),
    "parameters a list": ("name: x\nhosts:\n- provision: [1]\n", 2, "hosts[0].provision"),
    "section misspelt": ("name: x\nhost:\n- provision: {driver: dummy}\n", 2, "did you mean 'hosts'"),
    "section misspelt too": ("name: x\ndatastore:\n- name: a\n", 2, "did you mean 'datastores'"),
    "connection misspelt": (HOST + "  connection: {remote_usr: root}\n", 2, "remote_user"),
    "port": (HOST + "  connection: {remote_port: 0}\n", 2, "remote_port"),
    "option as user": (HOST + "  connection: {remote_user: -oProxyCommand=id}\n", 2, "remote_user"),
    "input unknown": (HOST + "    plan: ${input.size}\n", 2, "size"),
    "marker open": (HOST + "    plan: ${input.size\n", 2, "t.yaml:5"),
    "knob of a wrong type": (HOST + "    latency: soon\n", 2, "latency"),
    "no driver": ("name: x\nhosts:\n- provision: {count: 1}\n", 2, "driver"),
    "unknown driver": ("name: x\nhosts:\n- provision: {driver: dumy}\n", 3, "no driver 'dumy'"),
    "same names": (HOST + "    count: 2\n    hostname: a\n", 2, "${index}"),
    "extends nothing": ("name: x\nextends: nowhere.yaml\n", 2, "does not exist"),
    "extends itself": ("name: x\nextends: t.yaml\n", 2, "circle"),
    "extends a device": ("name: x\nextends: /dev/zero\n", 2, "not a file"),
    "network without mad": (HOST + "networks:\n- name: n\n", 2, "vn_mad"),
    "addresses of nobody": (
        "name: x\nnetworks:\n- {name: n, vn_mad: e, ar: [{ipam_mad: no, size: 1}]}\n",
        3,
        "no driver 'no'",
    ),
    "absurd addresses": (
        HOST + "networks:\n- {name: n, vn_mad: e, ar: [{ipam_mad: dummy, size: 1000000000}]}\n",
        2,
        "size",
    ),
    **{
        f"driver {name[:20]!a}": (f"name: x\nhosts:\n- provision:\n    driver: {quoted}\n", 2, "driver")
        for name, quoted in {
            "../x": "../x",
            "/bin/sh": "/bin/sh",
            "a/b": "a/b",
            ".": "'.'",
            "..": "'..'",
            "NUL": '"a\\0b"',
            "space": "'a b'",
            "option": "-rf",
            "shell": "'$(id)'",
            "upper": "DUMMY",
            "newline": '"dummy\\n"',
            "long": "d" * 300,
            "link": "dummy/../dummy",
        }.items()
    },
    **{
        f"host name {name[:20]!a}": (HOST + f"    hostname: {quoted}\n", 2, "host name")
        for name, quoted in {
            "option": "-rf",
            "semicolon": "'a;id'",
            "command": "'$(id)'",
            "backtick": "'`id`'",
            "tag": "'<a>'",
            "ampersand": "'a&b'",
            "quote": '"a\'b"',
            "double quote": "'a\"b'",
            "newline": '"a\\nb"',
            "last newline": '"a\\n"',
            "escape": '"\\e[31m"',
            "space": "'a b'",
            "slash": "a/b",
            "dots": "'..'",
            "long": "h" * 300,
            "not ASCII": "hést",
        }.items()
    },
}


@pytest.mark.parametrize("case", REFUSED_TEMPLATES)
def test_bad_templates_are_refused(empty: Installation, tmp_path: Path, case: str):
    text, code, word = REFUSED_TEMPLATES[case]
    answer = empty.run("create", written(tmp_path / "t.yaml", text), timeout_s=20)
    assert (answer.code, answer.is_clear, answer.out) == (code, True, ""), answer
    assert word in answer.err
    assert len(answer.err) < 4000
    assert (empty.rows("SELECT id FROM provision"), empty.cloud()) == ([], {})


def test_a_template_that_is_no_file_is_refused(empty: Installation, tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    places = ("missing.yaml", ".", "pipe", "loop", "a\nb", "x" * 300, "t.yaml/t.yaml")
    for place in (*(str(tmp_path / each) for each in places), "/dev/null", "/dev/zero", ""):
        answer = empty.run("create", place, timeout_s=10)
        assert (answer.code, answer.is_clear) == (2, True), (place, answer)


def test_a_template_that_may_not_be_read_is_refused():
    somebody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.geteuid() == 0 else ()
    if somebody and shutil.which("setpriv") is None:
        pytest.skip("root reads everything, and there is no setpriv to be somebody else")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        written(folder / "t.yaml", HOST)
        (folder / "t.yaml").chmod(0)
        (folder / "closed").mkdir(mode=0)
        one = Installation(folder / "home", before=somebody)
        for place in ("t.yaml", "closed/t.yaml"):
            answer = one.run("create", str(folder / place))
            assert (answer.code, answer.is_clear) == (2, True), answer
            assert "permission denied" in answer.err or "not readable" in answer.err
