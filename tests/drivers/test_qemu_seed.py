"""What the qemu driver writes into a seed is read by the cloud-init of Debian, which is unpacked for it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from onecore.drivers.kit import Call
from qemu_request import parsed
from qemu_seed import HostKey, files

CLOUD_INIT = Path(__file__).parents[2] / ".venv" / "cloud-init"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBJxZyuQvEr0jQl8mYkX0m3a0tq0qfHcYbYlG7sJf0xQ me@here"
HOST_KEY = HostKey("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbg==\n", "ssh-ed25519 AAAA host")
# The data source that a guest has, and what cloud-init makes of all that is in it.
READ = """
import json, sys
from cloudinit import helpers
from cloudinit.distros.debian import Distro
from cloudinit.sources.DataSourceNoCloud import DataSourceNoCloud

folder = sys.argv[1]
paths = helpers.Paths({"cloud_dir": folder, "run_dir": folder + "/run", "templates_dir": folder})
settings = {"datasource": {"NoCloud": {"fs_label": None}}}
source = DataSourceNoCloud(settings, Distro("debian", {}, paths), paths)
assert source._get_data()
print(json.dumps({
    "instance": source.get_instance_id(),
    "hostname": str(source.get_hostname().hostname),
    "keys": source.get_public_ssh_keys(),
    "user": source.get_userdata_raw().decode(),
    "vendor": str(source.get_vendordata_raw()),
}))
"""

pytestmark = pytest.mark.scenario


@pytest.fixture(autouse=True)
def _cloud_init() -> None:
    if not CLOUD_INIT.exists():
        pytest.skip("cloud-init is not here")


def seed(folder: Path, **parameters: str) -> Path:
    """Its files, where cloud-init looks for them."""
    upper = {name.upper(): value for name, value in parameters.items() if name != "remote_user"}
    user = parameters.get("remote_user", "root")
    call = Call(
        "deploy",
        name="provision-1",
        provision=upper,
        connection={"REMOTE_USER": user},
        ssh_public_key=KEY,
    )
    place = folder / "seed" / "nocloud"
    place.mkdir(parents=True)
    for name, text in files(parsed(call), HOST_KEY).items():
        (place / name).write_text(text)
    return place


def cloud_init(*words: str) -> "subprocess.CompletedProcess[str]":
    environ: Mapping[str, str] = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CLOUD_INIT)}
    command = [sys.executable, "-W", "ignore", *words]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=120)


def read(folder: Path) -> Any:
    done = cloud_init("-c", READ, str(folder))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("user", ["root", "ada"])
def test_our_configuration_is_valid(tmp_path: Path, user: str):
    place = seed(tmp_path, hostname="web-0", remote_user=user)
    done = cloud_init("-m", "cloudinit.cmd.main", "schema", "--config-file", str(place / "user-data"))
    assert (done.returncode, "Valid cloud-config" in done.stdout + done.stderr) == (0, True), done


def test_a_configuration_that_is_wrong_is_refused(tmp_path: Path):
    """The judge is awake."""
    file = tmp_path / "user-data"
    file.write_text('#cloud-config\n{"ssh_pwauth": 5, "ssh_keys": []}\n')
    assert cloud_init("-m", "cloudinit.cmd.main", "schema", "--config-file", str(file)).returncode != 0


def test_the_guest_gets_its_name_its_keys_and_what_the_user_says(tmp_path: Path):
    script = "#!/bin/sh\necho hello"
    seed(tmp_path, hostname="web-0", user_data=script)
    found = read(tmp_path)
    assert (found["instance"], found["hostname"], found["keys"]) == ("provision-1", "web-0", [KEY])
    assert found["user"] == f"{script}\n"
    assert HOST_KEY.public in found["vendor"]
    assert KEY in found["vendor"]
