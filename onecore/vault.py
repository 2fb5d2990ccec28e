"""Secrets at rest: sealed with the key of this installation."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from onecore.errors import StoreFailed


def secret_file(path: Path, content: bytes) -> bytes:
    """The content of a file that only we may read, made with `content` at first use.

    Two processes that make it at once end with one of the two contents, and both see that one.
    """
    with suppress(FileNotFoundError):
        return path.read_bytes()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    return path.read_bytes()


def installation_key(key_file: Path) -> bytes:
    """The key of this installation, made at first use. Raises StoreFailed."""
    from base64 import urlsafe_b64encode  # lazy: most commands touch no secret

    try:
        return secret_file(key_file, urlsafe_b64encode(os.urandom(32)))
    except OSError as exc:
        raise StoreFailed(f"cannot use {key_file}: {exc.strerror}; nothing was changed") from exc


def seal(key_file: Path, values: Mapping[str, str]) -> str:
    """The values as one encrypted text."""
    # lazy: cryptography is heavy, and most commands touch no secret
    from cryptography.fernet import Fernet

    return Fernet(installation_key(key_file)).encrypt(json.dumps(dict(values)).encode()).decode()


def unseal(key_file: Path, sealed: str) -> dict[str, str]:
    """What was sealed; raises StoreFailed when the key is not the one it was sealed with."""
    if not sealed:
        return {}
    from cryptography.fernet import Fernet, InvalidToken  # lazy: as above

    try:
        return dict(json.loads(Fernet(key_file.read_bytes()).decrypt(sealed.encode())))
    except (OSError, InvalidToken, ValueError) as exc:
        raise StoreFailed(
            f"the connection values cannot be decrypted with {key_file}",
            hint="restore the key file of this installation, or enter the values again with: provider update",
        ) from exc
