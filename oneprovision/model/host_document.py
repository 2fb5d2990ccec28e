"""The document of one host with its machine: what `host show -j` and `host list -j` answer."""

from collections.abc import Mapping

from onecore.document import Document
from onecore.host_keys import fingerprint
from onecore.machines.model import Resource
from oneprovision.model.configuration import configuration_of, host_key_of
from oneprovision.model.document import host_state
from oneprovision.model.provision import Provision, StoredObject


def host_document(
    provision: Provision, host: StoredObject, machine: Resource | None, cluster: StoredObject | None
) -> Document:
    """In the manner of OpenNebula: upper-case keys, every scalar a string."""
    connection, configuration = host.body.get("connection"), configuration_of(host)
    shown: Document = {
        "ID": str(host.id),
        "NAME": host.name,
        "STATE": host_state(host, machine),
        "CLUSTER_ID": str(cluster.id) if cluster else "",
        "CLUSTER": cluster.name if cluster else "",
        "PROVISION_ID": str(provision.id),
        "PROVISION": provision.name,
        "PROVISION_STATE": provision.state.name,
        "PM_MAD": str(host.body.get("driver", "")),
        "CONNECTION": _texts(connection) if isinstance(connection, Mapping) else {},
        "PROVISION_CONFIGURATION_STATUS": configuration.status.value,
        "CONFIGURATION_ERROR": configuration.error,
        "HOST_KEY": host_key_of(host),
        "HOST_KEY_FINGERPRINT": fingerprint(host_key_of(host)),
    }
    return shown | (_machine(machine) if machine else {})


def _machine(machine: Resource) -> Document:
    return {
        "PM_MAD": machine.driver,
        "IM_MAD": str(machine.deployment.get("im_mad", "")),
        "VM_MAD": str(machine.deployment.get("vm_mad", "")),
        "PROVIDER_ID": "" if machine.provider_id is None else str(machine.provider_id),
        "IP": machine.addresses[0] if machine.addresses else "",
        "ADDRESSES": list(machine.addresses),
        "MACHINE": machine.name,
        "DEPLOY_ID": machine.deploy_id,
        "MACHINE_STATE": machine.state.value,
        "WANTED": machine.wanted.value,
        "METRICS": dict(machine.metrics),
        "ERROR": machine.error,
    }


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {key.upper(): str(value) for key, value in values.items()}
