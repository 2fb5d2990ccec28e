"""The settings of `$ONE_HOME/oneform-server.conf`, which hold for whoever drives provisions of this home."""

from pathlib import Path

from onecore import server_conf
from oneprovision.model.settings import TEXT, WHOLE, FormSettings

CONF_FILE = "oneform-server.conf"


def form_settings(home: Path) -> FormSettings:
    """Raises InvalidInput for a file that is no such thing."""
    said = server_conf.read(home / CONF_FILE).fields(WHOLE, TEXT)
    return FormSettings(**said)  # type: ignore[arg-type]  # each checked there
