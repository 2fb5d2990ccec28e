"""Answers that stay true until anything is committed to the state."""

from collections.abc import Hashable

MOST_BYTES = 32 * 1024 * 1024


class Remembered:
    """All is forgotten as soon as the state has another version: nothing is answered that is no longer so.

    `version` is asked before the answer is made, so one that is newer than it is at worst made again.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._answers: dict[Hashable, bytes] = {}
        self._bytes = 0
        self._version = -1

    def get(self, version: int, key: Hashable) -> bytes | None:
        """`version` as it is now."""
        if version != self._version:
            self._version = version
            self._forget()
        return self._answers.get(key)

    def put(self, version: int, key: Hashable, body: bytes) -> None:
        """Kept unless the state has moved on while the answer was made."""
        if version != self._version or len(body) > self._most_bytes:
            return
        if self._bytes + len(body) > self._most_bytes:
            self._forget()
        self._answers[key] = body
        self._bytes += len(body)

    def _forget(self) -> None:
        self._answers.clear()
        self._bytes = 0
