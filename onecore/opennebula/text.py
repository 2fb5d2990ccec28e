"""Templates of OpenNebula, as its calls take them: as XML, in which every text can be written. The other
form, `KEY="value"`, knows no way to write a backslash before a quote or at an end."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

from onecore.errors import InvalidInput

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML has no way to write either."""

_EMPTY: Final = "<![CDATA[]]>"
"""OpenNebula takes an element without anything in it for no attribute, one with this for an empty value."""


def rendered(attributes: Mapping[str, object]) -> str:
    """An element for each attribute; a mapping is a vector, and a list repeats its key. Raises InvalidInput
    for a name or a value that OpenNebula could not take."""
    return f"<TEMPLATE>{''.join(_all(attributes))}</TEMPLATE>"


def _all(attributes: Mapping[str, object]) -> Iterator[str]:
    for key, value in attributes.items():
        if not _NAME.fullmatch(str(key)):
            raise InvalidInput(f"{str(key)[:60]!r} is no name of an attribute of OpenNebula")
        yield from _elements(str(key), value)


def _elements(key: str, value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield f"<{key}>{''.join(_all(value))}</{key}>"
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            yield from _elements(key, each)
    else:
        yield f"<{key}>{_text(key, value)}</{key}>"


def _text(key: str, value: object) -> str:
    text = {True: "YES", False: "NO"}[value] if isinstance(value, bool) else str(value)
    if _UNWRITABLE.search(text):
        raise InvalidInput(f"the value of {key} has characters that OpenNebula cannot keep")
    return escape(text) or _EMPTY
