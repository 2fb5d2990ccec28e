"""Which engine drives the machines of a provision."""

from typing import TYPE_CHECKING

from onecore.deps import Deps
from onecore.machines.tools import Tools
from onecore.machines.worker import Worker
from onecore.store.lease import Lease
from oneprovision.model.order import Order
from oneprovision.model.provision import Provision

if TYPE_CHECKING:
    from oneprovision.engines.folder_worker import FolderWorker


def worker_of(deps: Deps, tools: Tools, held: Lease, provision: Provision) -> "Worker | FolderWorker":
    """One that calls pm drivers, or one that runs OpenTofu; the controller asks the same of both."""
    options = provision.options
    policy = options.policy()
    if Order.of(provision.template) is None:
        return Worker(tools, held, provision.key, policy, options.threads)
    from oneprovision.engines.folder_worker import FolderWorker  # lazy: pm provisions need nothing of it
    from oneprovision.engines.order import ordered

    return FolderWorker(deps, tools, held, ordered(deps, provision), policy)
