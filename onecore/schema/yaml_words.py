"""Says in plain words, and with a line, what the YAML parser found wrong."""

from yaml import MarkedYAMLError

from onecore.schema.problems import printable

_WORDS = (
    ("mapping values are not allowed", "a ':' is not allowed here; quote the text or check the indentation"),
    ("cannot start any token", "this character cannot start a value; quote the text, indent with spaces"),
    ("unexpected end of stream", "a quoted text is not closed"),
    ("could not find expected ':'", "a ':' is missing after the key"),
    ("did not find expected key", "a key was expected here; check the indentation"),
    ("'-' indicator", "a '-' was expected here; check the indentation"),
    ("expected <block end>", "this does not belong here; check the indentation"),
    ("expected node content", "a value is missing or a bracket is not closed"),
    ("expected ',' or ']'", "a ',' or ']' is missing"),
    ("expected ',' or '}'", "a ',' or '}' is missing"),
    ("unknown escape", "unknown escape in a double-quoted text; use single quotes"),
    ("undefined tag handle", "custom tags are not allowed"),
    ("maximum nesting depth", "lists and mappings are nested too deep"),
    ("found duplicate", "the same directive is given twice"),
)


def in_words(exc: MarkedYAMLError, last_line: int) -> tuple[str, int | None]:
    """The message and its line; what breaks off is found after the end, and told of the last line."""
    problem, context = exc.problem or "", exc.context or ""
    line = min(exc.problem_mark.line + 1, last_line) if exc.problem_mark else None
    began = min(exc.context_mark.line + 1, last_line) if exc.context_mark else line
    words = next((words for part, words in _WORDS if part in problem), None)
    if words is None:
        return printable(": ".join(part for part in (context, problem) if part) or "not YAML"), line
    return (words if began == line else f"{words} (this part begins in line {began})"), line
