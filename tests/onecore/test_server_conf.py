"""Files of settings as OpenNebula's servers have them."""

import pytest

from onecore import server_conf
from onecore.errors import InvalidInput


def fields(path, text):
    path.write_text(text)
    return server_conf.read(path).fields(whole=("port",), text=("host",))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x-server.conf"


def test_no_file_says_nothing(path):
    assert server_conf.read(path).said == {}


@pytest.mark.parametrize(
    "text", [":port: 1\n:host: h.example\n", "port: 1\nhost: h.example\n", ":port: '1'\n:host: h.example\n"]
)
def test_keys_have_a_colon_or_none(path, text):
    assert fields(path, text) == {"port": 1, "host": "h.example"}


def test_keys_of_parts_that_we_do_not_have_are_left_alone(path):
    assert fields(path, ":core_auth: cipher\n:log: {level: 3, system: file}\n") == {}


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "true", "99999999999", "[1]"])
def test_what_is_no_number_is_said_with_key_and_value(path, value):
    with pytest.raises(InvalidInput, match="'port' has to be a number"):
        fields(path, f":port: {value}\n")


def test_a_list_is_no_file_of_settings(path):
    with pytest.raises(InvalidInput, match="has to be a mapping"):
        fields(path, "- 1\n")
