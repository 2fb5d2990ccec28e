"""What a page points to exists, and every page can be reached from the index."""

from pathlib import Path

import pytest

from tests.docs.pages import ROOT, links, name, pages


@pytest.mark.parametrize("page", pages(), ids=name)
def test_relative_links_exist(page: Path) -> None:
    inside = [link for link in links(page) if "://" not in link and not link.startswith("#")]
    assert [link for link in inside if not (page.parent / link.partition("#")[0]).exists()] == []


def test_the_index_lists_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    assert [name(page) for page in pages() if page not in (index, *listed) and page.name != "README.md"] == []


def test_the_readme_leads_to_the_index() -> None:
    assert "docs/index.md" in set(links(ROOT / "README.md"))


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 150


def test_no_two_decisions_have_one_number() -> None:
    numbers = sorted(int(page.name[:4]) for page in (ROOT / "docs" / "decisions").glob("*.md"))
    assert numbers == sorted(set(numbers))
