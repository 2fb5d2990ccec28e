"""What the drivers of all three VPS providers do alike, as real processes against doubles of the APIs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from onecore.drivers.catalog import driver_at
from onecore.drivers.conformance import Report
from onecore.errors import DriverFailed
from tests.clouds import judge
from tests.clouds.calls import A_NAME, FAKES, AnyFake, Caller, caller
from tests.clouds.fake import KEY

OFFERS = ("locations", "plans", "images", "prices")


@pytest.fixture(scope="module", params=FAKES, ids=lambda fake: fake.driver)
def life(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[AnyFake, Report]]:
    """The whole life of a machine, by the conformance kit."""
    with caller(request.param(), tmp_path_factory.mktemp("home")) as made:
        yield made.fake, made.examined()


def test_the_driver_keeps_the_protocol(life: tuple[AnyFake, Report]):
    fake, report = life
    assert [f"{check.name}: {check.detail}" for check in report.checks if check.ok is False] == []
    assert len([check for check in report.checks if check.ok]) >= 15
    assert fake.existing == []


def test_every_request_and_every_answer_fits_the_official_description(life: tuple[AnyFake, Report]):
    fake, _ = life
    assert len(fake.exchanges) > 20
    assert judge.violations(fake.driver, fake.exchanges) == []


def test_a_name_that_exists_is_answered_and_not_made_again(vps: Caller):
    assert vps.deploy() == vps.deploy()
    assert vps.fake.made == [A_NAME]


def test_a_machine_whose_making_was_not_answered_is_found(vps: Caller):
    vps.fake.trouble.lose = 9
    deploy_id = vps.deploy()
    assert vps.fake.made == [A_NAME]
    assert [str(box) for box in vps.fake.boxes] == [deploy_id]


def test_a_request_that_the_provider_stumbled_over_is_not_repeated_blindly(vps: Caller):
    """Here the stumble came before anything was made: a look says so, and the failure is told."""
    vps.fake.trouble.page = 200
    vps.fake.stumbles_over_making = True
    with pytest.raises(DriverFailed, match="Service unavailable"):
        vps.deploy()
    assert vps.fake.made == []
    making = [
        r for r, _ in vps.fake.exchanges if r.method == "POST" and r.path.endswith(("droplets", "instances"))
    ]
    assert len(making) == 1


def test_a_quota_that_is_reached_is_told_in_the_providers_words(vps: Caller):
    vps.fake.trouble.quota = 0
    with pytest.raises(DriverFailed, match=r"limit reached|maximum number|exceed your droplet limit"):
        vps.deploy()
    assert vps.fake.made == []


def test_too_many_requests_are_slowed_down_and_carried_out(vps: Caller):
    vps.fake.trouble.slow_down = 4
    vps.fake.trouble.retry_after = "-1509450059"
    vps.deploy()
    assert vps.fake.made == [A_NAME]


def test_a_machine_that_is_busy_is_removed_once_it_is_not(vps: Caller):
    deploy_id = vps.deploy()
    vps.fake.trouble.busy = 2
    vps.act("cancel", deploy_id)
    assert vps.fake.existing == []


def test_a_new_machine_that_is_not_found_yet_is_neither_gone_nor_left_behind(vps: Caller):
    vps.fake.trouble.looks_until_found = 3
    deploy_id = vps.deploy()
    assert vps.poll(deploy_id) == "-"
    vps.act("cancel", deploy_id)
    assert vps.fake.existing == []


def test_what_is_gone_is_polled_as_gone_and_its_removal_is_a_success(vps: Caller):
    deploy_id = vps.deploy()
    vps.act("cancel", deploy_id)
    assert vps.poll(deploy_id) == "d"
    vps.act("cancel", deploy_id)


def test_a_new_machine_whose_removal_was_not_answered_is_known_to_be_gone_at_once(vps: Caller):
    deploy_id = vps.deploy()
    (note,) = (vps.home / "drivers" / vps.fake.driver).iterdir()
    known: list[str] = []
    vps.fake.on_effect = lambda: known.append(note.read_text())
    vps.act("cancel", deploy_id)
    note.write_text(known[0])  # as if the driver had been killed before it was answered
    before = len(vps.fake.exchanges)
    vps.act("cancel", deploy_id)
    assert [request.method for request, _ in vps.fake.exchanges[before:]] == ["DELETE"]


def test_an_id_of_another_provider_names_nothing_and_asks_for_nothing(vps: Caller):
    assert vps.poll("../../account") == "d"
    vps.act("cancel", "i-0123456789abcdef0")
    assert vps.fake.exchanges == []


def test_the_list_has_every_machine_of_ours_from_all_pages_and_nobody_elses(vps: Caller):
    vps.deploy()
    (box,) = vps.fake.boxes.values()
    names = ["provision-" + f"{number:048x}" for number in range(5)]
    for number, name in enumerate((*names, "web-server"), start=2):
        vps.fake.twin(box, number, name)
    listed = vps.calls.list()
    assert sorted(machine.name for machine in listed) == [*names, A_NAME]
    assert {len(machine.addresses) > 0 for machine in listed if machine.name != A_NAME} == {True}


@pytest.mark.parametrize("offer", OFFERS)
def test_offers_are_read_from_all_pages(vps: Caller, offer: str):
    shown = vps.calls.offers(offer)
    counts = {"locations": vps.fake.places, "images": vps.fake.systems}
    assert len(shown) == counts.get(offer, vps.fake.sizes)
    if offer in ("plans", "prices"):
        monthly = [each["price_per_month"] for each in shown]
        assert all(isinstance(price, float) and price > 0 for price in monthly)


def test_without_a_key_only_what_is_public_is_told(vps: Caller):
    vps.key = ""
    if vps.fake.public:
        assert len(vps.calls.offers("locations")) == vps.fake.places
    else:
        with pytest.raises(DriverFailed, match=f"is missing: set {vps.fake.variable}"):
            vps.calls.offers("locations")
    with pytest.raises(DriverFailed, match=f"is missing: set {vps.fake.variable}"):
        vps.calls.list()


def test_a_wrong_key_is_refused_and_not_shown(vps: Caller):
    vps.key = "wr0ng-key-0123456789"
    with pytest.raises(DriverFailed, match="Invalid API token") as caught:
        vps.deploy()
    assert vps.key not in caught.value.message


def test_the_key_goes_to_no_other_machine_in_the_clear(vps: Caller):
    vps.url = "http://192.0.2.1:80"
    with pytest.raises(DriverFailed, match="would carry the key in the clear"):
        vps.calls.list()


def test_two_machines_of_one_name_are_told_and_none_is_chosen(vps: Caller):
    vps.deploy()
    (box,) = vps.fake.boxes.values()
    vps.fake.twin(box, 2, A_NAME)
    with pytest.raises(DriverFailed, match="2 machines carry the name"):
        vps.deploy()


def test_what_is_missing_is_said_before_the_provider_is_asked_to_make_it(vps: Caller):
    for name in ("region", "plan", "image"):
        with pytest.raises(DriverFailed, match=name):
            vps.deploy(**{name: ""})
    assert vps.fake.made == []


def test_what_a_driver_remembers_is_for_us_alone_and_ends_with_the_machine(vps: Caller):
    deploy_id = vps.deploy()
    (note,) = (vps.home / "drivers" / vps.fake.driver).iterdir()
    assert note.stat().st_mode & 0o077 == 0
    assert KEY not in note.read_text()
    vps.act("cancel", deploy_id)
    assert not note.exists()


@pytest.mark.parametrize("fake", FAKES, ids=lambda fake: fake.driver)
def test_the_folder_holds_the_same_program_for_every_action(fake: type[AnyFake]):
    driver = driver_at(Path(judge.__file__).parents[2] / "drivers/remotes/pm" / fake.driver)
    assert driver.problems() == ()
    programs = {file.name: file.read_text() for file in driver.path.iterdir() if file.suffix == ""}
    serve = f'#!/usr/bin/env python3\nfrom onecore.drivers.kit import serve\n\nserve("{fake.driver}")\n'
    assert set(programs.values()) == {serve}
    assert set(programs) >= {"deploy", *driver.manifest.extensions}
