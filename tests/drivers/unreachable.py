"""Copies of drivers whose machines nobody waits for: what the tests make of them has nothing that answers."""

import shutil
from pathlib import Path

from onecore.drivers.catalog import Catalog, builtin_remotes


def without_ssh(remotes: Path, *drivers: str) -> Path:
    """A remotes folder with these drivers as they are, but `ssh: false` and no list lag."""
    for name in drivers:
        folder = remotes / "pm" / name
        shutil.copytree(builtin_remotes() / "pm" / name, folder)
        manifest = folder / "driver.yaml"
        manifest.write_text(manifest.read_text().replace("list_lag_s: 10", "list_lag_s: 0") + "ssh: false\n")
        for path in (remotes / "pm", folder, *folder.iterdir()):
            path.chmod(path.stat().st_mode & ~0o022)
        assert not Catalog([("test", remotes)]).get(name).manifest.ssh
    return remotes
