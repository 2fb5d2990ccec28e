"""The layout of `oneflow show`, as OneFlow has it."""

from collections.abc import Sequence
from typing import Any

from onecore.cli.output import Table
from onecore.cli.ownership import permissions
from onecore.cli.tables import Align, Column
from oneflow.cli.listing import state_name
from oneflow.cli.view import Entry, body_of, moment
from oneflow.model.states import RoleState

Section = tuple[str, Any]


def service_sections(document: Entry, now: float) -> list[Section]:
    """`now`: VMs show how long they are there."""
    body = body_of(document)
    shown: list[Section] = [
        (f"SERVICE {document['ID']} INFORMATION", _information(document, body)),
        ("PERMISSIONS", permissions(document["PERMISSIONS"])),
    ]
    for role in body["roles"]:
        shown += _role(role, now)
    jobs = body.get("sched_actions", [])
    shown += [("SCHEDULED ACTIONS", Table(_JOBS, jobs))] if jobs else []
    return [*shown, ("LOG MESSAGES", "\n".join(_log_line(line) for line in body.get("log", [])))]


def _information(document: Entry, body: Entry) -> list[tuple[str, str]]:
    pairs = [
        ("ID", document["ID"]),
        ("NAME", document["NAME"]),
        ("USER", document["UNAME"]),
        ("GROUP", document["GNAME"]),
        ("STRATEGY", body.get("deployment", "none")),
        ("SERVICE STATE", state_name(document)),
        ("START TIME", moment(float(body.get("start_time", 0)), "%m/%d %H:%M:%S")),
    ]
    return [*pairs, *_given(body, ("SHUTDOWN", "shutdown_action", ""))]


def _role(role: Entry, now: float) -> list[Section]:
    template = role.get("vm_template", role.get("template_id"))
    pairs = [("ROLE STATE", _role_state(role))]
    if role.get("parents"):
        pairs.append(("PARENTS", ", ".join(role["parents"])))
    pairs += [("VM TEMPLATE", str(template)), ("CARDINALITY", str(role.get("cardinality", 1)))]
    pairs += _given(
        role,
        ("MIN VMS", "min_vms", ""),
        ("MAX VMS", "max_vms", ""),
        ("COOLDOWN", "cooldown", "s"),
        ("SHUTDOWN", "shutdown_action", ""),
    )
    nodes = [{**node, "now": now} for node in role["nodes"]]
    shown: list[Section] = [(f"ROLE {role['name']}", pairs), ("NODES INFORMATION", Table(_NODES, nodes))]
    if role.get("elasticity_policies"):
        shown.append(("ELASTICITY RULES", Table(_ELASTICITY, role["elasticity_policies"])))
    if role.get("scheduled_policies"):
        shown.append(("ELASTICITY SCHEDULES", Table(_SCHEDULES, role["scheduled_policies"])))
    return shown


def _given(entry: Entry, *fields: tuple[str, str, str]) -> list[tuple[str, str]]:
    """Those of the fields (title, key, unit) that the entry has."""
    return [(title, f"{entry[key]}{unit}") for title, key, unit in fields if entry.get(key) is not None]


def _role_state(role: Entry) -> str:
    return RoleState(int(role["state"])).name


def _log_line(line: Entry) -> str:
    reason = f": {line['reason']}" if line.get("reason") else ""
    at = moment(float(line["timestamp"]), "%m/%d/%y %H:%M")
    return f"{at} [{line['severity']}] {line['message']}{reason}"


# -- nodes ---------------------------------------------------------------------------------------------------


def _vm(node: Entry) -> Entry:
    found: Entry = node.get("vm_info", {}).get("VM", {})
    return found


def _vm_id(node: Entry) -> str:
    mark = "↓ " if node.get("disposed") == "1" else "↑ " if node.get("scale_up") == "1" else ""
    return f"{mark}{node['deploy_id']}"


def _host(node: Entry) -> str:
    """Where it runs: the host that is recorded; the addresses are in a column of their own."""
    history = _vm(node).get("HISTORY_RECORDS", {}).get("HISTORY", {})
    return str(history.get("HOSTNAME", "-"))


def _memory(node: Entry) -> str:
    kib = float(_vm(node).get("MEMORY", 0) or 0)
    for unit in "KMG":
        if kib < 1024 or unit == "G":
            return f"{kib:.0f}{unit}" if unit == "K" else f"{kib:.1f}{unit}"
        kib /= 1024
    return "-"


def _age(node: Entry) -> str:
    """`0d 00h01`"""
    since = int(_vm(node).get("STIME", 0) or 0)
    minutes = max(int(node["now"] - since), 0) // 60 if since else 0
    return f"{minutes // 1440}d {minutes // 60 % 24:02d}h{minutes % 60:02d}"


def _stat(node: Entry) -> str:
    from oneflow.model.vm import Sighting, short_state

    vm = _vm(node)
    return short_state(Sighting(int(vm["STATE"]), int(vm["LCM_STATE"]))) if vm else "-"


_NODES: Sequence[Column[Entry]] = [
    Column("VM_ID", 6, Align.RIGHT, _vm_id),
    Column("NAME", 23, Align.LEFT, lambda node: str(_vm(node).get("NAME", "-"))),
    Column("STAT", 4, Align.LEFT, _stat),
    Column("UCPU", 4, Align.RIGHT, lambda node: str(_vm(node).get("CPU", "0"))),
    Column("UMEM", 7, Align.RIGHT, _memory),
    Column("HOST", 20, Align.LEFT, _host),
    Column("TIME", 10, Align.RIGHT, _age),
]


# -- policies ------------------------------------------------------------------------------------------------


def _adjust(policy: Entry) -> str:
    """`+ 2`, `= 6`, `- 10 % (2)`"""
    number = int(policy["adjust"])
    if policy["type"] == "CARDINALITY":
        return f"= {number}"
    text = f"{'+' if number >= 0 else '-'} {abs(number)}"
    if policy["type"] == "PERCENTAGE_CHANGE":
        text += " %"
    return f"{text} ({policy['min_adjust_step']})" if policy.get("min_adjust_step") else text


def _evals(policy: Entry) -> str:
    if not policy.get("period_number"):
        return "-"
    return f"{policy.get('true_evals', 0)}/{policy['period_number']}"


def _seconds(policy: Entry, key: str) -> str:
    return f"{policy[key]}s" if policy.get(key) is not None else "-"


_ADJUST: Column[Entry] = Column("ADJUST", 12, Align.LEFT, _adjust)
_ELASTICITY: Sequence[Column[Entry]] = [
    _ADJUST,
    Column("EXPRESSION", 48, Align.LEFT, lambda p: str(p.get("expression_evaluated") or p["expression"])),
    Column("EVALS", 5, Align.RIGHT, _evals),
    Column("PERIOD", 6, Align.RIGHT, lambda policy: _seconds(policy, "period")),
    Column("COOL", 5, Align.RIGHT, lambda policy: _seconds(policy, "cooldown")),
]
_SCHEDULES: Sequence[Column[Entry]] = [
    _ADJUST,
    Column("TIME", 67, Align.LEFT, lambda p: str(p.get("recurrence") or p.get("start_time") or "-")),
]
_JOBS: Sequence[Column[Entry]] = [
    Column("ID", 4, Align.RIGHT, lambda job: str(job["id"])),
    Column("ROLE", 15, Align.LEFT, lambda job: job["role"]),
    Column("ACTION", 15, Align.LEFT, lambda job: job["action"]),
    Column("VMS", 20, Align.LEFT, lambda job: ",".join(map(str, job["vms"]))),
    Column("NEXT", 15, Align.LEFT, lambda job: moment(float(job["time"]))),
]
