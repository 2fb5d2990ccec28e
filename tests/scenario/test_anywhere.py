"""One template, and the provider decides where the cluster is: the same cluster on qemu, ssh and ec2."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.drivers.aws import door, moto
from tests.drivers.guests import blank_disk, guests_under
from tests.drivers.owned_machine import owned_machine
from tests.drivers.unreachable import without_ssh
from tests.scenario.command import EXAMPLES, Home

TEMPLATE = EXAMPLES / "anywhere.yaml"

pytestmark = pytest.mark.scenario


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path, without_ssh(tmp_path / "remotes", "qemu", "ec2"), deadline_s=300)
    yield made
    made.close()
    for number in guests_under(tmp_path).values():
        os.kill(number, signal.SIGKILL)


def test_one_template_gives_the_same_cluster_on_every_provider(home: Home, tmp_path: Path):
    with ExitStack() as stack:
        machines = [stack.enter_context(owned_machine(tmp_path / str(n), f"127.0.0.{n}")) for n in (2, 3)]
        for machine in machines:  # the key of the first is let in everywhere
            (machine.folder / "authorized").write_text(
                f'command="{machine.folder / "system"}" {(machines[0].folder / "user_key.pub").read_text()}'
            )
        aws = stack.enter_context(door(stack.enter_context(moto())))
        account = {
            "access_key": aws.environment["AWS_ACCESS_KEY_ID"],
            "secret_key": aws.environment["AWS_SECRET_ACCESS_KEY"],
            "region": "eu-west-3",
            "url": aws.environment["AWS_ENDPOINT_URL"],
        }
        pool = ",".join(f"{each.server.address}:{each.server.port}" for each in machines)
        blank = {"image": str(blank_disk(tmp_path)), "plan": "tiny", "accelerator": "tcg", "memory": "16M"}
        provider(home, "laptop", "qemu", blank)
        provider(home, "rack", "ssh", {"addresses": pool})
        provider(home, "paris", "ec2", {"image": "ami-12c6146b", "plan": "t3.micro"}, account)

        key = f"defaults.connection.private_key={machines[0].server.login.private_key}"
        clusters = []
        for number, name in enumerate(("laptop", "rack", "paris")):
            home.run("create", TEMPLATE, "--provider", name, "--set", key)
            clusters.append(shape(home.show(number)))
            home.run("deprovision", number, "--yes")
        assert clusters[0] == clusters[1] == clusters[2]
        assert clusters[0]["hosts"] == ["anywhere-0", "anywhere-1"]
        assert guests_under(tmp_path) == {}
        assert [machine.seen for machine in machines] == [[], []]


def provider(
    home: Home,
    name: str,
    driver: str,
    parameters: Mapping[str, str],
    account: Mapping[str, str] | None = None,
) -> None:
    file = home.folder / f"{name}.yaml"
    body = {"name": name, "driver": driver, "parameters": parameters, "connection": account or {}}
    file.write_text(yaml.safe_dump(body))
    file.chmod(0o600)
    home.run("provider", "create", file)


def shape(body: Any) -> dict[str, list[str]]:
    """The names of everything that the provision holds, and its state."""
    many = {kind: each for kind, each in body["one_objects"].items() if isinstance(each, list)}
    names = {kind: sorted(each["name"] for each in objects) for kind, objects in many.items()}
    return {**names, "state": [body["state"]]}
