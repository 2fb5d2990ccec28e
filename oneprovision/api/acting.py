"""What provisions can be asked to do: spec/000, and the newer spellings of reference 8.

Each is answered once it is recorded; whoever drives carries it out.
"""

from collections.abc import Mapping
from typing import Any, Final

from onecore.deps import Deps
from onecore.errors import InvalidInput
from onecore.http.operation import Call, Operation, Work
from oneprovision.api import schemas
from oneprovision.api.reading import body_of, effort_of, flag, present
from oneprovision.model.provision import UNCHANGED
from oneprovision.usecases import removal, repair, scaling
from oneprovision.usecases.scaling import RemoveHosts


def scale(call: Call[Deps]) -> None:
    """Up: a number, or on premises addresses. Down: a number, or hosts by id, name or address."""
    body = body_of(call, schemas.SCALE)
    nodes = _amount_or_list(body["nodes"])
    if body["direction"] == "up":
        _add(call, nodes, effort_of(body))
    else:
        force = body.get("force", False) or body.get("opts", {}).get("force", False)
        _remove(call, nodes, force, effort_of(body))


def add_hosts(call: Call[Deps]) -> None:
    body = body_of(call, schemas.ADD_HOSTS)
    if "amount" in body and "hosts" in body:
        raise InvalidInput("both 'amount' and 'hosts' are given: choose one")
    _add(call, [str(each) for each in body["hosts"]] if "hosts" in body else body.get("amount", 1))


def remove_hosts(call: Call[Deps]) -> None:
    ids = [part.strip() for part in call.query.get("ids", "").split(",") if part.strip()]
    amount = call.whole("amount")
    if ids and amount is not None:
        raise InvalidInput("both 'ids' and 'amount' are given: choose one")
    _remove(call, ids if amount is None else amount, flag(call, "force"))


def add_ip(call: Call[Deps]) -> None:
    body = body_of(call, schemas.ADD_IP)
    amount = body.get("amount", 1)
    scaling.add_ip(call.context, call.number(), amount, effort_of(body), body.get("network"))


def remove_ip(call: Call[Deps]) -> None:
    body = body_of(call, schemas.REMOVE_IP)
    scaling.remove_ip(call.context, call.number(), body["ar_id"], body.get("network"), effort_of(body))


def release_ip(call: Call[Deps]) -> None:
    scaling.remove_ip(call.context, call.number(), call.number("ar_id"))


def retry(call: Call[Deps]) -> None:
    body = body_of(call, schemas.RETRY)
    repair.retry(call.context, call.number(), body.get("force", False), effort_of(body))


def recover(call: Call[Deps]) -> None:
    """`recover_state` is not needed: where a provision failed is known."""
    said: dict[str, Any] = body_of(call, schemas.RECOVER) if call.data is not None else {}
    repair.retry(call.context, call.number(), said.get("force", False) or flag(call, "force"))


def configure(call: Call[Deps]) -> None:
    """Ours: run the playbooks again."""
    repair.configure(call.context, call.number(), body_of(call, schemas.CONFIGURE).get("force", False))


def cancel(call: Call[Deps]) -> None:
    removal.cancel(call.context, call.number())


def undeploy(call: Call[Deps]) -> None:
    body = body_of(call, schemas.UNDEPLOY)
    resources = {kind: chosen for kind, chosen in body.get("resources", {}).items() if chosen}
    force = body.get("force", False)
    if not resources:
        removal.deprovision(call.context, call.number(), force, effort_of(body))
    elif list(resources) == ["hosts"]:
        _remove(call, [str(each) for each in resources["hosts"]], force)
    else:
        raise InvalidInput(
            "only hosts can be removed by themselves; networks and datastores go with the rest"
        )


def _add(call: Call[Deps], nodes: int | list[str], effort: Mapping[str, object] = UNCHANGED) -> None:
    if isinstance(nodes, int):
        scaling.add_host(call.context, call.number(), nodes, effort)
    elif nodes:
        scaling.add_host(call.context, call.number(), len(nodes), effort, tuple(nodes))
    else:
        raise InvalidInput("no node is named", context={"nodes": ["is missing"]})


def _remove(
    call: Call[Deps], nodes: int | list[str], force: bool, effort: Mapping[str, object] = UNCHANGED
) -> None:
    if isinstance(nodes, int):
        request = RemoveHosts(amount=nodes, force=force)
    elif nodes:
        request = RemoveHosts(scaling.hosts_named(call.context, call.number(), nodes), force=force)
    else:
        raise InvalidInput("no host is named", context={"nodes": ["is missing"]})
    scaling.remove_hosts(call.context, call.number(), request, effort)


def _amount_or_list(nodes: object) -> int | list[str]:
    if isinstance(nodes, list):
        wrong = [each for each in nodes if isinstance(each, bool) or not isinstance(each, str | int)]
        if wrong:
            raise InvalidInput(
                "'nodes' has to be a number, or a list of names", context={"nodes": ["invalid"]}
            )
        return [str(each) for each in nodes]
    text = str(nodes)
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise InvalidInput(f"'nodes' must be a number or a list, not {text[:40]!r}")
    return int(text)


_ONE, _SLOW = "/provisions/{id}", Work.SLOW


def _posted(name: str, perform: Any, summary: str, status: int, body: schemas.Schema) -> Operation[Deps]:
    return Operation("POST", f"{_ONE}/{name}", perform, summary, _SLOW, status, body, read=present)


OPERATIONS: Final[tuple[Operation[Deps], ...]] = (
    _posted("scale", scale, "Have more or fewer hosts", 204, schemas.SCALE),
    _posted("add-ip", add_ip, "Lease public addresses", 204, schemas.ADD_IP),
    _posted("remove-ip", remove_ip, "Give a public address back", 204, schemas.REMOVE_IP),
    _posted("retry", retry, "Carry on with what failed", 204, schemas.RETRY),
    Operation("POST", f"{_ONE}/recover", recover, "The same as retry", _SLOW, 204, query=("force",)),
    _posted("undeploy", undeploy, "Remove everything, or some of the hosts", 204, schemas.UNDEPLOY),
    _posted("configure", configure, "Run the playbooks on hosts, again if forced", 204, schemas.CONFIGURE),
    Operation("POST", f"{_ONE}/cancel", cancel, "Stop what is being done", _SLOW, 202),
    _posted("hosts", add_hosts, "Add hosts", 202, schemas.ADD_HOSTS),
    Operation(
        "DELETE",
        f"{_ONE}/hosts",
        remove_hosts,
        "Remove hosts: ids (or names, addresses), or how many",
        _SLOW,
        202,
        query=("ids", "amount", "force"),
    ),
    _posted("public-network/ips", add_ip, "Lease public addresses", 202, schemas.ADD_IP),
    Operation(
        "DELETE", f"{_ONE}/public-network/ips/{{ar_id}}", release_ip, "Give a public address back", _SLOW, 202
    ),
)
