"""A provision that a driver folder makes, written as the template that every provision is kept as.

Its section `oneform` says which folder (by content), which deployment, and which values; the
rest is the cluster, datastores, networks and hosts that these stand for.
"""

from collections.abc import Mapping

from onecore.errors import InvalidInput
from oneprovision.model import jinja
from oneprovision.model.folder import HOSTS, ONPREM_HOSTS, PUBLIC_IPS, TAGS, Deployment, Folder, HostsBy
from oneprovision.model.interpolate import escape
from oneprovision.model.order import SECTION, Order, of_address
from oneprovision.model.shapes import text_of


def template(
    folder: Folder, deployment: Deployment, order: Order, values: Mapping[str, object], name: str
) -> dict[str, object]:
    """The template of a provision. `values` has the secret ones too: an object may be made of them."""
    described = jinja.objects(deployment, values)
    return {
        "version": 1,
        "name": name,
        "cluster": {"name": escape(name)},
        "defaults": {"connection": _connection(values)},
        "datastores": [_escaped(each) for each in described["datastores"]],
        "networks": [_network(folder, values, each) for each in described["networks"]],
        "hosts": hosts(folder, values),
        SECTION: order.to_json(),
    }


def hosts(folder: Folder, values: Mapping[str, object]) -> list[dict[str, object]]:
    """One entry of so many hosts, or one for each address; the last is the pattern of further ones."""
    if folder.hosts_by is HostsBy.IPS:
        named = [_host(folder, of_address(ip)) for ip in addresses(values.get(ONPREM_HOSTS))]
        return named or [_host(folder, {"count": 0})]
    count = values.get(HOSTS, 1)
    if not isinstance(count, int) or count < 0:
        raise InvalidInput(f"input '{HOSTS}' must be a whole number")
    return [_host(folder, {"count": count, "index": "${index}"})]


def addresses(given: object) -> list[str]:
    """The addresses of machines to adopt, each named once."""
    written = [text_of(each).strip() for each in given] if isinstance(given, list) else []
    doubles = sorted({each for each in written if written.count(each) > 1})
    if doubles:
        raise InvalidInput(f"address {doubles[0]} is named twice")
    return written


def variables(folder: Folder, values: Mapping[str, object], tags: Mapping[str, str]) -> dict[str, object]:
    """What OpenTofu is given: the variables that the folder declares, and no more."""
    known = {i.name for i in (*folder.inputs, *folder.connection)}
    given = {**values, TAGS: {**mapping_of(values.get(TAGS)), **tags}}
    return {name: value for name, value in given.items() if name in known}


def mapping_of(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, Mapping) else {}


def secret_values(
    folder: Folder, deployment: Deployment, values: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, object]]:
    """The values that may be shown, and those that are secrets."""
    hidden = {i.name for i in folder.user_inputs(deployment) if i.sensitive}
    shown = {name: value for name, value in values.items() if name not in hidden}
    return shown, {name: value for name, value in values.items() if name in hidden}


def _connection(values: Mapping[str, object]) -> dict[str, object]:
    """How we log in ourselves, where the inputs tell what they tell Ansible."""
    told = {key: values.get(name) for key, name in _LOGIN.items()}
    return {key: escape(value) for key, value in told.items() if value is not None}


_LOGIN = {
    "remote_user": "ansible_user",
    "remote_port": "ansible_port",
    "private_key": "ansible_ssh_private_key_file",
}


def _host(folder: Folder, parameters: Mapping[str, object]) -> dict[str, object]:
    return {"im_mad": "kvm", "vm_mad": "kvm", "provision": {"driver": folder.key, **parameters}}


def _network(folder: Folder, values: Mapping[str, object], entry: Mapping[str, object]) -> dict[str, object]:
    """Elastic networks take the public addresses, one range each."""
    network = _escaped(entry)
    if text_of(entry.get("vn_mad")).lower() != "elastic" or folder.ipam is None:
        return network
    wanted = values.get(PUBLIC_IPS, 0)
    leased = {"ipam_mad": folder.key, "size": wanted if isinstance(wanted, int) else 0}
    ranges = network.get("ar")
    return network | {"ar": [*(ranges if isinstance(ranges, list) else []), leased]}


def _escaped(entry: Mapping[str, object]) -> dict[str, object]:
    """What a driver wrote is a value: nothing of it is evaluated again."""
    return {key: escape(value) for key, value in entry.items()}
