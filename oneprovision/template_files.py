"""Reads a provision template from its file and every file it extends."""

import stat
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from onecore.errors import InvalidInput
from oneprovision.model.template import prepare

if TYPE_CHECKING:
    from onecore.schema import Document

MAX_DEPTH = 16
MAX_FILES = 64


def read(path: Path, sets: Sequence[str] = ()) -> dict[str, object]:
    """The prepared template of the file."""
    return prepare(documents(path), sets)


def documents(path: Path) -> "tuple[Document, ...]":
    """The file and all it extends, parents first; a file that is reached twice is used once."""
    found: dict[Path, Document] = {}
    _collect(path, (), found)
    return tuple(found.values())


def follow(document: "Document", folder: Path) -> "tuple[Document, ...]":
    """The same for a template that is no file, such as one from a pipe; `extends` starts at the folder."""
    found: dict[Path, Document] = {}
    for parent in _extended(document):
        _collect(folder / parent, (document.name,), found)
    return (*found.values(), document)


def _collect(path: Path, chain: tuple[str, ...], found: "dict[Path, Document]") -> None:
    chain = (*chain, str(path))
    real = _identity(path)
    if real in found:
        return
    document = _loaded(path, chain)
    if len(chain) > MAX_DEPTH:
        raise _refused(f"templates extend each other more than {MAX_DEPTH} deep", chain)
    for parent in _extended(document):
        if _is_among(path.parent / parent, chain):
            raise _refused("templates extend each other in a circle", (*chain, str(path.parent / parent)))
        _collect(path.parent / parent, chain, found)
    if len(found) >= MAX_FILES:
        raise _refused(f"a template extends more than {MAX_FILES} files", chain)
    found[real] = document


def _loaded(path: Path, chain: tuple[str, ...]) -> "Document":
    from onecore.schema import load_file  # lazy: brings the YAML reader

    # Before it is opened: opening a pipe or a device may block for ever or have an effect.
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as exc:
        raise _refused(f"the template {path.name!r} does not exist", chain) from exc
    except (OSError, ValueError) as exc:  # ValueError: a name no file can have
        why = (getattr(exc, "strerror", None) or str(exc)).lower()
        raise _refused(f"the template {path.name!r} cannot be read: {why}", chain) from exc
    if not stat.S_ISREG(mode):
        raise _refused(f"the template {path.name!r} is not a file", chain)
    return _with_paths(load_file(path), path.absolute().parent)


def _with_paths(document: "Document", folder: Path) -> "Document":
    """Playbooks that are named by a path: seen from the file that names them."""
    if not isinstance(document.data, Mapping):
        return document
    named = {key: document.data[key] for key in ("playbook", "cleanup") if key in document.data}
    found = {
        key: [_playbook(each, folder) for each in written]
        if isinstance(written, list)
        else _playbook(written, folder)
        for key, written in named.items()
    }
    return replace(document, data={**document.data, **found})


def _playbook(written: object, folder: Path) -> object:
    is_path = isinstance(written, str) and ("/" in written or written.endswith((".yml", ".yaml")))
    return str(folder / Path(str(written)).expanduser()) if is_path else written


def _extended(document: "Document") -> tuple[str, ...]:
    written = document.data.get("extends") if isinstance(document.data, Mapping) else None
    # What cannot be the name of a file is refused, with its line, when the document is checked.
    files = written if isinstance(written, list) else [written]
    return tuple(str(file) for file in files if isinstance(file, str | int | float))


def _is_among(path: Path, chain: tuple[str, ...]) -> bool:
    return _identity(path) in {_identity(Path(each)) for each in chain}


def _identity(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        # A loop of links, or a name no file can have: reading it will say so.
        return path


def _refused(message: str, chain: tuple[str, ...]) -> InvalidInput:
    from onecore.schema.problems import printable  # lazy: only a mistake needs it

    way = printable(" -> ".join(chain))
    return InvalidInput(f"{message}: {way}", context={"chain": list(chain)})
