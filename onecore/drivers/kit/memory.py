"""What a driver remembers of a machine between two calls, as a file under ONE_HOME that only we can read.

It is a help and never the truth: every action has to work without it, since a machine may have been made by
another installation, and what it says is checked with the provider.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")


class Memory:
    """The notes of one driver, by the names of its machines."""

    def __init__(self, one_home: Path, driver: str) -> None:
        self._folder = one_home / "drivers" / driver

    def remember(self, name: str, notes: Mapping[str, str]) -> None:
        """Replaces what was noted. A name that cannot be a file's is not remembered."""
        file = self._file(name)
        if file is None:
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            json.dump(dict(notes), stream)
        draft.replace(file)

    def recall(self, name: str) -> dict[str, str]:
        """What was noted, empty where nothing is known or readable."""
        file = self._file(name)
        try:
            found = json.loads(file.read_text("utf-8")) if file else {}
        except (OSError, ValueError):
            return {}
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}

    def forget(self, name: str) -> None:
        file = self._file(name)
        if file is not None:
            file.unlink(missing_ok=True)

    def _file(self, name: str) -> Path | None:
        return self._folder / f"{name}.json" if _NAME.fullmatch(name) else None
