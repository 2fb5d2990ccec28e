"""A driver as it is shipped, called as the suite calls it, with a double behind it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from onecore.drivers.call import Calls, Run, Surroundings, Target
from onecore.drivers.catalog import builtin_remotes, driver_at
from onecore.drivers.conformance import Report, Setting, check
from onecore.drivers.deployment import Deployment, to_xml
from tests.clouds.digitalocean import DigitalOceanFake
from tests.clouds.fake import KEY
from tests.clouds.linode import LinodeFake
from tests.clouds.vultr import VultrFake
from tests.drivers import forked

AnyFake = LinodeFake | VultrFake | DigitalOceanFake
FAKES = (LinodeFake, VultrFake, DigitalOceanFake)
A_NAME = "provision-" + "0123456789abcdef" * 3
ANOTHER_NAME = "provision-" + "f" * 48
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBJxZyuQvEr0jQl8mYkX0m3a0tq0qfHcYbYlG7sJf0xQ someone"


@dataclass
class Caller:
    """Calls the driver of `fake`. `home` is its ONE_HOME."""

    fake: AnyFake
    url: str
    home: Path
    key: str = KEY
    connection: Mapping[str, str] = field(default_factory=dict)
    run: Run = forked.hurried

    @property
    def folder(self) -> Path:
        return builtin_remotes() / "pm" / self.fake.driver

    @property
    def secrets(self) -> Mapping[str, str]:
        key = {self.fake.variable: self.key} if self.key else {}
        return {**key, self.fake.url_variable: self.url}

    @property
    def calls(self) -> Calls:
        return Calls(driver_at(self.folder), Surroundings(self.home, secrets=self.secrets), self.run)

    def deploy(self, name: str = A_NAME, **parameters: str) -> str:
        return self.calls.deploy(Target(name), self.home / "d.xml", self.xml(name, **parameters))

    def power_on(self, deploy_id: str, name: str = A_NAME) -> None:
        self.calls.power_on(Target(name), self.home / "d.xml", self.xml(name, deploy_id=deploy_id))

    def act(self, action: str, deploy_id: str, name: str = A_NAME) -> None:
        if action == "shutdown":
            self.calls.shutdown(Target(name, 0, deploy_id))
        else:
            self.calls.act(action, Target(name, 0, deploy_id))

    def poll(self, deploy_id: str, name: str = A_NAME) -> str:
        return self.calls.poll(Target(name, 0, deploy_id)).state.value

    def xml(self, name: str, **parameters: str) -> str:
        provision = {**self.fake.parameters, **parameters}
        return to_xml(
            Deployment(
                name,
                "kvm",
                "kvm",
                self.fake.driver,
                provision=provision,
                connection=self.connection,
                ssh_public_key=PUBLIC_KEY,
            )
        )

    def examined(self) -> Report:
        """As `driver test` does it: no place, size or system is given."""
        setting = Setting(
            secrets=self.secrets,
            ssh_public_key=PUBLIC_KEY,
            deadline_s=60,
            every_s=0.05,
            connection=self.connection,
        )
        return check(driver_at(self.folder), self.home, {}, self.run, setting)


@contextmanager
def caller(fake: AnyFake, home: Path) -> Iterator[Caller]:
    home.mkdir(mode=0o700, exist_ok=True)
    with fake.running() as url:
        yield Caller(fake, url, home)
