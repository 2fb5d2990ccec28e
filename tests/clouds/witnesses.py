"""Every provider with a witness of its own: what exists is never asked of its driver."""

import getpass
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from onecore.drivers.catalog import builtin_remotes
from tests.clouds.calls import FAKES, AnyFake
from tests.clouds.fake import KEY
from tests.drivers.aws import Door, door
from tests.drivers.guests import blank_disk, guests_under
from tests.drivers.owned_machine import owned_machine

# What is real for a provider, and what a double needs: nobody waits for its lists, nobody listens on SSH.
CHANGES = {"list_lag_s: 10": "list_lag_s: 0.5", "idempotent:": "ssh: false\nidempotent:"}
ACCOUNT = {
    "access_key": "AWS_ACCESS_KEY_ID",
    "secret_key": "AWS_SECRET_ACCESS_KEY",
    "region": "AWS_DEFAULT_REGION",
    "url": "AWS_ENDPOINT_URL",
}
AMI = {"plan": "t3.micro", "image": "ami-12c6146b"}


@dataclass
class Effects:
    """What was made and removed at a provider so far; `heard` is told of each before it is answered."""

    number: int = 0
    heard: Callable[[int], None] = lambda number: None

    def note(self) -> None:
        self.number += 1
        self.heard(self.number)


@dataclass
class Provider:
    """One provider. `sets` are provision parameters; `account` says in a connection what `environ` says, too;
    `machines` are the names of what exists for a home, each as often as it does; `addresses` the owner tags
    of public addresses, None where there are none."""

    driver: str
    sets: Mapping[str, str]
    machines: Callable[[Path], list[str]]
    environ: Mapping[str, str] = field(default_factory=dict)
    login: Mapping[str, str] = field(default_factory=dict)
    account: Mapping[str, str] = field(default_factory=dict)
    addresses: Callable[[], list[str]] | None = None
    effects: Effects | None = None


Place = Callable[[Path], AbstractContextManager[Provider]]


@contextmanager
def double(new: Callable[[], AnyFake], folder: Path) -> Iterator[Provider]:
    """The double of an API, fresh."""
    fake, effects = new(), Effects()
    fake.on_effect = effects.note
    with fake.running() as url:
        environ = {fake.url_variable: url, fake.variable: KEY, **_impatient(folder, fake.driver)}
        made = Provider(fake.driver, fake.parameters, lambda home: fake.existing, environ, effects=effects)
        made.account = {"token": KEY, "url": url}
        made.addresses = lambda: fake.address_tags
        yield made


@contextmanager
def amazon(folder: Path) -> Iterator[Provider]:
    """EC2 as moto plays it, emptied."""
    with door() as made:
        made.forget()
        effects = Effects()
        made.on_effect = effects.note
        environ = {**made.environment, **_impatient(folder, "ec2")}
        names, tags = partial(_instances, made), partial(_elastic, made)
        account = {field: made.environment[variable] for field, variable in ACCOUNT.items()}
        yield Provider("ec2", AMI, names, environ, account=account, addresses=tags, effects=effects)


def _instances(aws: Door, home: Path) -> list[str]:
    reservations = aws.client().describe_instances()["Reservations"]
    machines = [each for reservation in reservations for each in reservation["Instances"]]
    return sorted(_tagged(each) for each in machines if each["State"]["Name"] != "terminated")


def _elastic(aws: Door) -> list[str]:
    return [_tagged(each) for each in aws.client().describe_addresses()["Addresses"]]


def _tagged(each: Mapping[str, list[Mapping[str, str]]]) -> str:
    tags = {tag["Key"]: tag["Value"] for tag in each.get("Tags", [])}
    return tags.get("onesuite:name", "?")


@contextmanager
def owned(folder: Path) -> Iterator[Provider]:
    """Two machines that somebody owns. The witness are the files of claims, read as they are."""
    with ExitStack() as stack:
        both = [stack.enter_context(owned_machine(folder / str(n), f"127.0.0.{n}")) for n in (2, 3)]
        shutil.copy(both[0].folder / "authorized", both[1].folder / "authorized")
        pool = ",".join(f"{each.server.address}:{each.server.port}" for each in both)
        login = {"private_key": both[0].server.login.private_key, "remote_user": getpass.getuser()}
        yield Provider("ssh", {"addresses": json.dumps(pool)}, _claims, login=login)
        assert [each.seen for each in both] == [[], []], "a machine that is not ours was touched"


def _claims(home: Path) -> list[str]:
    files = (home / "ssh" / "claims").glob("[!.]*")
    return sorted(json.loads(file.read_text())["name"] for file in files)


@contextmanager
def local(folder: Path) -> Iterator[Provider]:
    """Processes of QEMU that boot nothing."""
    sets = {"image": str(blank_disk(folder)), "plan": "tiny", "accelerator": "tcg", "memory": "16M"}
    try:
        yield Provider("qemu", sets, _guests, _impatient(folder, "qemu"))
    finally:
        for number in guests_under(folder).values():
            os.kill(number, signal.SIGKILL)


def _guests(home: Path) -> list[str]:
    """What runs, and what is kept: either is something that is left."""
    folder = home / "qemu" / "machines"
    kept = {machine.name for machine in folder.iterdir()} if folder.is_dir() else set()
    return sorted(kept | set(guests_under(home)))


def _impatient(folder: Path, driver: str) -> dict[str, str]:
    """The driver as it is shipped but for CHANGES."""
    remotes = folder / "remotes" / "pm" / driver
    shutil.copytree(builtin_remotes() / "pm" / driver, remotes)
    manifest = (remotes / "driver.yaml").read_text()
    for old, new in CHANGES.items():
        manifest = manifest.replace(old, new, 1)
    (remotes / "driver.yaml").write_text(manifest)
    for path in (folder / "remotes", folder / "remotes" / "pm", remotes, *remotes.iterdir()):
        path.chmod(path.stat().st_mode & ~0o022)
    return {"ONE_REMOTES": str(folder / "remotes")}


# By the names of their drivers.
PROVIDERS: dict[str, Place] = {
    **{fake.driver: partial(double, fake) for fake in FAKES},
    "ec2": amazon,
    "ssh": owned,
    "qemu": local,
}
