"""Puts OneFlow's parts together: the tools of onecore, with what this installation sets for its services."""

from dataclasses import fields
from datetime import tzinfo
from pathlib import Path

from onecore import server_conf
from onecore.deps import Deps
from oneflow.deps import FlowDeps
from oneflow.model.settings import TEXT, WHOLE, FlowSettings

CONF_FILE = "oneflow-server.conf"


def flow_deps(deps: Deps) -> FlowDeps:
    """`deps`, with the settings of `$ONE_HOME/oneflow-server.conf` where there is one."""
    given = {each.name: getattr(deps, each.name) for each in fields(deps)}
    return FlowDeps(**given, flow=flow_settings(deps.settings.home / CONF_FILE))


def flow_settings(path: Path) -> FlowSettings:
    """What the file says; keys may be written `:port:` as OneFlow has them. Raises InvalidInput."""
    said = server_conf.read(path).fields(WHOLE, TEXT)
    return FlowSettings(**said, tz=_local_zone())  # type: ignore[arg-type]  # each checked there


def _local_zone() -> tzinfo:
    """The zone that cron lines and start times are meant in: that of the machine, with its summer times."""
    from dateutil.tz import tzlocal  # lazy: only here

    return tzlocal()
