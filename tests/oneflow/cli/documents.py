"""A service document in the middle of its life, as `GET /service/5` answers it."""

from typing import Any

Entry = dict[str, Any]

NOW = 1_794_000_000  # 2026-11-06 21:20:00 UTC


def a_vm(number: int, name: str, state: str = "3", lcm: str = "3", **fields: str) -> Entry:
    return {
        "VM": {
            "ID": str(number),
            "NAME": name,
            "UNAME": "alice",
            "GNAME": "users",
            "STATE": state,
            "LCM_STATE": lcm,
            "STIME": str(NOW - 26 * 3600 - 120),
            "CPU": "67",
            "MEMORY": "123187",
            "HISTORY_RECORDS": {"HISTORY": {"HOSTNAME": "dummy"}},
            "MONITORING": {"GUEST_IP_ADDRESSES": f"192.0.2.{number}"},
            **fields,
        }
    }


def a_service() -> Entry:
    frontend = {
        "name": "frontend",
        "state": "2",
        "cardinality": 2,
        "vm_template": 0,
        "min_vms": 1,
        "max_vms": 4,
        "cooldown": 30,
        "shutdown_action": "shutdown",
        "nodes": [
            {
                "deploy_id": 11,
                "running": True,
                "disposed": "1",
                "vm_info": a_vm(11, "frontend_0_(service_5)"),
            },
            {"deploy_id": 12, "running": False, "scale_up": "1"},
        ],
        "elasticity_policies": [
            {
                "type": "PERCENTAGE_CHANGE",
                "adjust": -20,
                "min_adjust_step": 1,
                "expression": "CUSTOM_ATT>40",
                "expression_evaluated": "CUSTOM_ATT[50.0] > 40",
                "period": 3,
                "period_number": 30,
                "true_evals": 2,
                "cooldown": 30,
            },
            {"type": "CARDINALITY", "adjust": 6, "expression": "ATT=3"},
        ],
        "scheduled_policies": [{"type": "CHANGE", "adjust": 4, "recurrence": "0 2 1-10 * *"}],
    }
    worker = {
        "name": "worker",
        "state": 0,
        "template_id": 7,
        "parents": ["frontend", "nfs"],
        "nodes": [],
    }
    log = [
        {"timestamp": NOW - 60, "severity": "I", "message": "New state: RUNNING"},
        {"timestamp": NOW, "severity": "E", "message": "VM 12 failed", "reason": "out of stock"},
    ]
    body = {
        "name": "web-application",
        "deployment": "straight",
        "state": 2,
        "start_time": NOW - 3600,
        "shutdown_action": "shutdown",
        "roles": [frontend, worker],
        "log": log,
    }
    return {
        "ID": "5",
        "NAME": "web-application",
        "UNAME": "alice",
        "GNAME": "users",
        "TYPE": "100",
        "PERMISSIONS": {"OWNER_U": "1", "OWNER_M": "1", "OWNER_A": "0", **_NOBODY},
        "TEMPLATE": {"BODY": body},
    }


_NOBODY = {f"{share}_{bit}": "0" for share in ("GROUP", "OTHER") for bit in "UMA"}
