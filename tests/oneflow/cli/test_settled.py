"""When a command is done waiting, and whether it failed."""

import pytest

from oneflow.cli.settled import failure, progress_of
from oneflow.model.states import RoleState, ServiceState


@pytest.mark.parametrize(
    ("service", "role", "leaves", "settled", "failed"),
    [
        (ServiceState.RUNNING, RoleState.RUNNING, False, True, False),
        (ServiceState.WARNING, RoleState.WARNING, False, True, False),
        (ServiceState.RUNNING, RoleState.RUNNING, True, False, False),
        (ServiceState.RUNNING, RoleState.UNDEPLOYING, True, False, False),
        (ServiceState.WARNING, RoleState.FAILED_UNDEPLOYING, True, True, True),
        (ServiceState.FAILED_SCALING, RoleState.FAILED_SCALING, False, True, True),
        (ServiceState.SCALING, RoleState.SCALING, False, False, False),
    ],
)
def test_a_command_waits_until_nothing_goes_on_and_tells_failures(service, role, leaves, settled, failed):
    roles = [{"name": "web", "state": str(role.value), "leaving": leaves}]
    progress = progress_of(0, {"state": service.value, "roles": roles}, False, [])
    assert (progress.settled, progress.failed) == (settled, failed)
    if failed:
        assert failure(progress).message == f"service 0 is {service.name}"
