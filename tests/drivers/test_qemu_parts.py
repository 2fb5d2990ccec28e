"""The parts of the qemu driver that need no QEMU."""

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import qemu_addresses
import qemu_images
from onecore.drivers.kit import Call, Failed
from qemu_accelerator import Accelerator
from qemu_folders import Folders, Missing
from qemu_images import Images, Published
from qemu_request import Forward, Request, parsed
from qemu_seed import HostKey, files

HOST_KEY = HostKey("-----BEGIN\nkey\n", "ssh-ed25519 AAAA")
KEY = "ssh-ed25519 AAAAC3Nz me@here"


def asked(connection: dict[str, str] | None = None, **parameters: str) -> Request:
    upper = {name.upper(): value for name, value in parameters.items()}
    return parsed(
        Call(
            "deploy",
            name="provision-1",
            provision=upper,
            connection=connection or {},
            ssh_public_key=KEY,
        )
    )


# -- what is asked for ---------------------------------------------------------------------------------------


def test_the_plan_gives_what_is_not_said():
    request = asked(plan="medium", memory="3G")
    assert (request.cpus, request.memory_mib, request.disk_mib) == (2, 3072, 20480)


def test_ports_are_forwarded_as_they_are_or_to_others():
    assert asked(forward="80, 8443:443").forwards == (Forward(80, 80), Forward(8443, 443))


def test_machines_have_network_cards_of_their_own():
    assert asked().mac != replace(asked(), name="provision-2").mac


@pytest.mark.parametrize(
    ("parameter", "value", "said"),
    [
        ("plan", "huge", "there is no plan 'huge'; the plans are tiny, small, medium, large"),
        ("memory", "much", "memory: 'much' is not a size; write 512M or 2G"),
        ("memory", "0", "memory: '0' is not a size; write 512M or 2G"),
        ("cpus", "0", "cpus: '0' is not a number from 1 to 512"),
        ("forward", "80:70000", "forward: '70000' is not a port, or two of them with a colon between"),
        ("accelerator", "magic", "accelerator 'magic' is none of auto, kvm, tcg"),
        ("cpu_model", "max -daemonize", "cpu_model: 'max -daemonize' cannot be used"),
        ("hostname", "a,b", "hostname: 'a,b' cannot be used"),
    ],
)
def test_what_cannot_be_used_is_named(parameter: str, value: str, said: str):
    with pytest.raises(Failed) as failed:
        asked(None, **{parameter: value})
    assert str(failed.value) == said


@pytest.mark.parametrize("name", ["../x", ".hidden", "", "a,hostfwd=tcp::1-:1"])
def test_a_name_that_is_no_file_name_is_refused(name: str):
    with pytest.raises(Failed):
        parsed(Call("deploy", name=name))


# -- the seed ------------------------------------------------------------------------------------------------


def seed_of(request: Request) -> dict[str, str]:
    return files(request, HOST_KEY)


def test_the_seed_is_read_by_cloud_init():
    seed = seed_of(asked(hostname="web-0"))
    assert seed["user-data"].startswith("#cloud-config\n")
    assert yaml.safe_load(seed["user-data"])["ssh_authorized_keys"] == [KEY]
    assert yaml.safe_load(seed["user-data"])["ssh_keys"]["ed25519_private"] == HOST_KEY.private
    assert yaml.safe_load(seed["meta-data"])["local-hostname"] == "web-0"


def test_user_data_of_the_users_own_stays_as_it_is_and_logging_in_still_works():
    seed = seed_of(asked(user_data="#!/bin/sh\necho hello"))
    assert seed["user-data"] == "#!/bin/sh\necho hello\n"
    assert yaml.safe_load(seed["vendor-data"])["ssh_authorized_keys"] == [KEY]


def test_a_user_who_is_not_root_is_made():
    seed = seed_of(asked({"REMOTE_USER": "ada"}))
    [_, user] = yaml.safe_load(seed["user-data"])["users"]
    assert (user["name"], user["ssh_authorized_keys"]) == ("ada", [KEY])


# -- addresses -----------------------------------------------------------------------------------------------


def test_every_machine_gets_an_address_that_only_this_computer_reaches():
    request = asked({"REMOTE_PORT": "2200"})
    found = {qemu_addresses.chosen(request, ())[0] for _ in range(20)}
    assert len(found) == 20
    assert all(address.startswith("127.") and 64 <= int(address.split(".")[1]) < 128 for address in found)


def test_ssh_answers_on_another_port_where_the_wanted_one_cannot_be_had(monkeypatch: pytest.MonkeyPatch):
    import socket

    with socket.socket() as elsewhere:  # somebody listens on every address of this computer
        elsewhere.bind(("0.0.0.0", 0))
        elsewhere.listen(1)
        wanted = elsewhere.getsockname()[1]
        _, ports = qemu_addresses.chosen(asked({"REMOTE_PORT": str(wanted)}), ())
    assert ports == (Forward(2222, 22),)


# -- KVM or not ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kvm_s", "chosen"), [(0.1, "kvm"), (2.4, "tcg"), (float("inf"), "tcg")])
def test_the_faster_way_wins_and_is_remembered_until_the_next_boot(
    kvm_s: float, chosen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tried: list[str] = []

    def trial(kind: str) -> float:
        tried.append(kind)
        return kvm_s if kind == "kvm" else 0.3

    device = tmp_path / "kvm"
    device.touch()
    first = Accelerator(tmp_path / "note", "boot-1", trial, device)
    assert [first.choose("auto"), first.choose("auto")] == [chosen, chosen]
    assert tried == ["kvm", "tcg"]
    replace(first, boot_id="boot-2").choose("auto")
    assert tried == ["kvm", "tcg", "kvm", "tcg"]


def test_without_kvm_there_is_emulation(tmp_path: Path):
    without = Accelerator(tmp_path / "note", "boot", device=tmp_path / "kvm")
    assert without.choose("auto") == "tcg"
    with pytest.raises(Failed, match="is not there or not open to this user"):
        without.choose("kvm")


# -- images --------------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder that is served over HTTP."""
    folder = tmp_path / "site"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *args: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def published(folder: Path, url: str, text: bytes = b"a disk") -> Published:
    (folder / "os.qcow2").write_bytes(text)
    (folder / "SUMS").write_text(f"{hashlib.sha256(b'a disk').hexdigest()}  os.qcow2\n")
    return Published("An OS", f"{url}/os.qcow2", f"{url}/SUMS", "sha256")


def test_an_image_is_fetched_once(site: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(qemu_images.PUBLISHED, "an-os", published(*site))
    images = Images(tmp_path / "images")
    assert next(image for image in images.all() if image["id"] == "an-os")["fetched"] is False
    disk = images.get("an-os").disk
    assert disk is not None
    assert disk.read_bytes() == b"a disk"
    (site[0] / "os.qcow2").unlink()
    assert images.get("an-os").disk == disk
    assert next(image for image in images.all() if image["id"] == "an-os")["fetched"] is True


def test_an_image_with_another_checksum_is_not_used(
    site: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(qemu_images.PUBLISHED, "an-os", published(*site, text=b"something else"))
    with pytest.raises(Failed, match="has not the checksum that"):
        Images(tmp_path / "images").get("an-os")
    assert [file.name for file in (tmp_path / "images").iterdir()] == [".an-os.lock"]


@pytest.mark.parametrize("name", ["nothing-like-it", "../images/x", "/nowhere/disk.qcow2"])
def test_an_image_that_is_not_there_is_refused(name: str, tmp_path: Path):
    with pytest.raises(Failed):
        Images(tmp_path / "images").get(name)


# -- folders -------------------------------------------------------------------------------------------------


def test_of_many_that_make_a_machine_one_fills_its_folder(tmp_path: Path):
    folders, filled = Folders(tmp_path), []
    starts = threading.Barrier(8)

    def make() -> None:
        starts.wait()
        with folders.made("web", lambda folder: (folder / "record").touch()) as folder:
            filled.append((folder / "record").stat().st_ino)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(filled) == 8
    assert len(set(filled)) == 1
    assert list((tmp_path / "making").iterdir()) == []


def test_a_folder_that_could_not_be_filled_is_not_there(tmp_path: Path):
    def fill(folder: Path) -> None:
        raise Failed("no image")

    with pytest.raises(Failed, match="no image"), Folders(tmp_path).made("web", fill):
        pass
    assert Folders(tmp_path).names() == []
    assert list((tmp_path / "making").iterdir()) == []


def test_what_a_killed_program_was_making_is_swept_away_and_what_is_being_made_is_not(tmp_path: Path):
    folders = Folders(tmp_path)
    dead = tmp_path / "making" / "web.dead"
    dead.mkdir(parents=True)
    (dead / "disk").touch()

    def fill(folder: Path) -> None:
        Folders(tmp_path).sweep()
        (folder / "record").touch()

    with folders.made("web", fill) as folder:
        assert (folder / "record").exists()
    assert not dead.exists()


def test_a_removed_machine_is_missing_also_for_who_waited_for_it(tmp_path: Path):
    folders = Folders(tmp_path)
    missing = threading.Event()

    def wait() -> None:
        try:
            with Folders(tmp_path).held("web"):
                pass
        except Missing:
            missing.set()

    with folders.made("web", lambda folder: None) as folder:
        waiting = threading.Thread(target=wait)
        waiting.start()
        folders.discard(folder)
    waiting.join()
    assert missing.is_set()


def test_the_record_of_a_machine_is_complete(tmp_path: Path):
    import qemu_machine

    image = tmp_path / "image"
    image.mkdir()
    (image / "kernel").touch()
    (image / "cmdline").write_text("quiet\n")
    folder = tmp_path / "machine"
    folder.mkdir()
    request = asked(boot_arguments="debug", image=str(image))
    qemu_machine.prepare(folder, request, "127.70.0.1", (Forward(2222, 22),), Images(tmp_path))
    machine = qemu_machine.load(folder)
    assert (machine.ssh_port, machine.cmdline) == (2222, "quiet debug")
    assert json.loads((folder / "machine.json").read_text())["address"] == "127.70.0.1"
