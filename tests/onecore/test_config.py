"""What the environment says, and what is taken when it says nothing."""

from pathlib import Path

import pytest

from onecore import config
from onecore.errors import InvalidInput


@pytest.mark.parametrize(
    ("environ", "home"),
    [
        pytest.param({"ONE_HOME": "/srv/one", "HOME": "/home/ann"}, "/srv/one", id="named"),
        pytest.param({"XDG_DATA_HOME": "/data", "HOME": "/home/ann"}, "/data/one", id="data folder"),
        pytest.param({"HOME": "/home/ann"}, "/home/ann/.local/share/one", id="default"),
        pytest.param(
            {"ONE_HOME": "", "HOME": "/home/ann"}, "/home/ann/.local/share/one", id="empty is unset"
        ),
        pytest.param({"ONE_HOME": "state"}, str(Path.cwd() / "state"), id="relative becomes absolute"),
        pytest.param({"ONE_HOME": "~/one"}, str(Path.home() / "one"), id="~ is the home"),
    ],
)
def test_where_the_state_is(environ, home):
    assert config.read(environ).home == Path(home)


def test_without_any_home_the_error_says_what_to_set():
    with pytest.raises(InvalidInput, match="neither ONE_HOME nor HOME") as refused:
        config.read({})
    assert "ONE_HOME" in refused.value.hint


def test_what_lies_in_the_home():
    settings = config.read({"ONE_HOME": "/srv/one"})
    assert settings.database == Path("/srv/one/one.db")
    assert settings.run_directory == Path("/srv/one/run")
    assert settings.log_directory == Path("/srv/one/logs")


def test_the_option_comes_before_the_variable_and_empty_parts_are_none():
    environ = {"ONE_HOME": "/srv", "ONE_REMOTES": "/c::/d"}
    assert config.read(environ, "/a:/b").remotes == (
        ("--remotes", Path("/a")),
        ("--remotes", Path("/b")),
        ("ONE_REMOTES", Path("/c")),
        ("ONE_REMOTES", Path("/d")),
    )


@pytest.mark.parametrize(("value", "debug"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_debug(value, debug):
    assert config.read({"ONE_HOME": "/srv", "ONE_DEBUG": value}).debug is debug


def test_credentials_of_ones_own_are_used_only_when_named():
    assert config.read({"ONE_HOME": "/srv"}).auth_file is None
    assert config.read({"ONE_HOME": "/srv", "ONE_AUTH": ""}).auth_file is None
    assert config.read({"ONE_HOME": "/srv", "ONE_AUTH": "/a/auth"}).auth_file == Path("/a/auth")


def test_programs_inherit_four_variables_and_no_more():
    given = {"PATH": "/bin", "HOME": "/h", "TMPDIR": "/t", "TZ": "UTC", "AWS_SECRET": "x", "LD_PRELOAD": "y"}
    settings = config.read({"ONE_HOME": "/srv", **given})
    assert settings.base_environment == {"PATH": "/bin", "HOME": "/h", "TMPDIR": "/t", "TZ": "UTC"}


def test_an_account_is_made_of_the_declared_variables_that_are_set():
    settings = config.read({"ONE_HOME": "/srv", "TOKEN": "t", "OTHER": "o", "EMPTY": ""})
    declared = {"TOKEN": ("TOKEN",), "MISSING": ("MISSING",), "EMPTY": ("EMPTY",)}
    assert settings.account_from_environment(declared) == {"TOKEN": "t"}
    assert "'t'" not in repr(settings)


def test_the_first_name_of_a_variable_that_is_set_counts():
    names = {"KEY": ("KEY", "OLD_KEY", "OLDER_KEY")}
    settings = config.read({"ONE_HOME": "/srv", "OLDER_KEY": "c", "OLD_KEY": "b"})
    assert settings.account_from_environment(names) == {"KEY": "b"}


def test_a_server_is_named_by_the_variable_then_by_files_where_opennebula_has_them(tmp_path):
    (tmp_path / ".one").mkdir()
    (tmp_path / ".one" / "oneflow_endpoint").write_text("https://flow.example/one\n\n")
    home = {"HOME": str(tmp_path)}
    file = ("https://flow.example/one", str(tmp_path / ".one" / "oneflow_endpoint"))
    variable = ("http://b:2474", "ONEFLOW_URL")
    cases = [
        ({**home, "ONEFLOW_URL": "http://b:2474"}, "oneflow_endpoint", variable),
        ({**home, "ONEFLOW_URL": "http://b:2474", "ONE_HOME": "/srv"}, "oneflow_endpoint", variable),
        ({**home, "ONEFLOW_URL": ""}, "oneflow_endpoint", file),
        ({**home, "ONE_HOME": "/srv"}, "oneflow_endpoint", ("", "")),
        (home, "", ("", "")),
    ]
    for environ, name, expected in cases:
        assert config.read(environ).endpoint("ONEFLOW_URL", name) == expected


def test_a_file_that_names_nothing_names_no_server(tmp_path):
    (tmp_path / ".one").mkdir()
    (tmp_path / ".one" / "oneflow_endpoint").write_bytes(b"\xff\xfe")
    settings = config.read({"HOME": str(tmp_path)})
    assert settings.endpoint("ONEFLOW_URL", "oneflow_endpoint") == ("", "")
    assert settings.endpoint("ONEFLOW_URL", "no_such_file") == ("", "")
