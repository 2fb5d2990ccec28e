"""On which port a machine is logged in to."""

import pytest

from oneprovision.model.spec import Connection


@pytest.mark.parametrize(
    ("metrics", "port"),
    [({"SSH_PORT": "2222"}, 2222), ({}, 22), ({"SSH_PORT": "x"}, 22), ({"SSH_PORT": "70000"}, 22)],
)
def test_the_driver_knows_better_than_the_template(metrics: dict[str, str], port: int):
    assert Connection().through(metrics).remote_port == port
