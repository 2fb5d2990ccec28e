"""Users, groups, and what each of them may do."""

import json
import stat
from pathlib import Path

import pytest

from tests.scenario.installation import Answer, Installation, template


@pytest.fixture
def admin(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "home")


def a_user(admin: Installation, name: str, password: str = "", group: str = "users") -> Installation:
    """The same installation, asked by another user who has been created."""
    created = json.loads(admin.ok("user", "create", name, "--group", group, "-j"))
    return asking(admin, name, password or created["password"])


def asking(admin: Installation, name: str, password: str) -> Installation:
    file = admin.home.parent / f"{name}.auth"
    file.write_text(f"{name}:{password}\n")
    return Installation(admin.home, {"ONE_AUTH": str(file)})


def users(answer: str) -> list[str]:
    return [row["NAME"] for row in json.loads(answer)]


# -- users ----------------------------------------


def test_a_new_installation_has_oneadmin_and_two_groups(admin: Installation) -> None:
    assert json.loads(admin.ok("user", "list", "-j")) == [
        {"ID": "0", "NAME": "oneadmin", "GROUP": "oneadmin"}
    ]
    assert users(admin.ok("group", "list", "-j")) == ["oneadmin", "users"]


def test_a_user_without_a_given_password_gets_a_random_one_that_works(admin: Installation) -> None:
    text = admin.ok("user", "create", "alice")
    assert text.startswith("ID: 1\nPASSWORD: ")
    alice = asking(admin, "alice", text.split("PASSWORD: ")[1].strip())
    assert users(alice.ok("user", "list", "-j")) == ["alice"]


@pytest.mark.parametrize("source", ["file", "-"])
def test_a_password_can_come_from_a_file_and_is_not_printed_then(
    source: str, admin: Installation, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text("open sesame\n")
    answer = admin.run(
        "user",
        "create",
        "alice",
        "--password-file",
        str(file) if source == "file" else "-",
        stdin=file.read_bytes(),
    )
    assert (answer.code, answer.out) == (0, "ID: 1\n")
    asking(admin, "alice", "open sesame").ok("list")


def test_a_wrong_password_is_refused_everywhere(admin: Installation) -> None:
    admin.ok("user", "create", "alice")
    for command in (["list"], ["user", "create", "bob"], ["provider", "list"]):
        answer = asking(admin, "alice", "guess").run(*command)
        assert answer.code == 4
        assert answer.is_clear
        assert "guess" not in answer.err


def test_an_unknown_user_is_refused_as_a_wrong_password_is(admin: Installation) -> None:
    admin.ok("user", "list")
    assert asking(admin, "nobody", "x").run("list").code == 4


def test_no_password_is_stored_as_it_is(admin: Installation, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("open sesame")
    admin.ok("user", "create", "alice", "--password-file", str(tmp_path / "password"))
    assert not [f for f in admin.home.rglob("*") if f.is_file() and b"open sesame" in f.read_bytes()]


def test_passwd_changes_the_password_and_the_old_one_ends(admin: Installation) -> None:
    alice = a_user(admin, "alice")
    changed = alice.ok("user", "passwd", "alice").removeprefix("PASSWORD: ").strip()
    assert alice.run("list").code == 4
    asking(admin, "alice", changed).ok("list")


@pytest.mark.parametrize("name", ["a:b", "a b", "12", "-x", "", "x" * 65])
def test_a_name_that_could_be_mistaken_is_refused(name: str, admin: Installation) -> None:
    for kind in ("user", "group"):
        answer = admin.run(kind, "create", "--", name)
        assert answer.code == 2
        assert answer.is_clear


@pytest.mark.parametrize("kind", ["user", "group"])
def test_a_name_that_is_taken_is_refused_in_words(kind: str, admin: Installation) -> None:
    admin.ok(kind, "create", "web")
    answer = admin.run(kind, "create", "web")
    assert (answer.code, answer.is_clear) == (2, True)
    assert f"there is a {kind} 'web' already" in answer.err


def test_ids_of_users_are_never_given_again(admin: Installation) -> None:
    admin.ok("user", "create", "alice")
    admin.ok("user", "delete", "alice")
    assert admin.ok("user", "create", "bob").startswith("ID: 2\n")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["user", "delete", "oneadmin"], 5),
        (["user", "delete", "0"], 5),
        (["user", "delete", "nobody"], 3),
        (["user", "passwd", "nobody"], 3),
        (["user", "create", "bob", "--group", "nothere"], 3),
        (["user", "create", "bob", "--password-file", "/nothere"], 2),
        (["group", "delete", "0"], 5),
        (["group", "delete", "users"], 5),
        (["group", "delete", "nothere"], 3),
    ],
)
def test_what_cannot_be_done_is_said(command: list[str], code: int, admin: Installation) -> None:
    admin.ok("user", "list")
    before = admin.stored()
    answer = admin.run(*command)
    assert answer.code == code
    assert answer.is_clear
    assert admin.stored() == before


def test_a_user_who_owns_a_provision_cannot_be_deleted(admin: Installation, tmp_path: Path) -> None:
    a_user(admin, "alice").ok("create", template(tmp_path))
    answer = admin.run("user", "delete", "alice")
    assert answer.code == 5
    assert "owns provision 0" in answer.err


def test_a_group_with_members_or_belongings_cannot_be_deleted(admin: Installation, tmp_path: Path) -> None:
    admin.ok("group", "create", "web")
    alice = a_user(admin, "alice", group="web")
    answer = admin.run("group", "delete", "web")
    assert (answer.code, "has members: alice" in answer.err) == (5, True)
    alice.ok("create", template(tmp_path))
    admin.ok("chown", "0", "oneadmin")
    admin.ok("user", "delete", "alice")
    answer = admin.run("group", "delete", "web")
    assert (answer.code, "has provision 0" in answer.err) == (5, True)
    admin.ok("chgrp", "0", "users")
    admin.ok("group", "delete", "web")


def test_only_administrators_manage_accounts(admin: Installation) -> None:
    alice = a_user(admin, "alice")
    for command in (
        ["user", "create", "eve"],
        ["user", "delete", "oneadmin"],
        ["user", "passwd", "oneadmin"],
        ["group", "create", "eves"],
        ["group", "delete", "users"],
    ):
        answer = alice.run(*command)
        assert (answer.code, answer.is_clear) == (4, True), command
    assert users(alice.ok("group", "list", "-j")) == ["users"]


def test_a_member_of_oneadmin_is_an_administrator(admin: Installation) -> None:
    a_user(admin, "root2", group="oneadmin").ok("user", "create", "bob")
    assert users(admin.ok("user", "list", "-j")) == ["oneadmin", "root2", "bob"]


# -- what they may do with the provisions of others ----------------------------------------


def shut_out(answers: list[Answer]) -> bool:
    return all(answer.code == 4 and answer.is_clear for answer in answers)


def test_the_provision_of_another_is_neither_listed_nor_shown_nor_changed(
    admin: Installation, tmp_path: Path
) -> None:
    alice = a_user(admin, "alice")
    admin.ok("create", template(tmp_path))
    before = admin.everything()
    assert json.loads(alice.ok("list", "-j")) == {"DOCUMENT_POOL": {"DOCUMENT": []}}
    assert shut_out(
        [
            alice.run("show", "0"),
            alice.run("logs", "0"),
            alice.run("add-host", "0", "--amount", "1"),
            alice.run("del-host", "0", "--amount", "1"),
            alice.run("rename", "0", "mine"),
            alice.run("chmod", "0", "666"),
            alice.run("chown", "0", "alice"),
            alice.run("retry", "0", "--force"),
            alice.run("deprovision", "0", "--yes"),
            alice.run("delete", "0", "--from-db", "--yes"),
        ]
    )
    assert admin.everything() == before


def test_use_for_others_shows_it_and_changes_nothing(admin: Installation, tmp_path: Path) -> None:
    alice = a_user(admin, "alice")
    admin.ok("create", template(tmp_path))
    admin.ok("chmod", "0", "644")
    assert len(json.loads(alice.ok("list", "-j"))["DOCUMENT_POOL"]["DOCUMENT"]) == 1
    assert "RUNNING" in alice.ok("show", "0")
    assert shut_out([alice.run("add-host", "0", "--amount", "1")])


def test_manage_for_the_group_counts_once_it_is_the_users_group(admin: Installation, tmp_path: Path) -> None:
    admin.ok("group", "create", "web")
    alice = a_user(admin, "alice", group="web")
    admin.ok("create", template(tmp_path))
    admin.ok("chmod", "0", "660")
    assert shut_out([alice.run("show", "0")])
    admin.ok("chgrp", "0", "web")
    alice.ok("add-host", "0", "--amount", "1")
    assert len(admin.existing()) == 2


def test_what_a_user_creates_is_his(admin: Installation, tmp_path: Path) -> None:
    alice, bob = a_user(admin, "alice"), a_user(admin, "bob")
    document = json.loads(alice.ok("create", template(tmp_path), "-j"))["DOCUMENT"]
    assert (document["UNAME"], document["GNAME"]) == ("alice", "users")
    assert shut_out([bob.run("show", "0")])
    alice.ok("deprovision", "0", "--yes")
    admin.ok("show", "0")


def test_the_credentials_of_oneadmin_are_private(admin: Installation) -> None:
    admin.ok("user", "list")
    file = admin.home / "one_auth"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    Installation(admin.home, {"ONE_AUTH": str(file)}).ok("user", "create", "alice")
