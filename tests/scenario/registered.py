"""An installation of `oneprovision` beside an OpenNebula."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.nebula.cloud import Cloud, Owned
from tests.nebula.server import Nebula, serving
from tests.scenario.command import Home


@dataclass
class Registered(Home):
    nebula: Nebula = field(kw_only=True)

    @property
    def environment(self) -> Mapping[str, str]:
        return {**super().environment, "ONE_XMLRPC": self.nebula.url}

    def there(self) -> list[str]:
        """What exists in the OpenNebula, but for its own default cluster."""
        cloud = self.nebula.cloud
        pools: list[dict[int, Owned]] = [dict(cloud.clusters), dict(cloud.datastores)]
        pools += [dict(cloud.networks), dict(cloud.hosts)]
        return [each.name for pool in pools for each in pool.values() if each.name != "default"]

    def tags(self) -> list[tuple[str, str]]:
        hosts = self.nebula.cloud.hosts.values()
        return [(h.template["ONEFORM"]["PROVISION_ID"], h.template["ONEFORM"]["RESOURCE_ID"]) for h in hosts]

    def ranges(self) -> set[str]:
        """The public addresses that VMs may be given there."""
        networks = self.nebula.cloud.networks.values()
        return {given["IP"] for network in networks for given in network.ranges.values()}

    def leased(self) -> set[str]:
        """Those that the dummy cloud says are leased."""
        return set(self.addresses())


@contextmanager
def registered(folder: Path) -> Iterator[Registered]:
    (folder / ".one").mkdir(mode=0o700)
    (folder / ".one" / "one_auth").write_text("oneadmin:secret\n")
    with serving(Cloud(time.time)) as nebula:
        home = Registered(folder, nebula=nebula, deadline_s=120.0)
        home.path.mkdir(mode=0o700)
        yield home
        home.close()
