"""Secrets from files and standard input, so that none has to stand in a command line."""

import sys
from pathlib import Path


def secret_from(source: str) -> str:
    """The text of a file, or of standard input (`-`), without the line end that editors add."""
    from onecore.errors import InvalidInput

    try:
        text = sys.stdin.read() if source == "-" else Path(source).expanduser().read_text("utf-8")
    except OSError as exc:
        raise InvalidInput(f"cannot read '{source}': {(exc.strerror or str(exc)).lower()}") from exc
    except UnicodeDecodeError as exc:
        raise InvalidInput(f"'{source}' is not UTF-8 text") from exc
    return text.removesuffix("\n").removesuffix("\r")
