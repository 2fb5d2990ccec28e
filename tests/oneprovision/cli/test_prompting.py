"""What people are asked for, and what becomes of their answers."""

import os
import pty
import select
import subprocess
import sys
import threading

import pytest

from oneprovision.cli import prompting
from oneprovision.model.folder import Input, Match
from tests.oneprovision.builders import an_installation
from tests.scenario.command import ROOT

SIZE = Input("size", match=Match("list", ["small", "large"]), mandatory=True)
HOSTS = Input("oneform_hosts", "number", "Number of hosts", default=1)
TOKEN = Input("token", mandatory=True, sensitive=True)
ZONE = Input("zone", match=Match("map", {"paris": ["a", "b"], "rome": ["c"]}, "region"), mandatory=True)
REGION = Input("region", mandatory=True)


class People:
    """They type these answers, and remember what they were asked and told."""

    def __init__(self, *typed):
        self.typed, self.asked, self.told = list(typed), [], []

    def ask(self, question, secret):
        self.asked.append((question, secret))
        return self.typed.pop(0)

    def tell(self, text):
        self.told.append(text)

    def values(self, asked, given=None, everything=False):
        return prompting.values(asked, given or {}, everything, self.ask, self.tell)


def test_only_what_is_missing_is_asked_for():
    people = People("hunter2")
    assert people.values([HOSTS, TOKEN, SIZE], {"size": "small"}) == {"size": "small", "token": "hunter2"}
    assert people.asked == [("token (string)", True)]


def test_who_said_nothing_is_asked_for_everything_and_may_keep_the_defaults():
    people = People("", "large")
    assert people.values([HOSTS, SIZE], everything=True) == {"size": "large"}
    assert people.asked[0] == ("oneform_hosts (number), Number of hosts [1]", False)


def test_a_choice_is_taken_by_number_or_value_and_asked_for_again_when_it_is_none():
    assert People("2").values([SIZE]) == {"size": "large"}
    people = People("huge", "3", "small")
    assert people.values([SIZE]) == {"size": "small"}
    assert "  1 small\n  2 large" in people.told[0]
    assert "invalid value 'huge' for 'size': one of small, large" in people.told[1]


def test_a_choice_that_depends_on_another_shows_what_fits():
    people = People("rome", "1")
    assert people.values([REGION, ZONE]) == {"region": "rome", "zone": "c"}
    assert "  1 c" in people.told[0]


@pytest.mark.parametrize("asked", [HOSTS, Input("n", "number", mandatory=True)])
def test_what_is_wrong_is_said_and_asked_for_again(asked):
    people = People("many", "7")
    assert people.values([asked], everything=True) == {asked.name: "7"}
    assert people.told == [f"input '{asked.name}' must be a number"]


def test_an_empty_answer_does_for_nothing_that_is_needed():
    people = People("", "x")
    assert people.values([REGION]) == {"region": "x"}
    assert people.told == ["region is needed"]


def test_a_template_is_completed_where_set_would_put_it():
    people = People("3", "12")
    plan = {"name": "plan", "type": "text", "default": "small"}
    hosts = {"name": "hosts", "type": "range", "min_value": 5, "max_value": 20}
    prompting.template_inputs({"inputs": [plan, hosts]}, people.ask, people.tell)
    assert "value" not in plan
    assert hosts["value"] == "12"
    assert people.told == ["input 'hosts': 3 is below the minimum 5"]


def test_one_of_several_deployments():
    assert prompting.one_of("deployment", ["ssh", "nfs"], People("9", "2").ask, People().tell) == "nfs"


def test_an_input_that_is_asked_for_at_a_distance_is_the_same():
    for each in (SIZE, HOSTS, TOKEN, ZONE, REGION):
        assert Input.of_document(each.to_document()) == each


@pytest.mark.scenario
def test_at_a_terminal_the_secrets_of_an_account_are_asked_for_and_not_shown(tmp_path):
    ours, theirs = pty.openpty()
    argv = ["provider", "create", "--name", "ams", "--driver", "linode"]
    environ = {"ONE_HOME": str(tmp_path / "home"), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "oneprovision", *argv]
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        while not shown.endswith(b": "):  # what is typed before is thrown away
            assert select.select([ours], [], [], 60)[0], shown
            shown += os.read(ours, 1000)
        os.write(ours, b"s3cret-token\n")
        killer = threading.Timer(60, process.kill)
        killer.start()
        out, _ = process.communicate()
        killer.cancel()
        shown += os.read(ours, 1000)
    os.close(ours)
    assert (process.returncode, out) == (0, b"ID: 0\n"), shown
    assert b"token (string):" in shown
    assert b"s3cret" not in shown
    with an_installation(tmp_path / "home") as deps:
        from oneprovision.usecases import provider_documents

        document = provider_documents.document(deps, 0, sensitive=True)
    assert document["DOCUMENT"]["TEMPLATE"]["PROVIDER_BODY"]["connection"] == {"token": "s3cret-token"}


@pytest.mark.scenario
def test_in_a_pipe_nothing_is_asked_and_what_is_missing_is_said(tmp_path):
    environ = {"ONE_HOME": str(tmp_path / "home"), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-m", "oneprovision", "provider", "create", "--name", "a", "--driver", "linode"],
        cwd=ROOT,
        env=environ,
        input=b"",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert b"needs the connection value token" in done.stderr
    assert b"printenv LINODE_API_KEY | \xe2\x80\xa6 --connection NAME=-" in done.stderr
