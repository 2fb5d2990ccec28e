"""The pm driver engine: which driver and account serve a resource, and the deployment of a host."""

import base64
import json
from dataclasses import asdict
from pathlib import Path

from onecore.drivers.catalog import Driver
from onecore.drivers.deployment import Deployment, to_xml
from onecore.errors import InvalidInput
from onecore.machines.calls import Binding
from onecore.machines.model import Kind, Resource
from onecore.store import providers
from onecore.vault import unseal
from oneprovision.deps import Deps
from oneprovision.model.spec import HostSpec

LAG_PARAMETER = "list_lag"


class Engine:
    """Binds resources to drivers, remembering each driver and account for the length of one command."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._bindings: dict[tuple[str, int | None], Binding] = {}

    def bind(self, resource: Resource) -> Binding:
        return self.binding(resource.driver, resource.provider_id)

    def binding(self, driver_name: str, provider_id: int | None) -> Binding:
        key = (driver_name, provider_id)
        if key not in self._bindings:
            driver = self._deps.catalog.get(driver_name)
            settings = self._deps.settings
            self._bindings[key] = Binding(
                driver,
                self._secrets(driver, provider_id),
                settings.home,
                settings.base_environment.get("PATH", "/usr/bin:/bin"),
            )
        return self._bindings[key]

    def _secrets(self, driver: Driver, provider_id: int | None) -> dict[str, str]:
        """By environment variable: from the provider's connection, else from our own environment."""
        declared = driver.manifest.secrets
        if provider_id is None:
            given = self._deps.settings.secrets_from_environment(declared.values())
            self._deps.conceal(given.values())
            return given
        with self._deps.database.read() as tx:
            sealed = providers.get(tx, provider_id).sealed
        connection = unseal(self._deps.settings.home / "key", sealed)
        self._deps.conceal(connection.values())
        # A driver without a manifest is given every value under its upper-case name, as the old tool did.
        return {declared.get(name, name.upper()): value for name, value in connection.items()}


def check_parameters(driver: Driver, spec: HostSpec) -> None:
    """Refuse what the driver would refuse, before anything is made."""
    schema = driver.manifest.inputs
    if schema is not None:
        from onecore.schema import validate_value  # lazy: brings jsonschema

        validate_value(dict(spec.provision), schema, f"host {spec.name}: provision")
    to_xml(deployment("provision-0", spec, 0, ""))


def check_addresses(driver: Driver) -> None:
    if not driver.can("allocate_ip"):
        raise InvalidInput(
            f"driver '{driver.name}' cannot lease public addresses",
            hint="it declares no allocate_ip; remove the `ar` entries with ipam_mad, or set their size to 0",
        )


def deployment(name: str, spec: HostSpec, provision_id: int, public_key: str) -> Deployment:
    """The values of the deployment file of one host (spec/001, Deployment File)."""
    connection = spec.connection
    configuration = (
        base64.b64encode(json.dumps(spec.configuration).encode()).decode() if spec.configuration else ""
    )
    return Deployment(
        name=name,
        im_mad=spec.im_mad,
        vm_mad=spec.vm_mad,
        pm_mad=spec.driver,
        provision={**spec.provision, "hostname": spec.name, "provision_id": str(provision_id)},
        configuration_base64=configuration,
        connection={
            "remote_user": connection.remote_user,
            "remote_port": str(connection.remote_port),
            "public_key": connection.public_key,
            "private_key": connection.private_key,
        },
        ssh_public_key=public_key,
        extra=spec.attributes,
    )


def machine(spec: HostSpec, owner: str, host_id: int, deployed: Deployment, lag_s: float) -> Resource:
    """The record of the machine that a host runs on. Its id and provider are set by the caller."""
    return Resource(
        id=-1,
        kind=Kind.MACHINE,
        name=deployed.name,
        owner=owner,
        driver=spec.driver,
        provider_id=None,
        number=host_id,
        label=spec.name,
        deployment=asdict(deployed),
        lag_s=lag_s,
    )


def list_lag(driver: Driver, spec: HostSpec) -> float:
    """Seconds that the provider's list may be behind: as declared, or more as the template says."""
    try:
        given = float(spec.provision.get(LAG_PARAMETER, 0))
    except ValueError:
        given = 0.0
    return max(driver.manifest.limits.list_lag_s, given)


def public_key(spec: HostSpec) -> str:
    """The public key that goes into the machine, empty where there is none to read."""
    path = Path(spec.connection.public_key).expanduser()
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
