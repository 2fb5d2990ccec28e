"""The crash law at each provider, in its short form; `python -m tests.clouds.crash` is the long one."""

from pathlib import Path

import pytest

from tests.clouds.crash import CREATE, Crash, Kill, crash, site
from tests.clouds.linode import LinodeFake
from tests.clouds.witnesses import PROVIDERS, double
from tests.scenario import killing
from tests.scenario.killing import Mode
from tests.scenario.scenarios import DEPROVISION

pytestmark = pytest.mark.scenario

KILLS = [
    ("linode", Kill(CREATE, 1, Mode.POWER, effect=True)),
    ("vultr", Kill(CREATE, 2, Mode.PROCESS, effect=True)),
    ("digitalocean", Kill(DEPROVISION, 1, Mode.POWER, effect=True)),
    ("ec2", Kill(CREATE, 2, Mode.POWER, effect=True)),
    ("ssh", Kill(CREATE, 8, Mode.LATE)),
    ("qemu", Kill(CREATE, 10, Mode.POWER)),
]


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    killing.warm()


@pytest.mark.parametrize(("driver", "kill"), KILLS, ids=[f"{driver}, {kill}" for driver, kill in KILLS])
def test_a_crash_leaks_nothing_and_doubles_nothing(driver: str, kill: Kill, tmp_path: Path):
    assert crash(PROVIDERS[driver], kill, tmp_path) == Crash(killed=True, violations=())


def test_the_judge_sees_a_machine_that_nobody_recorded_and_one_that_vanished(tmp_path: Path):
    fake = LinodeFake()
    with site(lambda folder: double(lambda: fake, folder), tmp_path) as place:
        assert place.run(CREATE).exit_code == 0, place.said()
        assert place.violations(2) == []
        box = next(iter(fake.boxes.values()))
        fake.twin(box, 77, "provision-" + "7" * 48)
        assert len(place.violations(2)) == 2
        fake.boxes = {box.id: box}
        assert len(place.violations(2)) == 2
