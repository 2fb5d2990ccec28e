"""The generated pages say what the program says."""

import importlib.util
from types import ModuleType

import pytest

from tests.docs.pages import ROOT


def make_docs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "scripts" / "make_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE_DOCS = make_docs()


@pytest.mark.parametrize("path", MAKE_DOCS.PAGES)
def test_page_is_current(path: str) -> None:
    written = (ROOT / path).read_text("utf-8")
    assert written == MAKE_DOCS.PAGES[path](), f"{path} is out of date: make docs"


@pytest.mark.parametrize("page", ["commands.md", "commands-oneflow.md"])
def test_every_command_is_documented_with_examples(page: str) -> None:
    sections = (ROOT / "docs/reference" / page).read_text("utf-8").split("\n## ")[3:]
    assert [s.splitlines()[0] for s in sections if "Examples:" not in s] == []
