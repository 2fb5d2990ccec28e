"""The OpenTofu or Terraform of this installation, and how a driver folder is run with it."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onecore import tofu
from onecore.config import Settings
from onecore.tofu import Workspace
from oneprovision.model.folder import Folder
from oneprovision.settings import form_settings

_HERE = str(Path(sys.executable).parent)


def program(settings: Settings) -> Path:
    """OpenTofu or Terraform; raises NotFound with what to install. Ours beside this Python comes last."""
    return tofu.find(settings.tofu, f"{_path(settings)}:{_HERE}")


def workspace(settings: Settings, folder: Folder, path: Path) -> Workspace:
    """The program in a working directory, as the driver folder and this installation want it."""
    installation = form_settings(settings.home)
    plugins = settings.home / "oneform" / "plugins"
    plugins.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Workspace(
        program(settings),
        path,
        {
            "TF_PLUGIN_CACHE_DIR": str(plugins),
            **settings.tool_environment(),
            "PATH": f"{_HERE}:{_path(settings)}",
            "ONE_HOME": str(settings.home),
        },
        timeout_s=folder.timeout_s or installation.command_timeout,
        grace_s=installation.cancel_grace,
    )


def initialise(settings: Settings, workspace: Workspace) -> None:
    """One at a time, because all share one cache of plugins."""
    with alone(settings.home / "oneform" / "init.lock"):
        tofu.carry_out(workspace.init(), "init")


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """While nobody else has this lock."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _path(settings: Settings) -> str:
    return settings.base_environment.get("PATH", "/usr/bin:/bin")
