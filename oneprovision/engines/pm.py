"""The pm driver engine: the deployment of a host, and the record of its machine."""

import base64
import json
from dataclasses import asdict
from pathlib import Path

from onecore.drivers.catalog import Driver
from onecore.drivers.deployment import Deployment, to_xml
from onecore.drivers.roles import OFFERS, Inputs, spellings, unanswered
from onecore.errors import InvalidInput
from onecore.machines.model import Kind, Resource
from oneprovision.model.spec import HostSpec

LAG_PARAMETER = "list_lag"


def check_parameters(driver: Driver, spec: HostSpec) -> None:
    """Refuse what the driver would refuse, before anything is made."""
    schema = driver.manifest.inputs
    if schema is not None:
        from onecore.schema import validate_value  # lazy: brings jsonschema

        validate_value(dict(spec.provision), schema, f"host {spec.name}: provision")
        _require_roles(driver, spec, schema)
    to_xml(deployment("provision-0", spec, 0, ""))


def _require_roles(driver: Driver, spec: HostSpec, inputs: Inputs) -> None:
    """Place, size and system are named together, so that nobody learns of them one by one."""
    roles = unanswered(inputs, spec.provision)
    if not roles:
        return
    needed = [" or ".join(map(repr, spellings(inputs, role)[:2])) for role in roles]
    offers = "|".join(OFFERS[role] for role in roles if driver.can(OFFERS[role]))
    seen = f"; see: oneprovision provider {offers} {driver.name}" if offers else ""
    raise InvalidInput(
        f"host {spec.name}: provision: driver '{driver.name}' needs {', '.join(needed)}",
        hint=f"give what is missing in the template or in the provider's parameters{seen}",
    )


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
