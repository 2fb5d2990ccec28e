"""Files of settings as OpenNebula's servers have them: YAML, whose keys may begin with a colon."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from onecore.errors import InvalidInput


@dataclass(frozen=True)
class ServerConf:
    """What a file says, by name without the colon. `name` is that of the file, for messages."""

    name: str
    said: Mapping[str, object]

    def fields(self, whole: Sequence[str], text: Sequence[str]) -> dict[str, object]:
        """Those of the wanted keys that are said, as numbers and as texts; other keys are those of parts that
        we do not have. Raises InvalidInput."""
        numbers = {key: self._whole(key) for key in whole if key in self.said}
        texts = {key: str(self.said[key]) for key in text if key in self.said}
        return {**numbers, **texts}

    def _whole(self, key: str) -> int:
        value = self.said[key]
        said = str(value)
        if isinstance(value, bool) or not (said.isascii() and said.isdecimal() and len(said) < 10):
            raise InvalidInput(f"{self.name}: '{key}' has to be a number, not {said[:40]!r}")
        return int(said)


def read(path: Path) -> ServerConf:
    """The file's settings; none where there is no file. Raises InvalidInput."""
    if not path.exists():
        return ServerConf(path.name, {})
    from onecore.schema import load_file  # lazy: brings yaml

    data = load_file(path).data
    if not isinstance(data, Mapping):
        raise InvalidInput(f"{path.name} has to be a mapping of names to values")
    return ServerConf(path.name, {str(key).removeprefix(":"): value for key, value in data.items()})
