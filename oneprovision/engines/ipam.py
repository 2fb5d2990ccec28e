"""Public addresses through a folder's `ipam` scripts, with the stdin and stdout that OpenNebula gives them.

stdin: base64 of `<IPAM_DRIVER_ACTION_DATA><AR>…</AR></IPAM_DRIVER_ACTION_DATA>`; argv: the request id; stdout
of register_address_range: `AR = [ TYPE = "IP4", IP = "…", … ]`. Each range has one address.
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.sax.saxutils import escape

from onecore.drivers import protocol
from onecore.errors import DriverFailed, OneError
from onecore.machines.calls import Binding, Seen
from onecore.machines.decide import Health
from onecore.machines.model import Kind, Resource
from onecore.machines.tools import Tools
from onecore.process import Command, Outcome, Work
from onecore.tasks import Task
from oneprovision.engines.order import Ordered
from oneprovision.folders import as_driver

REGISTER = "register_address_range"
UNREGISTER = "unregister_address_range"
# How the scripts find a OneForm server, which some ask for the provision and the provider's secrets.
_ONEFORM = ("ONEFORM_URL", "ONEFORM_USER", "ONEFORM_PASSWORD", "ONE_LOCATION", "ONE_XMLRPC")
_PAIR = re.compile(r'([A-Z][A-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class IpamBinding(Binding):
    """Serves the addresses of one provision. The answer of a lease is the deploy id: the range's attributes,
    which the release is given back."""

    provision_id: int = 0
    scripts: Path | None = None
    further: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[str, ...] = field(default=(), repr=False)

    def create(self, resource: Resource, run_file: Callable[[str], Path]) -> Command:
        asked = {
            "TYPE": "IP4",
            "SIZE": "1",
            "IPAM_MAD": self.driver.name.rpartition("/")[2],
            "PROVISION_ID": str(self.provision_id),
            "NETWORK_ID": str(resource.deployment.get("network", "")),
            "NAME": resource.name,
        }
        return self._script(REGISTER, resource, asked, run_file("out"))

    def destroy(self, resource: Resource, run_file: Callable[[str], Path]) -> Work:
        """OpenNebula itself gives back what it leased, when the range is removed there; that was before."""
        if is_inherited(resource):
            return Task(lambda stopping: None)
        return self._script(UNREGISTER, resource, attributes(resource.deploy_id), run_file("out"))

    def poll(self, resource: Resource) -> Command:
        """Nothing tells whether a leased address is there still; that the range can be used is asked."""
        known = attributes(resource.deploy_id)
        return self._script("get_address", resource, known, None, "<ADDRESS><IP/><SIZE>1</SIZE></ADDRESS>")

    def created_id(self, resource: Resource, outcome: Outcome) -> tuple[str, tuple[str, ...]]:
        known = self._read(_parse, outcome)
        return self.harmless(written(known)), (known.get("EXTERNAL_IP") or known["IP"],)

    def printed_id(self, kind: Kind, text: str) -> str:
        return written(_parse(text.encode()))

    def polled(self, resource: Resource, outcome: Outcome) -> Seen:
        return Seen(resource.name, resource.deploy_id, Health.RUNNING, resource.addresses, {}, False)

    def _script(
        self, verb: str, resource: Resource, ar: Mapping[str, str], output: Path | None, further: str = ""
    ) -> Command:
        if self.scripts is None:
            raise DriverFailed(f"driver '{self.driver.name}' leases no addresses: it has no ipam scripts")
        tags = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in ar.items())
        xml = f"<IPAM_DRIVER_ACTION_DATA><AR>{tags}</AR>{further}</IPAM_DRIVER_ACTION_DATA>"
        argv = (str(self.scripts / verb), str(resource.id))
        command = self._command(verb, argv, base64.b64encode(xml.encode()), output)
        return replace(command, env={**command.env, **self.further})

    def failure(self, verb: str, label: str, outcome: Outcome) -> OneError:
        """The scripts are told no secret, but they can ask for those of the provider."""
        return protocol.failure(self.driver.name, verb, label, outcome, self.hidden)


def inherited(network: int) -> dict[str, object]:
    """What the record of an address keeps that OpenNebula leased for OneForm's own server."""
    return {"network": network, "inherited": True}


def is_inherited(address: Resource) -> bool:
    return address.deployment.get("inherited") is True


def binder(ordered: Ordered, tools: Tools) -> Callable[[Resource], Binding]:
    """The folder's own scripts for its addresses, those of the copy that the provision was made with."""
    settings = ordered.place.deps.settings
    mine = IpamBinding(
        driver=as_driver(ordered.folder),
        secrets={},
        home=settings.home,
        base_path=settings.base_environment.get("PATH", "/usr/bin:/bin"),
        provision_id=ordered.provision.id,
        scripts=ordered.folder.ipam,
        further={
            "ONE_AUTH": str(settings.auth_file or settings.home / "one_auth"),
            **{name: settings.environ[name] for name in _ONEFORM if name in settings.environ},
        },
        hidden=ordered.secrets,
    )
    return lambda resource: mine if resource.driver == ordered.folder.key else tools.bind(resource)


def written(ar: Mapping[str, str]) -> str:
    """The attributes of a range as one text: `IP="…",GATEWAY="…"`."""
    return ",".join(f'{name}="{value}"' for name, value in sorted(ar.items()))


def attributes(text: str) -> dict[str, str]:
    """The attributes in such a text, or in what a script printed."""
    return dict(_PAIR.findall(text))


def _parse(stdout: bytes) -> dict[str, str]:
    text = stdout.decode("utf-8", "replace")
    head, bracket, rest = text.partition("[")
    found = attributes(rest.partition("]")[0])
    if not bracket or not head.strip().startswith("AR") or not found.get("IP"):
        raise DriverFailed(
            f"{REGISTER} answered no address range: {text.strip()[:200]!r}",
            hint='it has to print: AR = [ TYPE = "IP4", IP = "…", SIZE = "1", IPAM_MAD = "…" ]',
        )
    return {name: value for name, value in found.items() if name not in ("TYPE", "SIZE")}
