"""Structured logs that keep no secret: JSON lines in private files, rotated by size."""

import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache, lru_cache
from io import FileIO
from pathlib import Path
from threading import Lock

MASK = "*****"
SHORTEST_SECRET = 4  # shorter ones would mask half of every text
LONGEST_LINE = 64 * 1024
LARGEST_FILE = 10 * 1024 * 1024
KEPT_FILES = 3
_LONG_ENOUGH = 16  # what a line of a secret must have to be one on its own

_TELLING = r"(?:pass(?:word|wd|phrase)|secret|token|credential|(?:api|access|private|secret|auth)[-_]?key)"
_NAME_TAIL = r"[\w-]{0,40}"
# Every repetition is bounded or consumes what it saw, so that hostile text costs no quadratic time.
_PATTERNS = (
    (r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)", MASK),
    (
        r"(authorization[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?:(?:basic|bearer|token)\s{1,4})?)[^\s\"',]+",
        rf"\1{MASK}",
    ),
    (r"\b((?:basic|bearer)\s{1,4})[A-Za-z0-9+/=._~-]{16,}", rf"\1{MASK}"),
    (r"(://[^\s/:@]{0,64}:)[^\s/@]{1,256}(?=@)", rf"\1{MASK}"),
    (
        rf"([\"'][\w-]{{0,40}}?{_TELLING}{_NAME_TAIL}[\"']\s{{0,4}}:\s{{0,4}})(\"(?:\\.|[^\"\\])*\"?|'[^']*'?)",
        rf'\1"{MASK}"',
    ),
    (rf"(<[\w:-]{{0,40}}?{_TELLING}{_NAME_TAIL}>)(?:<!\[CDATA\[.{{0,2048}}?\]\]>|[^<]+)", rf"\1{MASK}"),
    (
        rf"({_TELLING}{_NAME_TAIL}\s{{0,4}}=\s{{0,4}})(\"(?:\\.|[^\"\\])*\"|'[^']*'|[^\s,;&\"'<>]+)",
        rf"\1{MASK}",
    ),
    (
        rf"((?<![-\w])--[\w-]{{0,40}}?{_TELLING}{_NAME_TAIL}[\"']?,?\s{{1,4}}[\"']?)[^\s\"'-][^\s\"',]*",
        rf"\1{MASK}",
    ),
)


class Redactor:
    """Masks the secrets it was told, in every likely spelling, and whatever looks like a secret."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._adding = Lock()
        self._known: re.Pattern[str] | None = None
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Secrets that became known later, such as those of a provider just loaded."""
        new = {secret for secret in secrets if len(secret.strip()) >= SHORTEST_SECRET}
        with self._adding:
            # A new set each time: another thread may be reading the one before.
            self._secrets = self._secrets | new
            self._known = None

    def text(self, text: str) -> str:
        """`text` without a secret."""
        if self._secrets:
            text = self._pattern().sub(MASK, text)
        if _is_suspect(text):
            for pattern, replacement in _generic():
                text = pattern.sub(replacement, text)
        return text

    def value(self, value: object, name: str = "") -> object:
        """A document without a secret; a string under a telling name (`password`) is masked whole."""
        if isinstance(value, str):
            return MASK if value and is_telling(name) else self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(part, str(key)) for key, part in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(part) for part in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.text(str(value))

    def leaves(self, text: str) -> bool:
        """Whether nothing in `text` has to be masked."""
        return not (self._secrets and self._pattern().search(text)) and not _is_suspect(text)

    def _pattern(self) -> re.Pattern[str]:
        known, secrets = self._known, self._secrets
        if known is None:
            spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
            # Longest first: a secret that begins with another one must not leave its end behind.
            known = re.compile("|".join(map(re.escape, sorted(spellings, key=len, reverse=True))))
            with self._adding:
                if secrets is self._secrets:
                    self._known = known
        return known


class LogWriter:
    """Appends JSON lines to `path`; several processes may write to one file.

    Never raises for a line it cannot write (a full disk must not stop the work): `dropped` counts them.
    Lines that are held go out with the next `write` or `flush`, together.
    """

    def __init__(
        self, path: Path, redactor: Redactor, *, largest: int = LARGEST_FILE, kept: int = KEPT_FILES
    ) -> None:
        self.path = path
        self.dropped = 0
        self._redactor = redactor
        self._largest = largest
        self._kept = kept
        self._held: list[bytes] = []

    def write(self, at: float, level: str, subject: str, message: str, **fields: object) -> None:
        """One line; `at` is in epoch seconds and is written as UTC."""
        self.hold(at, level, subject, message, **fields)
        self.flush()

    def hold(self, at: float, level: str, subject: str, message: str, **fields: object) -> None:
        """As `write`, a little later: to open and lock the file for each line costs more than the line."""
        moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        head = {"at": moment, "level": level, "subject": subject, "message": message}
        self._held.append(_line({**head, **fields}, self._redactor))

    def flush(self) -> None:
        lines, self._held = self._held, []
        try:
            if lines:
                self._append(b"".join(lines))
        except OSError:
            self.dropped += len(lines)

    def _append(self, lines: bytes) -> None:
        with self._current() as file:
            size = os.fstat(file.fileno()).st_size
            if size and size + len(lines) > self._largest:
                self._rotate()
            else:
                return _append_whole(file, lines, size)
        with self._current() as file:
            return _append_whole(file, lines, os.fstat(file.fileno()).st_size)

    @contextmanager
    def _current(self) -> Iterator[FileIO]:
        """The file that has the name now, locked: another process may rotate while we wait for the lock."""
        while True:
            with private_file(self.path) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if _is_at(file, self.path):
                    yield file
                    return

    def _rotate(self) -> None:
        names = [self.path, *(self.path.with_name(f"{self.path.name}.{n}") for n in range(1, self._kept + 1))]
        for older, newer in zip(reversed(names[1:]), reversed(names[:-1]), strict=True):
            with suppress(FileNotFoundError):
                newer.replace(older)


@contextmanager
def private_file(path: Path) -> Iterator[FileIO]:
    """`path` opened to append, readable by its owner alone; its folder is made if missing."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, flags, 0o600)
    with FileIO(descriptor, "a") as file:
        os.fchmod(descriptor, 0o600)
        yield file


_SCALARS = (str, int, float)


def _line(record: dict[str, object], redactor: Redactor) -> bytes:
    """The record as one line of at most LONGEST_LINE bytes; ASCII, so that no terminal obeys it."""
    if all(isinstance(value, _SCALARS) for value in record.values()):
        line = _encoded(record)
        # One look at the whole line is enough for most: without an escape every value is in it as it is.
        if len(line) <= LONGEST_LINE and b"\\" not in line and redactor.leaves(line.decode("ascii")):
            return line
    clean = {name: redactor.value(value, name) for name, value in record.items()}
    line = _encoded(clean)
    if len(line) <= LONGEST_LINE:
        return line
    # Only now: cutting before redaction could leave the half of a secret that no pattern knows.
    short: dict[str, object] = {name: str(clean[name])[:1024] for name in ("at", "level", "subject")}
    short |= {"message": "", "cut_bytes": len(line)}
    room = LONGEST_LINE - len(_encoded(short))
    return _encoded({**short, "message": _fitting(str(clean["message"]), room)})


def _encoded(record: dict[str, object]) -> bytes:
    return json.dumps(record, ensure_ascii=True).encode("ascii") + b"\n"


def _fitting(message: str, room: int) -> str:
    """The longest beginning whose JSON spelling takes at most `room` bytes."""
    low, high = 0, min(len(message), room)
    while low < high:
        middle = (low + high + 1) // 2
        if len(json.dumps(message[:middle])) - 2 <= room:
            low = middle
        else:
            high = middle - 1
    return message[:low]


def _append_whole(file: FileIO, lines: bytes, size: int) -> None:
    """All of the lines or nothing of them."""
    if file.write(lines) != len(lines):
        os.ftruncate(file.fileno(), size)
        raise OSError("the disk took only a part of the lines")


def _is_at(file: FileIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


# Compiled at first use: a command that logs nothing must not wait for it.
@cache
def _generic() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), put) for pattern, put in _PATTERNS)


# Whatever a pattern matches holds one of these; most lines hold none.
_SUSPECT = ("pass", "secret", "token", "credential", "key", "authorization", "basic", "bearer", "://")


def _is_suspect(text: str) -> bool:
    folded = text.casefold()
    return any(word in folded for word in _SUSPECT)


@lru_cache(maxsize=256)
def is_telling(name: str) -> bool:
    """Whether what has this name (`db_password`, `apiToken`) is most likely a secret."""
    return re.search(_TELLING, name, re.IGNORECASE) is not None


def _spellings(secret: str) -> Iterator[str]:
    """The ways a secret is written inside URLs, JSON, XML, headers and program output."""
    from urllib.parse import quote, quote_plus  # lazy: most commands never see a secret

    raw = secret.encode("utf-8", "surrogateescape")
    for quoted in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield quoted
        yield re.sub("%..", lambda match: match.group().lower(), quoted)
    for ascii_only in (True, False):
        escaped = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield from (escaped, json.dumps(escaped, ensure_ascii=ascii_only)[1:-1])
    yield from _xml_spellings(secret)
    yield from _base64_spellings(raw)
    yield from (secret, repr(secret)[1:-1], secret.strip())
    # Programs print a key line by line.
    yield from (line.strip() for line in secret.splitlines() if len(line.strip()) >= _LONG_ENOUGH)


def _xml_spellings(secret: str) -> Iterator[str]:
    base = secret.replace("&", "&amp;").replace("<", "&lt;")
    for greater in (">", "&gt;"):
        for double in ('"', "&quot;", "&#34;"):
            for single in ("'", "&apos;", "&#39;", "&#x27;"):
                yield base.replace(">", greater).replace('"', double).replace("'", single)


def _base64_spellings(raw: bytes) -> Iterator[str]:
    """Alone, and inside something longer (`user:secret`), where it may start at any of three places."""
    from base64 import b64encode, urlsafe_b64encode  # lazy: see _spellings

    for encode in (b64encode, urlsafe_b64encode):
        whole = encode(raw).decode("ascii")
        yield from (whole, whole.rstrip("="))
        for before in range(3):
            # Letters that also depend on the neighbours are left out at both ends.
            first = (before * 8 + 5) // 6
            last = (before + len(raw)) * 8 // 6
            inner = encode(b"\0" * before + raw).decode("ascii")[first:last]
            if len(inner) >= 8:  # shorter pieces occur by chance
                yield inner
