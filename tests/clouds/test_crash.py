"""The crash law at each provider, in its short form; `python -m tests.clouds.crash` is the long one."""

from pathlib import Path

import pytest

from tests.clouds.calls import FAKES, AnyFake
from tests.clouds.crash import CREATE, DEPROVISION, Kill, crash, site
from tests.clouds.digitalocean import DigitalOceanFake
from tests.clouds.linode import LinodeFake
from tests.clouds.vultr import VultrFake

KILLS = [
    pytest.param(LinodeFake, Kill(CREATE, 1, effect=True, power=True), id="made and not answered, all die"),
    pytest.param(VultrFake, Kill(CREATE, 2, effect=True, power=False), id="made, and the drivers go on"),
    pytest.param(DigitalOceanFake, Kill(DEPROVISION, 1, effect=True, power=True), id="removed, all die"),
]


@pytest.mark.scenario
@pytest.mark.parametrize(("fake", "kill"), KILLS)
def test_a_crash_leaks_nothing_and_doubles_nothing(fake: type[AnyFake], kill: Kill, tmp_path: Path):
    assert crash(fake, kill, tmp_path) == []


@pytest.mark.scenario
def test_the_judge_sees_a_machine_that_nobody_recorded_and_one_that_vanished(tmp_path: Path):
    with site(FAKES[0], tmp_path) as place:
        place.run(CREATE)
        assert place.violations(2) == []
        box = next(iter(place.fake.boxes.values()))
        place.fake.twin(box, 77, "provision-" + "7" * 48)
        assert len(place.violations(2)) == 2
        place.fake.boxes = {box.id: box}
        assert len(place.violations(2)) == 2
