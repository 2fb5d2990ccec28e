"""Reads the pages of the documentation: their fenced blocks, their sessions and their links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ANYTHING = "…"

_FENCE = re.compile(r"^```(?P<word>[\w-]*)(?P<rest>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'title="([^"]+)"')
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_EXIT = re.compile(r"# exit (\d+)")


@dataclass(frozen=True)
class Block:
    """A fenced block: the word behind its fence, the file it is to be written to, its text and its line."""

    word: str
    title: str
    body: str
    line: int


@dataclass(frozen=True)
class Command:
    """One command of a session, what it prints (both streams), and its exit code."""

    text: str
    expected: tuple[str, ...]
    exit_code: int
    line: int


def pages() -> list[Path]:
    """Every page, the README first."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for found in _FENCE.finditer(text):
        title = _TITLE.search(found["rest"])
        line = text.count("\n", 0, found.start()) + 2
        yield Block(found["word"], title[1] if title else "", found["body"], line)


def commands(block: Block) -> Iterator[Command]:
    """A line that begins with `$ ` is a command, lines that begin with `> ` go on with it; what follows is
    what it prints, and `# exit 5` what it ends with."""
    text, begun = "", 0
    expected: list[str] = []
    for at, line in enumerate(block.body.splitlines()):
        if line.startswith("$ "):
            if text:
                yield Command(text, tuple(expected), 0, begun)
            text, expected, begun = line[2:], [], block.line + at
        elif line.startswith("> ") and not expected:
            text += "\n" + line[2:]
        elif found := _EXIT.fullmatch(line):
            yield Command(text, tuple(expected), int(found[1]), begun)
            text = ""
        else:
            expected.append(line)
    if text:
        yield Command(text, tuple(expected), 0, begun)


def pattern(expected: tuple[str, ...]) -> re.Pattern[str]:
    """`…` stands for any text inside a line, and alone on a line for any number of lines."""
    parts = []
    for line in expected:
        if line == ANYTHING:
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append(r"[^\n]*?".join(map(re.escape, line.split(ANYTHING))) + r"\n")
    return re.compile("".join(parts))


def links(page: Path) -> Iterator[str]:
    """The targets of its links, but for those in blocks."""
    yield from _LINK.findall(_FENCE.sub("", page.read_text("utf-8")))
