"""What providers offer: every page of it, sorted, filtered, and kept for a day."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clouds.calls import FAKES, AnyFake
from tests.clouds.fake import KEY
from tests.clouds.linode import LinodeFake
from tests.clouds.vultr import VultrFake
from tests.scenario.installation import Installation, written


@pytest.fixture
def vultr(tmp_path: Path) -> Iterator[tuple[VultrFake, Installation]]:
    """Vultr without a key, which its offers do not need."""
    fake = VultrFake()
    with fake.running() as url:
        yield fake, Installation(tmp_path / "home", {"VULTR_API_URL": url})


def ids(here: Installation, *argv: str) -> list[str]:
    return [str(each["id"]) for each in json.loads(here.ok("provider", *argv, "-j"))]


@pytest.mark.parametrize("fake_type", FAKES, ids=lambda fake: fake.driver)
def test_a_driver_with_its_key_in_the_environment_is_asked(fake_type: type[AnyFake], tmp_path: Path):
    fake = fake_type()
    with fake.running() as url:
        here = Installation(tmp_path / "home", {fake.url_variable: url, fake.variable: KEY})
        assert len(ids(here, "images", fake.driver)) == fake.systems


def test_the_key_may_have_the_name_that_other_tools_give_it(tmp_path: Path):
    fake = LinodeFake()
    with fake.running() as url:
        here = Installation(tmp_path / "home", {"LINODE_API_URL": url, "PROD_LINODE_API_KEY": KEY})
        ids(here, "locations", "linode")
    assert {r.headers.get("authorization") for r, _ in fake.exchanges} == {f"Bearer {KEY}"}


def test_a_provider_is_asked_with_its_own_key_and_address(tmp_path: Path):
    fake = LinodeFake()
    with fake.running() as url:
        here = Installation(tmp_path / "home")
        text = f"name: us\ndriver: linode\nconnection: {{token: {KEY}, url: '{url}'}}\n"
        here.ok("provider", "create", written(tmp_path / "us.yaml", text))
        assert len(ids(here, "plans", "us")) == len(ids(here, "plans", "0")) == fake.sizes
    assert {r.headers.get("authorization") for r, _ in fake.exchanges} == {f"Bearer {KEY}"}


@pytest.mark.parametrize(
    ("spelling", "action"),
    [("regions", "locations"), ("types", "plans"), ("sizes", "plans"), ("oss", "images")],
)
def test_other_spellings_are_taken(vultr: tuple[VultrFake, Installation], spelling: str, action: str):
    _, here = vultr
    assert ids(here, spelling, "vultr") == ids(here, action, "vultr")


def test_an_answer_is_kept_until_it_is_to_be_refreshed(vultr: tuple[VultrFake, Installation]):
    fake, here = vultr
    first = ids(here, "plans", "vultr")
    asked = len(fake.exchanges)
    assert ids(here, "plans", "vultr") == first
    assert len(fake.exchanges) == asked
    ids(here, "plans", "vultr", "--refresh")
    assert len(fake.exchanges) == 2 * asked


def test_another_key_is_told_its_own(vultr: tuple[VultrFake, Installation]):
    fake, here = vultr
    ids(here, "plans", "vultr")
    asked = len(fake.exchanges)
    ids(Installation(here.home, {**here.environ, "VULTR_API_KEY": KEY}), "plans", "vultr")
    assert len(fake.exchanges) == 2 * asked


@pytest.mark.parametrize("text", ["", "{", "[]", '{"asked_at": "x", "offers": []}'])
def test_a_damaged_note_is_asked_anew(vultr: tuple[VultrFake, Installation], text: str):
    fake, here = vultr
    ids(here, "locations", "vultr")
    (note,) = (here.home / "cache" / "offers").iterdir()
    note.write_text(text)
    assert len(ids(here, "locations", "vultr")) == fake.places


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (("--sort", "price_per_month"), ["vc2-1c-1gb", "vhf-1c-1gb", "vc2-2c-4gb"]),
        (("--sort", "-PRICE_PER_MONTH"), ["vc2-2c-4gb", "vhf-1c-1gb", "vc2-1c-1gb"]),
        (("-f", "MEMORY_MB>=2048"), ["vc2-2c-4gb"]),
        (("-f", "price_per_month<=5.5"), ["vc2-1c-1gb"]),
        (("-f", "CLASS=vhf"), ["vhf-1c-1gb"]),
        (("-f", "ID>=2"), []),
    ],
)
def test_plans_are_sorted_and_filtered(
    vultr: tuple[VultrFake, Installation], options: tuple[str, ...], shown: list[str]
):
    assert ids(vultr[1], "plans", "vultr", *options) == shown


def test_a_table_shows_prices_and_leaves_out_what_only_repeats(vultr: tuple[VultrFake, Installation]):
    header, first, *_ = vultr[1].ok("provider", "plans", "vultr").splitlines()
    assert header.split()[:4] == ["ID", "CPU", "MEMORY_MB", "DISK_GB"]
    assert first.split()[0] == "vc2-1c-1gb"
    assert "PRICE_PER_MONTH" in header
    assert "LOCATIONS" not in header
    assert (
        vultr[1].ok("provider", "plans", "vultr", "-l", "LOCATIONS", "--no-header").splitlines()[0]
        == "ams,ewr"
    )


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("plans", "nowhere"), 3, "there is no provider and no driver 'nowhere'"),
        (("plans", "packet"), 2, "driver 'packet' tells no plans"),
        (("plans", "vultr", "--sort", "beauty"), 2, "there is no column 'beauty'"),
        (("plans", "../vultr"), 3, "there is no provider and no driver '../vultr'"),
        (("images", "digitalocean"), 1, "set DIGITAL_OCEAN_API_TOKEN"),
    ],
)
def test_what_cannot_be_told_is_said(
    vultr: tuple[VultrFake, Installation], argv: tuple[str, ...], code: int, words: str
):
    answer = vultr[1].run("provider", *argv)
    assert (answer.code, answer.is_clear) == (code, True)
    assert words in answer.err
