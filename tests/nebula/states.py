"""The states of a VM and what leads from one to another, as oned's dispatch manager has it.

A VM is in (STATE, LCM_STATE); the second counts only in ACTIVE. What takes its time is a path of states.
"""

State = tuple[int, int]

PENDING, HOLD, ACTIVE, STOPPED, SUSPENDED, DONE, POWEROFF, UNDEPLOYED = 1, 2, 3, 4, 5, 6, 8, 9
PROLOG, BOOT, RUNNING, SAVE_STOP, SAVE_SUSPEND, PROLOG_RESUME, EPILOG_STOP = 1, 2, 3, 5, 6, 9, 10
EPILOG, SHUTDOWN, UNKNOWN, SHUTDOWN_POWEROFF, BOOT_POWEROFF, BOOT_SUSPENDED = 11, 12, 16, 18, 20, 21
CLEANUP_RESUBMIT, CLEANUP_DELETE, HOTPLUG_SNAPSHOT, SHUTDOWN_UNDEPLOY, EPILOG_UNDEPLOY = 15, 23, 24, 29, 30
BOOT_FAILURE, PROLOG_FAILURE, EPILOG_FAILURE = 36, 39, 40
DISK_SNAPSHOT_POWEROFF, DISK_SNAPSHOT_REVERT_POWEROFF, DISK_SNAPSHOT_DELETE_POWEROFF = 51, 52, 53
DISK_SNAPSHOT_SUSPENDED, DISK_SNAPSHOT_DELETE_SUSPENDED, DISK_SNAPSHOT, DISK_SNAPSHOT_DELETE = 54, 56, 57, 59

FAILURES = frozenset((36, 37, 38, 39, 40, 41, 42, 44, 46, 47, 48, 49, 50, 61))


# The states of a virtual network since 6.0.
NET_READY, LOCK_CREATE, LOCK_DELETE, NET_ERROR = 1, 2, 3, 5
NETWORKS = {NET_READY: "READY", LOCK_CREATE: "LOCK_CREATE", LOCK_DELETE: "LOCK_DELETE", NET_ERROR: "ERROR"}


def active(*lcm_states: int) -> tuple[State, ...]:
    return tuple((ACTIVE, lcm) for lcm in lcm_states)


STARTING = (*active(PROLOG, BOOT), (ACTIVE, RUNNING))
ENDED: State = (DONE, 0)

# What ends a VM: the state that it may be in, and the way from there.
_RUNS = active(RUNNING, UNKNOWN)
_IDLE = ((STOPPED, 0), (SUSPENDED, 0), (POWEROFF, 0), (UNDEPLOYED, 0))
_SHUT_DOWN = (*active(SHUTDOWN, EPILOG), ENDED)
TERMINATE: dict[State, tuple[State, ...]] = {
    **dict.fromkeys(_RUNS, _SHUT_DOWN),
    **dict.fromkeys(_IDLE, (*active(EPILOG), ENDED)),
    **dict.fromkeys(((PENDING, 0), (HOLD, 0)), (ENDED,)),
    **dict.fromkeys(active(*FAILURES), (*active(CLEANUP_DELETE), ENDED)),
    ENDED: (),
}

ACTIONS: dict[str, dict[State, tuple[State, ...]]] = {
    "terminate": TERMINATE,
    "terminate-hard": {**TERMINATE, (ACTIVE, SHUTDOWN): _SHUT_DOWN},
    "poweroff": dict.fromkeys(_RUNS, (*active(SHUTDOWN_POWEROFF), (POWEROFF, 0))),
    "poweroff-hard": dict.fromkeys(
        (*_RUNS, *active(SHUTDOWN_POWEROFF)), (*active(SHUTDOWN_POWEROFF), (POWEROFF, 0))
    ),
    "undeploy": dict.fromkeys(
        (*_RUNS, (POWEROFF, 0)), (*active(SHUTDOWN_UNDEPLOY, EPILOG_UNDEPLOY), (UNDEPLOYED, 0))
    ),
    "undeploy-hard": dict.fromkeys(
        (*_RUNS, (POWEROFF, 0), *active(SHUTDOWN_UNDEPLOY)),
        (*active(SHUTDOWN_UNDEPLOY, EPILOG_UNDEPLOY), (UNDEPLOYED, 0)),
    ),
    "hold": {(PENDING, 0): ((HOLD, 0),)},
    "release": {(HOLD, 0): ((PENDING, 0), *STARTING)},
    "stop": dict.fromkeys(
        (*active(RUNNING), (SUSPENDED, 0)), (*active(SAVE_STOP, EPILOG_STOP), (STOPPED, 0))
    ),
    "suspend": dict.fromkeys(active(RUNNING), (*active(SAVE_SUSPEND), (SUSPENDED, 0))),
    "resume": {
        (STOPPED, 0): ((PENDING, 0), *active(PROLOG_RESUME, BOOT_SUSPENDED, RUNNING)),
        (UNDEPLOYED, 0): ((PENDING, 0), *STARTING),
        (SUSPENDED, 0): active(BOOT_SUSPENDED, RUNNING),
        (POWEROFF, 0): active(BOOT_POWEROFF, RUNNING),
        (ACTIVE, UNKNOWN): active(BOOT_POWEROFF, RUNNING),
    },
    "reboot": dict.fromkeys(active(RUNNING), active(RUNNING)),
    "reboot-hard": dict.fromkeys(active(RUNNING), active(RUNNING)),
}

RECOVER_RETRY, RECOVER_DELETE, RECOVER_RECREATE = 2, 3, 4
RETRY = {
    (ACTIVE, BOOT_FAILURE): active(BOOT, RUNNING),
    (ACTIVE, PROLOG_FAILURE): active(PROLOG, BOOT, RUNNING),
    (ACTIVE, EPILOG_FAILURE): (*active(EPILOG), ENDED),
}
DELETE = (*active(CLEANUP_DELETE), ENDED)
RECREATE = (*active(CLEANUP_RESUBMIT), (PENDING, 0), *STARTING)
RECREATE_IDLE = dict.fromkeys(((STOPPED, 0), (UNDEPLOYED, 0), (HOLD, 0)), ((PENDING, 0), *STARTING))
NOT_RECREATED = {
    (POWEROFF, 0): "Cannot delete-recreate a powered off VM. Resume it first",
    (SUSPENDED, 0): "Cannot delete-recreate a suspended VM. Resume it first",
    ENDED: "Cannot delete-recreate a VM already in DONE state",
}

SNAPSHOT = active(HOTPLUG_SNAPSHOT, RUNNING)
_RUNNING: State = (ACTIVE, RUNNING)
DISK_SNAPSHOTS: dict[str, dict[State, tuple[State, ...]]] = {
    "create": {
        _RUNNING: active(DISK_SNAPSHOT, RUNNING),
        (POWEROFF, 0): (*active(DISK_SNAPSHOT_POWEROFF), (POWEROFF, 0)),
        (SUSPENDED, 0): (*active(DISK_SNAPSHOT_SUSPENDED), (SUSPENDED, 0)),
    },
    "revert": {(POWEROFF, 0): (*active(DISK_SNAPSHOT_REVERT_POWEROFF), (POWEROFF, 0))},
    "delete": {
        _RUNNING: active(DISK_SNAPSHOT_DELETE, RUNNING),
        (POWEROFF, 0): (*active(DISK_SNAPSHOT_DELETE_POWEROFF), (POWEROFF, 0)),
        (SUSPENDED, 0): (*active(DISK_SNAPSHOT_DELETE_SUSPENDED), (SUSPENDED, 0)),
    },
}
