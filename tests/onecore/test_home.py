"""The state folder is made at first use, once, for its owner alone; and tells who is asking."""

import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from onecore import config
from onecore.access import hash_password, verify_password
from onecore.config import Settings
from onecore.errors import NotAuthorized, StoreFailed
from onecore.home import open_home, who
from onecore.ids import GroupId
from onecore.store import accounts
from onecore.store.engine import Database

AT_ONCE = 6
OPEN = "import sys; from onecore import config; from onecore.home import open_home\n"
OPEN += "open_home(config.read({'ONE_HOME': sys.argv[1]}), ()).close()"


def settings_of(folder: Path) -> Settings:
    return config.read({"ONE_HOME": str(folder)})


def opened(folder: Path) -> "closing[Database]":
    return closing(open_home(settings_of(folder), ()))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def admin_password(folder: Path) -> str:
    return (folder / "one_auth").read_text().strip().removeprefix("oneadmin:")


def test_the_first_use_makes_everything_for_its_owner_alone(tmp_path: Path):
    home = tmp_path / "deep" / "one"
    with opened(home):
        assert mode(home) == 0o700
        assert mode(home / "run") == 0o700
        assert mode(home / "one.db") == 0o600
        assert mode(home / "one_auth") == 0o600
        assert len(admin_password(home)) == 32


def test_the_password_of_the_file_is_the_stored_one(tmp_path: Path):
    with opened(tmp_path) as database, database.read() as tx:
        stored = accounts.user_named(tx, "oneadmin")
    assert verify_password(stored.password, admin_password(tmp_path))
    assert not verify_password(stored.password, "something else")


def test_only_a_password_that_somebody_chose_is_hashed_slowly(tmp_path: Path):
    chosen = tmp_path / "chosen"
    chosen.mkdir(0o700)
    (chosen / "one_auth").write_text("oneadmin:correct horse\n")
    (chosen / "one_auth").chmod(0o600)
    costs = []
    for home in (chosen, tmp_path / "made"):
        with opened(home) as database, database.read() as tx:
            costs.append(accounts.user_named(tx, "oneadmin").password.split("$")[1])
    assert costs == ["16384", "2"]


def test_opening_again_changes_nothing(tmp_path: Path):
    with opened(tmp_path):
        before = (tmp_path / "one_auth").read_bytes()
    with opened(tmp_path) as database, database.read() as tx:
        assert len(accounts.users(tx)) == 1
        assert accounts.groups(tx) == [(0, "oneadmin"), (1, "users")]
    assert (tmp_path / "one_auth").read_bytes() == before


def test_a_state_file_that_lost_its_content_is_refused_and_left_as_it_is(tmp_path: Path):
    with opened(tmp_path):
        pass
    database = settings_of(tmp_path).database
    for leftover in tmp_path.glob(f"{database.name}-*"):
        leftover.unlink()
    database.write_bytes(b"")
    with pytest.raises(StoreFailed, match="in use: there is one_auth"):
        opened(tmp_path)
    assert database.stat().st_size == 0
    database.unlink()  # as the hint says
    with opened(tmp_path):
        pass


def test_an_empty_file_in_an_empty_folder_is_a_first_use(tmp_path: Path):
    settings_of(tmp_path).database.touch()
    with opened(tmp_path) as database, database.read() as tx:
        assert who(tx, None).user_name == "oneadmin"


@pytest.mark.parametrize("round_", range(3))
def test_processes_at_first_use_make_one_consistent_home(tmp_path: Path, round_):
    command = [sys.executable, "-c", OPEN, str(tmp_path / "one")]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(AT_ONCE)]
    errors = [process.communicate(timeout=60)[1] for process in started]
    assert errors == [""] * AT_ONCE
    with opened(tmp_path / "one") as database, database.read() as tx:
        (admin,) = accounts.users(tx)
    assert verify_password(admin.password, admin_password(tmp_path / "one"))


def test_an_account_that_was_made_before_a_crash_is_taken_over(tmp_path: Path):
    (tmp_path / "one_auth").write_text("oneadmin:known\n")
    with opened(tmp_path) as database, database.read() as tx:
        assert verify_password(accounts.user_named(tx, "oneadmin").password, "known")


def test_a_home_that_cannot_be_made_is_said_with_its_name(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreFailed, match="cannot make") as refused:
        open_home(settings_of(tmp_path / "file" / "one"), ())
    assert "ONE_HOME" in refused.value.hint


def test_without_credentials_the_owner_of_the_state_is_oneadmin(tmp_path: Path):
    with opened(tmp_path) as database, database.read() as tx:
        principal = who(tx, None)
    assert (principal.user_id, principal.user_name, principal.group_id) == (0, "oneadmin", 0)


def test_credentials_name_the_user(tmp_path: Path):
    with opened(tmp_path) as database:
        with database.begin() as tx:
            accounts.add_user(tx, "ann", hash_password("pass:word", b"salt" * 4), GroupId(1))
        (tmp_path / "auth").write_text("ann:pass:word\n")
        with database.read() as tx:
            principal = who(tx, tmp_path / "auth")
    assert (principal.user_id, principal.user_name, principal.group_id) == (1, "ann", 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("oneadmin:wrong", "wrong user or password", id="wrong password"),
        pytest.param("nobody:x", "wrong user or password", id="unknown user"),
        pytest.param("oneadmin", "wrong user or password", id="no password"),
        pytest.param("", "wrong user or password", id="empty"),
        pytest.param(b"\xff\xfe", "cannot read the credentials", id="not text"),
        pytest.param(None, "cannot read the credentials", id="no file"),
    ],
)
def test_wrong_credentials_are_refused_and_not_repeated(tmp_path: Path, content, said):
    auth = tmp_path / "auth"
    if content is not None:
        auth.write_bytes(content.encode() if isinstance(content, str) else content)
    with opened(tmp_path) as database, database.read() as tx, pytest.raises(NotAuthorized, match=said) as no:
        who(tx, auth)
    assert "wrong'" not in no.value.message
    assert no.value.hint
