"""What cannot be done as written is refused in a sentence with the right exit code, and changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenario.installation import Installation, template

pytestmark = pytest.mark.scenario

EXAMPLE = "examples/dummy-cluster.yaml"


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Provision 0 `web` runs with a public address, 1 `plain` runs without a public network, 2 is DONE."""
    folder = tmp_path_factory.mktemp("quiet")
    one = Installation(folder / "home")
    sets = ("--set", "input.hosts=2", "--set", "input.public_ips=1")
    one.ok("create", EXAMPLE, "--name", "web", *sets)
    one.ok("create", template(folder, 2), "--name", "plain")
    one.ok("create", template(folder, 1), "--name", "over")
    one.ok("deprovision", "2", "--yes")
    return one


@pytest.fixture
def unchanged(quiet: Installation) -> Iterator[Installation]:
    before = quiet.everything()
    yield quiet
    assert quiet.everything() == before


BOTH = "choose one"

# The command line, its exit code, and words of the message.
REFUSED_ARGUMENTS = [
    # unknown things
    (["lst"], 2, "did you mean 'list'"),
    (["show"], 2, "missing argument"),
    (["show", "7"], 3, "no provision 7"),
    (["show", "wbe"], 3, "did you mean 'web'"),
    (["show", "0,1"], 2, "names 2 provisions"),
    (["logs", "99"], 3, "no provision 99"),
    (["retry", "nobody", "--force"], 3, "'nobody'"),
    (["rename", "99", "x"], 3, "no provision 99"),
    (["chown", "0", "nobody"], 3, "nobody"),
    (["chgrp", "0", "nobody"], 3, "nobody"),
    (["deprovision", "42", "--yes"], 3, "no provision 42"),
    *[([*verb, "1,42"], 3, "no provision 42") for verb in (["deprovision", "--yes"], ["retry", "--force"])],
    *[([*verb, "1,42"], 3, "no provision 42") for verb in (["delete", "--force", "--yes"], ["cancel"])],
    *[([verb, "1,42", "640"], 3, "no provision 42") for verb in ("chmod",)],
    (["deprovision", "--yes", "1,2"], 5, "2 is DONE"),
    (["configure", "--force", "0..2"], 5, "2 is DONE"),
    (["delete", "42", "--yes"], 3, "no provision 42"),
    (["cancel", "42"], 3, "no provision 42"),
    (["create", EXAMPLE, "--provider", "paris"], 3, "provider 'paris'"),
    (["create", EXAMPLE, "--provider", "7"], 3, "no provider 7"),
    (["add-host", "0", "--amout", "1"], 2, "--amount"),
    # the other kinds of object
    (["host", "lst"], 2, "'list'"),
    *[(["host", verb, "99"], 3, "99") for verb in ("show", "poll", "reboot", "poweroff", "resume")],
    (["host", "ssh", "99"], 3, "99"),
    (["host", "reboot", "0,99"], 3, "99"),
    (["host", "reboot", "5..1"], 2, "runs backwards"),
    *[([kind, "show", "99"], 3, "99") for kind in ("cluster", "datastore", "network", "provider")],
    *[([kind, "delete", "99"], 3, "99") for kind in ("provider", "user", "group")],
    (["driver", "show", "nothere"], 3, "no driver 'nothere'"),
    *[
        (["driver", "show", name], 2, "no driver name")
        for name in ("../dummy", "/bin/sh", "a/b", ".", "d" * 300)
    ],
    (["driver", "test", "/nowhere/at/all"], 3, "/nowhere/at/all"),
    (["driver", "test", "dummy", "--deadline", "nan"], 2, "nan"),
    (["provider", "create", "/nowhere.yaml"], 2, "/nowhere.yaml"),
    (["user", "create", "a\nb"], 2, "name"),
    (["group", "create", ""], 2, "name"),
    (["orphans", "--adopt", "--destroy"], 2, "--adopt"),
    (["orphans", "--adopt", "--provision", "99"], 3, "99"),
    # ids and ranges
    (["retry", "5..1"], 2, "runs backwards"),
    (["retry", "0..999999999"], 2, "more than 10000"),
    (["retry", "1,,2"], 2, "empty place"),
    (["retry", ""], 2, "empty"),
    (["retry", "1.."], 2, "needs both ends"),
    (["retry", "9" * 40], 2, "too large"),
    (["show", "999999999999999999"], 3, "no provision"),
    (["show", "-1"], 2, "-1"),
    (["del-host", "0", "--host-ids", "5..1"], 2, "runs backwards"),
    (["del-host", "0", "--host-ids", "0..999999999"], 2, "more than 10000"),
    (["del-host", "0", "--host-ids", "1,,2"], 2, "empty place"),
    (["del-host", "0", "--host-ids", "2"], 2, "no host 2"),  # a host of provision 1
    (["del-host", "0", "--host-ids", "0,2,3"], 2, "no host 2, 3"),
    (["del-host", "0", "--host-ids", "plain-0"], 3, "plain-0"),
    (["del-host", "0", "--host-ids", "0,1"], 2, "deprovision"),
    # amounts
    *[(["add-host", "0", "--amount", n], 2, "amount") for n in ("0", "-1", "1000000", "1" + "0" * 30)],
    *[(["add-host", "0", "--amount", n], 2, "not a valid integer") for n in ("1.5", "abc", "", " ")],
    *[(["del-host", "0", "--amount", n], 2, "amount") for n in ("0", "-1", "1.5", "", "1" + "0" * 30)],
    *[(["del-host", "0", "--amount", n], 2, "of the 2 hosts") for n in ("2", "3", "10000")],
    *[(["add-ip", "0", "--amount", n], 2, "amount") for n in ("0", "-1", "1000000", "1" + "0" * 30, "x")],
    *[(["add-host", "0", "--threads", n], 2, "--threads") for n in ("0", "-1", "1000000", "1.5", "x", "")],
    *[(["add-host", "0", "--fail-retry", n], 2, "--fail-retry") for n in ("-1", "1000000", "1.5", "")],
    *[(["add-host", "0", "--fail-sleep", n], 2, "--fail-sleep") for n in ("-1", "nan", "inf", "1e9", "x")],
    *[(["add-host", "0", "--ping-timeout", n], 2, "--ping-timeout") for n in ("-1", "nan", "inf")],
    *[(["add-host", "0", "--ping-retries", n], 2, "--ping-retries") for n in ("0", "-1", "1e3")],
    (["add-host", "0", "--fail-modes", "skip,explode"], 2, "explode"),
    # one or the other
    *[
        ([verb, "0", *amount, *ids], 2, BOTH)
        for verb in ("add-host", "del-host")
        for amount in (("--amount", "1"), ("-a", "0"))
        for ids in (("--host-ids", "0"), ("--ids", "0"), ("-i", "zzz"))
    ],
    (["add-host", "nobody", "--amount", "1", "--host-ids", "0"], 2, BOTH),
    (["add-host", "0", "--host-ids", "7"], 2, "--amount"),
    (["del-host", "0"], 2, "--amount"),
    # addresses
    (["remove-ip", "0", "77"], 3, "no leased address range 77"),
    (["remove-ip", "0", "x"], 2, "'x'"),
    (["remove-ip", "0", "-1"], 2, "-1"),
    (["remove-ip", "1", "0"], 3, "no leased address range 0"),
    (["del-ip", "0", "77"], 3, "no leased address range 77"),
    (["add-ip", "1", "--amount", "1"], 2, "no public network"),
    # the wrong state
    *[
        ([verb, "2", *more], 5, "is DONE")
        for verb, *more in (
            *(["add-host"], ["del-host", "--amount", "1"], ["add-ip"], ["remove-ip", "0"]),
            *(["retry"], ["retry", "--force"], ["configure", "--force"], ["cancel"]),
            *(["deprovision", "--yes"], ["undeploy", "--force", "--yes"]),
        )
    ],
    (["retry", "0"], 5, "is RUNNING"),
    (["cancel", "0"], 5, "is RUNNING"),
    (["configure", "0"], 5, "already configured"),
    (["delete", "0"], 5, "is RUNNING"),
    # names
    *[
        (["rename", "0", name], 2, "name")
        for name in ("7", "٣", "", "  ", "a\nb", "a/b", "../x", "\x1b[31m", "x" * 1000, "a\u202eb")
    ],
    (["rename", "0", "-x"], 2, "-x"),
    (["rename", "0", "--", "-x"], 2, "begins with '-'"),
    (["create", EXAMPLE, "--name", "x\ny"], 2, "control"),
    (["create", EXAMPLE, "--name", "12"], 2, "id"),
    (["update", "0", "--set", "state=6"], 2, "'state'"),
    (["update", "0", "--set", "name"], 2, "no '='"),
    (["update", "0", "--set", "name=1"], 2, "number"),
    (["update", "0", "/nowhere.yaml"], 2, "does not exist"),
    *[(["chmod", "0", octet], 2, octet or "''") for octet in ("999", "abc", "-1", "7777", "", "0o640")],
    # --set
    *[
        (["create", EXAMPLE, "--set", each], 2, word)
        for each, word in (
            ("input.hosts=-1", "below the minimum"),
            ("input.hosts=1000000", "above the maximum"),
            ("input.hosts=1" + "0" * 30, "hosts"),
            ("input.hosts=1.5", "1.5"),
            ("input.hosts=abc", "not a number"),
            ("input.hosts=", "not a number"),
            ("input.hosts=.nan", "not a number"),
            ("input.hosts=0x10", "not a number"),
            ("input.host=3", "did you mean 'hosts'"),
            ("hosts.7.provision.count=1", "no entry '7'"),
            ("hosts.-1.provision.count=1", "no entry '-1'"),
            ("hosts.0.provision.count=x", "integer"),
            ("hosts.0.provision.count=10001", "10000"),
            ("hosts.0.provision.count=-1", "count"),
            ("host.0.provision.count=1", "did you mean 'hosts'"),
            ("name.first=x", "single value"),
            ("extends=/etc/passwd", "extends"),
            ("hosts", "path=value"),
            ("=3", "path=value"),
            ("..=3", "path=value"),
            ("name=[", "name"),
            ("name=[*a]", "name"),
            ("defaults.provision.driver=nothere", "nothere"),
            ("version=2", "version"),
        )
        if each != "defaults.provision.driver=nothere"
    ],
    (["create", EXAMPLE, "--set", "defaults.provision.driver=nothere"], 3, "no driver 'nothere'"),
]


@pytest.mark.parametrize(("arguments", "code", "word"), REFUSED_ARGUMENTS, ids=lambda v: str(v)[:60])
def test_bad_arguments_are_refused(unchanged: Installation, arguments: list[str], code: int, word: str):
    answer = unchanged.run(*arguments)
    assert (answer.code, answer.is_clear, answer.out) == (code, True, ""), answer
    assert word in answer.err


def test_the_same_mistake_is_told_as_json(unchanged: Installation):
    answer = unchanged.run("add-host", "0", "--amount", "0", "-j")
    assert (answer.code, answer.out) == (2, "")
    assert '"exit_code": 2' in answer.err


def test_a_refused_change_keeps_the_error_and_the_options_of_a_failed_one(tmp_path: Path):
    one = Installation(tmp_path / "home")
    one.ok("create", template(tmp_path, 1, fail_first="deploy:0"))
    (one.home / "dummy" / "cloud.conf").write_text("FAIL=deploy\n")
    assert one.run("add-host", "0", "--fail-retry", "0").code == 1
    before = one.stored()
    for refused in (["del-host", "0", "--host-ids", "99"], ["add-ip", "0", "--threads", "3"]):
        assert one.run(*refused).code == 2
    assert one.run("configure", "0").code == 5
    assert one.stored() == before
