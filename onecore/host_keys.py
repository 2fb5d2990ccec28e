"""SSH host keys as text, as in known_hosts: the type and the base64 of a key."""

import base64
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path


def fingerprint(key: str) -> str:
    """As ssh prints it: SHA256:…; nothing of nothing."""
    if not key:
        return ""
    digest = hashlib.sha256(base64.b64decode(key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def name_of(address: str, port: int) -> str:
    """What known_hosts calls it."""
    return address if port == 22 else f"[{address}]:{port}"


def recorded_in(file: Path, address: str, port: int) -> str:
    """The key that the file has for this place; empty when there is none."""
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ""
    found = [line.partition(" ")[2] for line in lines if line.partition(" ")[0] == name_of(address, port)]
    return found[0] if found else ""


def write(file: Path, keys: Iterable[tuple[str, int, str]]) -> None:
    """Make the file anew from (address, port, key), whole or not at all, unless it says so already."""
    text = "".join(f"{name_of(address, port)} {key}\n" for address, port, key in keys)
    if file.exists() and file.read_text("utf-8", "replace") == text:
        return
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as opened:
        opened.write(text)
    draft.replace(file)
