"""What people install works: built, installed outside the checkout, and used with the driver inside."""

import json
import os
import stat
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT_IN = ROOT / "drivers" / "remotes" / "pm"
TEMPLATE = """\
name: packaged
defaults:
  provision: {driver: dummy}
hosts:
  - provision: {count: 2}
"""

pytestmark = pytest.mark.scenario


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def wheel_of_sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(built("sdist", ROOT, folder)) as archive:
        archive.extractall(folder, filter="data")
    [source] = [path for path in folder.iterdir() if path.is_dir()]
    return built("wheel", source, folder)


@pytest.mark.parametrize("origin", ["wheel", "wheel_of_sdist"])
def test_a_provision_is_made_by_what_was_installed(origin, request, tmp_path):
    site = installed(request.getfixturevalue(origin), tmp_path / "venv")
    (tmp_path / "cluster.yaml").write_text(TEMPLATE)

    made = used(tmp_path, "create", "cluster.yaml", "-j")

    assert made["DOCUMENT"]["TEMPLATE"]["PROVISION_BODY"]["state"] == "RUNNING"
    assert len(list((tmp_path / "home/dummy/machines").iterdir())) == 2
    assert modes(site / "onecore/remotes/pm") == wanted_modes()


def test_both_ways_to_the_wheel_ship_the_same_files(wheel, wheel_of_sdist):
    assert listing(wheel) == listing(wheel_of_sdist)
    assert "onecore/ansible_plugins/callback/one_results.py" in listing(wheel)


def built(target: str, source: Path, folder: Path) -> Path:
    """Without network and without isolation: hatchling is among the dev dependencies."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [found] = folder.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return found


def installed(wheel: Path, folder: Path) -> Path:
    """A clean environment that borrows the dependencies of this one, but not the project."""
    venv.create(folder, with_pip=False, symlinks=True)
    paths = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", "venv", paths))
    command = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet"]
    command += ["--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, umask=0o022)
    assert done.returncode == 0, done.stderr
    # After the packages of the new environment, so that it is the wheel that runs.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return site


def used(folder: Path, *arguments: str) -> dict:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "ONE_HOME": str(folder / "home")}
    command = [str(folder / "venv/bin/oneprovision"), *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, umask=0o022
    )
    assert done.returncode == 0, done.stderr
    answer: dict = json.loads(done.stdout)
    return answer


def modes(registry: Path) -> dict[str, int]:
    # pip compiles the Python files that it installs.
    files = (path for path in registry.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(registry)): stat.S_IMODE(path.stat().st_mode) for path in files}


def wanted_modes() -> dict[str, int]:
    """As in the checkout, whatever the umask of who checked it out."""
    return {name: 0o755 if mode & 0o100 else 0o644 for name, mode in modes(BUILT_IN).items()}


def listing(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return sorted(archive.namelist())
