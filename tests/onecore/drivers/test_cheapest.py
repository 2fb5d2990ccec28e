"""The machine that is taken where nobody says which."""

from collections.abc import Mapping, Sequence

import pytest

from onecore.drivers.cheapest import cheapest
from onecore.drivers.roles import spellings, unanswered

INPUTS = {
    "properties": {
        "region": {"role": "location"},
        "location": {"role": "location"},
        "plan": {"role": "plan"},
        "type": {"role": "plan"},
        "image": {"role": "image"},
        "label": {},
    }
}
OFFERED: Mapping[str, Sequence[Mapping[str, object]]] = {
    "locations": [
        {"id": "closed", "name": "Closed", "available": False},
        {"id": "north", "name": "North"},
        {"id": "south", "name": "South"},
    ],
    "plans": [
        {"id": "large", "name": "L", "price_per_hour": 0.1, "memory_mb": 8192, "locations": ["north"]},
        {"id": "small", "name": "S", "price_per_hour": 0.01, "memory_mb": 1024, "locations": ["south"]},
        {"id": "free", "name": "F", "price_per_hour": 0.0, "memory_mb": 1024, "locations": ["south"]},
        {"id": "tiny", "name": "T", "price_per_hour": 0.001, "memory_mb": 512, "locations": ["south"]},
        {"id": "sold", "name": "Z", "price_per_hour": 0.002, "memory_mb": 2048, "locations": []},
        {"id": "gone", "name": "G", "price_per_hour": 0.002, "memory_mb": 2048, "available": False},
    ],
    "images": [
        {"id": "1", "name": "Arch"},
        {"id": "2", "name": "Debian 9"},
        {"id": "3", "name": "Debian 12 x64 (bookworm)"},
        {"id": "4", "name": "Debian 13", "deprecated": True},
        {"id": "5", "name": "Debian 13 arm64", "arch": "arm64"},
        {"id": "6", "name": "Ubuntu 24.04"},
    ],
}


def chosen(
    given: Mapping[str, str], **instead: Sequence[Mapping[str, object]]
) -> tuple[dict[str, str], list[str]]:
    asked: list[str] = []

    def offers(action: str) -> Sequence[Mapping[str, object]]:
        asked.append(action)
        return {**OFFERED, **instead}[action]

    return cheapest(INPUTS, given, offers), asked


def test_it_is_the_cheapest_plan_that_is_for_sale_where_it_is_with_the_newest_debian():
    assert chosen({})[0] == {"region": "south", "plan": "small", "image": "3"}


@pytest.mark.parametrize("name", ["region", "location"])
def test_what_is_given_is_kept_under_whatever_name_and_the_rest_fits_it(name: str):
    assert chosen({name: "north"}) == ({"plan": "large", "image": "3"}, ["plans", "images"])


def test_nothing_is_asked_where_all_is_given():
    assert chosen({"location": "x", "type": "y", "image": "z"}) == ({}, [])


@pytest.mark.parametrize(
    ("images", "image"),
    [
        ([{"id": "a", "name": "Arch"}, {"id": "u", "name": "Ubuntu 22.04"}], "u"),
        ([{"id": "a", "name": "Arch"}, {"id": "b", "name": "BSD"}], "a"),
        ([{"id": "linode/debian11", "name": "-"}, {"id": "linode/debian9", "name": "-"}], "linode/debian11"),
    ],
)
def test_without_debian_it_is_ubuntu_and_else_the_first(images: list[dict[str, object]], image: str):
    assert chosen({}, images=images)[0]["image"] == image


def test_a_plan_whose_price_is_not_told_is_chosen_by_its_size():
    plans = [
        {"id": "b.large", "name": "-", "memory_mb": 4096, "cpu": 2, "architectures": ["x86_64"]},
        {"id": "b.small", "name": "-", "memory_mb": 2048, "cpu": 2, "architectures": ["x86_64"]},
        {"id": "arm.small", "name": "-", "memory_mb": 1024, "cpu": 2, "architectures": ["arm64"]},
    ]
    assert chosen({}, plans=plans)[0]["plan"] == "b.small"


def test_what_is_not_on_offer_stays_open():
    made, _ = chosen({}, locations=[], plans=[], images=[])
    assert made == {}
    assert unanswered(INPUTS, made) == ("location", "plan", "image")


def test_a_default_answers_and_so_does_every_spelling_of_a_role():
    assert unanswered({"properties": {"plan": {"role": "plan", "default": "s"}}}, {}) == ()
    assert unanswered(INPUTS, {"location": "north", "image": ""}) == ("plan", "image")
    assert spellings(INPUTS, "plan") == ("plan", "type")
    assert unanswered({}, {}) == ()
