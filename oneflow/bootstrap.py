"""Puts OneFlow's parts together: the tools of onecore, with what this installation sets for its services."""

from dataclasses import fields, replace
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from onecore import server_conf
from onecore.deps import Deps
from oneflow.deps import FlowDeps
from oneflow.model.settings import TEXT, WHOLE, FlowSettings

if TYPE_CHECKING:
    from oneflow.nebula.site import Nebula

CONF_FILE = "oneflow-server.conf"


def flow_deps(deps: Deps) -> FlowDeps:
    """`deps`, with the settings of `$ONE_HOME/oneflow-server.conf` where there is one."""
    given = {each.name: getattr(deps, each.name) for each in fields(deps)}
    flow = flow_settings(deps.settings.base_home / CONF_FILE)
    return FlowDeps(**{**given, "flow": flow, "nebula": nebula(deps, flow)})


def nebula(deps: Deps, flow: FlowSettings) -> "Nebula | None":
    """The OpenNebula that the settings name."""
    settings = deps.settings
    if not settings.opennebula or settings.auth_file is None:
        return None
    from onecore.opennebula.client import Client, Endpoint  # lazy: few work with one
    from onecore.vault import installation_key
    from oneflow.nebula.site import Nebula

    endpoint, key = Endpoint(settings.opennebula, settings.auth_file), installation_key(settings.home / "key")
    return Nebula(Client(endpoint, deps.conceal, key=key), late_s=flow.late_s)


def as_its_user(deps: Deps) -> Deps:
    """On behalf of the user of our credentials, where the settings name an OpenNebula."""
    if not deps.settings.opennebula:
        return deps
    from oneflow.usecases import people

    opened = flow_deps(deps)
    return deps if opened.nebula is None else replace(deps, principal=people.asker(opened, opened.nebula))


def flow_settings(path: Path) -> FlowSettings:
    """What the file says; keys may be written `:port:` as OneFlow has them. Raises InvalidInput."""
    said = server_conf.read(path).fields(WHOLE, TEXT)
    return FlowSettings(**said, tz=_local_zone())  # type: ignore[arg-type]  # each checked there


def _local_zone() -> tzinfo:
    """The zone that cron lines and start times are meant in: that of the machine, with its summer times."""
    from dateutil.tz import tzlocal  # lazy: only here

    return tzlocal()
