"""Which machine is used under which name: a file for each address, so that none is used twice.

A claim is made whole or not at all; nothing on the machine itself says whose it is.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from secrets import token_hex

from onecore.drivers.kit import Failed


@dataclass(frozen=True)
class Claim:
    """A machine in use. `switched_off`: we did it, so that silence is no surprise. `mac`: wakes it up."""

    name: str
    address: str
    port: int
    user: str
    private_key: str
    mac: str = ""
    wake_address: str = ""
    switched_off: bool = False

    @property
    def id(self) -> str:
        """The address, with the port where that is not the usual one: both together are one machine."""
        return machine_id(self.address, self.port)


def machine_id(address: str, port: int) -> str:
    return address if port == 22 else f"{address}:{port}"


class Claims:
    """All claims of one installation."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / "claims"

    def all(self) -> list[Claim]:
        files = sorted(self._folder.glob("[!.]*")) if self._folder.is_dir() else []
        found = (self._read(file) for file in files)
        return [claim for claim in found if claim is not None]

    def get(self, deploy_id: str) -> Claim | None:
        return self._read(self._folder / _file(deploy_id))

    def of(self, name: str) -> Claim | None:
        """The claim of a machine's name."""
        return next((claim for claim in self.all() if claim.name == name), None)

    def make(self, claim: Claim) -> bool:
        """Whether it could be made: not when the machine is in use already."""
        draft = self._draft(claim)
        try:
            # A link never goes over what is there.
            (self._folder / _file(claim.id)).hardlink_to(draft)
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        return True

    def note(self, claim: Claim, switched_off: bool) -> None:
        """Change what is noted of a machine, unless it was given back meanwhile."""
        with self.alone():
            if self.get(claim.id) is not None:
                self._draft(replace(claim, switched_off=switched_off)).replace(self._folder / _file(claim.id))

    def drop(self, deploy_id: str) -> None:
        with self.alone():
            (self._folder / _file(deploy_id)).unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One program at a time claims: else one name could get two machines."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(self._root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _draft(self, claim: Claim) -> Path:
        draft = self._folder / f".draft.{token_hex(8)}"
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "w") as file:
            json.dump(asdict(claim), file)
        return draft

    @staticmethod
    def _read(file: Path) -> Claim | None:
        try:
            told = json.loads(file.read_text("utf-8"))
        except FileNotFoundError:
            return None
        if not isinstance(told, Mapping):
            raise Failed(f"{file} is damaged")
        return Claim(**told)


def _file(deploy_id: str) -> str:
    """The name of its file, whatever is asked for: no address has one of these characters."""
    return deploy_id.replace("%", "%25").replace("/", "%2F").replace("..", "%2E%2E")
