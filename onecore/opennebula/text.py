"""Template text of OpenNebula, as its calls take it."""

from collections.abc import Iterator, Mapping, Sequence


def rendered(attributes: Mapping[str, object]) -> str:
    """`KEY="value"` or `KEY=[A="b",C="d"]`, a line each; a list repeats its key."""
    return "\n".join(line for key, value in attributes.items() for line in _lines(key, value))


def _lines(key: str, value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        inner = ",".join(f"{name}={_quoted(text)}" for name, text in value.items())
        yield f"{key}=[{inner}]"
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            yield from _lines(key, each)
    else:
        yield f"{key}={_quoted(value)}"


def _quoted(value: object) -> str:
    """Quotes are escaped, and a backslash before one, or at the end, would escape it."""
    text = {True: "YES", False: "NO"}[value] if isinstance(value, bool) else str(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
