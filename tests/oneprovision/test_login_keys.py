"""A private key that lets nobody in is told before there is a machine."""

from pathlib import Path

import paramiko
import pytest

from tests.scenario.installation import Installation

TEMPLATE = """name: web
defaults:
  provision: {{driver: linode, region: r, plan: p, image: i}}
  connection: {{private_key: {key}}}
hosts: [{{}}]
"""


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    # Nothing listens there: a request would fail with another message.
    return Installation(
        tmp_path / "home", {"LINODE_API_KEY": "k" * 20, "LINODE_API_URL": "http://127.0.0.1:9/v4"}
    )


def a_key(file: Path, kind: str) -> Path:
    if kind == "locked":
        paramiko.RSAKey.generate(1024).write_private_key_file(str(file), password="secret")
    elif kind == "public":
        file.write_text(
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBJxZyuQvEr0jQl8mYkX0m3a0tq0qfHcYbYlG7sJf0xQ me\n"
        )
    elif kind == "folder":
        file.mkdir()
    return file


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("missing", "cannot read the private key {key}: No such file or directory"),
        ("folder", "cannot read the private key {key}: Is a directory"),
        ("locked", "the private key {key} cannot be used: "),
        ("public", "the private key {key} cannot be used: "),
    ],
)
def test_create_refuses_it_and_records_nothing(kind: str, problem: str, here: Installation, tmp_path: Path):
    key = a_key(tmp_path / "key", kind)
    (tmp_path / "web.yaml").write_text(TEMPLATE.format(key=key))
    answer = here.run("create", str(tmp_path / "web.yaml"))
    assert (answer.code, answer.out) == (2, "")
    assert f"host web-0: {problem.format(key=key)}" in answer.err
    assert answer.is_clear
    assert here.ok("list", "--no-header") == ""


def test_validate_does_not_ask_for_it_since_it_may_run_elsewhere(here: Installation, tmp_path: Path):
    (tmp_path / "web.yaml").write_text(TEMPLATE.format(key="/no/such/key"))
    here.ok("validate", str(tmp_path / "web.yaml"))


def test_an_instance_that_is_waited_for_is_refused_as_well(here: Installation):
    command = ("instance", "create", "--provider", "linode", "--plan", "p", "--set", "region=r")
    answer = here.run(*command, "--set", "image=i", "--key", "/no/such/key")
    assert answer.code == 2
    assert "cannot read the private key /no/such/key" in answer.err
    assert here.ok("instance", "list", "--no-header") == ""
