"""oneform-server.conf."""

import pytest

from onecore.errors import InvalidInput
from oneprovision.__main__ import main
from oneprovision.model.settings import FormSettings
from oneprovision.settings import CONF_FILE, form_settings


def test_without_a_file_the_defaults_hold(tmp_path):
    assert form_settings(tmp_path) == FormSettings()


def test_what_is_said_holds(tmp_path):
    (tmp_path / CONF_FILE).write_text(
        ":port: 9\n:concurrency: 1\n:onedeploy_tags: stage2,stage3\n:work_dir: /x\n"
    )
    assert form_settings(tmp_path) == FormSettings(port=9, concurrency=1, onedeploy_tags="stage2,stage3")


@pytest.mark.parametrize("text", [":concurrency: 0", ":command_timeout: 0", ":port: 65536"])
def test_what_cannot_be_is_refused(tmp_path, text):
    (tmp_path / CONF_FILE).write_text(text)
    with pytest.raises(InvalidInput, match="oneform-server"):
        form_settings(tmp_path)


def test_a_server_with_such_a_file_does_not_begin(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ONE_HOME", str(tmp_path))
    (tmp_path / CONF_FILE).write_text(":port: http\n")
    assert main(["serve"]) == 2
    assert "'port' has to be a number, not 'http'" in capsys.readouterr().err
