"""Installs the drivers of the contract suite as an administrator would, with modes of our own choice."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import onecore
from onecore.drivers.catalog import builtin_remotes
from onecore.drivers.manifest import ACTIONS

SOURCES = Path(__file__).parent / "pm"
KIT_ACTIONS = (*ACTIONS, "list", "plans", "allocate_ip", "release_ip", "list_ips")
WITNESS = """#!/bin/sh
# Writes down what a driver is given, then becomes the driver.
call=$(mktemp -d "$ONE_HOME/witness/${0##*/}.XXXXXX") || exit 1
for argument; do printf '%s\\n' "$argument"; done > "$call/argv"
cat "/proc/$$/environ" > "$call/environ"
cat > "$call/stdin"
if [ "${0##*/}" = deploy ]; then cat "$1" > "$call/file"; fi
exec "${0%/*}/real/${0##*/}" "$@" < "$call/stdin"
"""


@pytest.fixture(scope="session")
def remotes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A remotes folder with every driver of the suite."""
    registry = tmp_path_factory.mktemp("remotes") / "pm"
    registry.mkdir(mode=0o755)
    install(registry / "old-sh", SOURCES / "old_sh.sh")
    install(registry / "old-python", SOURCES / "old_python.py")
    install(registry / "old-c", compiled(tmp_path_factory.mktemp("cc") / "driver"))
    kit = install(registry / "with-kit", SOURCES / "with_kit.py", KIT_ACTIONS)
    copied(SOURCES / "with_kit.yaml", kit / "driver.yaml", 0o644)
    # What an installed package would give: the interpreter finds `onecore`.
    (kit / "onecore").symlink_to(Path(onecore.__file__).parent)
    dummy = shutil.copytree(builtin_remotes() / "pm" / "dummy", registry / "dummy")
    for file in (dummy, *dummy.iterdir()):
        file.chmod(file.stat().st_mode & ~0o022)
    return registry.parent


@pytest.fixture(scope="session")
def witnessed(remotes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same drivers, each behind a program that writes down what it is given under ONE_HOME/witness."""
    registry = tmp_path_factory.mktemp("witnessed") / "pm"
    registry.mkdir(mode=0o755)
    for original in (remotes / "pm").iterdir():
        folder = registry / original.name
        shutil.copytree(original, folder / "real", symlinks=True)
        folder.chmod(0o755)
        for program in original.iterdir():
            if program.is_file() and os.access(program, os.X_OK):
                (folder / program.name).write_text(WITNESS)
                (folder / program.name).chmod(0o755)
        if (original / "driver.yaml").exists():
            copied(original / "driver.yaml", folder / "driver.yaml", 0o644)
    return registry.parent


def install(folder: Path, program: Path, actions: tuple[str, ...] = ACTIONS) -> Path:
    """One program under the name of every action."""
    folder.mkdir(mode=0o755)
    first = copied(program, folder / actions[0], 0o755)
    for action in actions[1:]:
        (folder / action).hardlink_to(first)
    return folder


def copied(source: Path, target: Path, mode: int) -> Path:
    shutil.copyfile(source, target)
    target.chmod(mode)
    return target


def compiled(program: Path) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    warnings = ("-Wall", "-Wextra", "-Werror", "-Wno-format-truncation")
    subprocess.run([compiler, *warnings, "-O1", "-o", program, SOURCES / "old_c.c"], check=True)
    return program
