"""What exists behind OpenTofu (the dummy folder's files, the state) against what the store says."""

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from onecore.tofu_output import parse_state
from onecore.vault import unseal
from oneprovision.engines import ipam

Machines = dict[str, str]  # instance id by address


@dataclass(frozen=True)
class Law:
    """Reads the files of one ONE_HOME only."""

    home: Path

    def existing(self) -> Machines:
        """The machines that the driver's own files show."""
        folder = self.home / "dummy" / "oneform"
        files = [f for f in folder.iterdir() if not f.name.startswith(".")] if folder.is_dir() else []
        pairs = [dict(line.split("=", 1) for line in f.read_text().splitlines()) for f in files]
        return {pair["IP"]: pair["ID"] for pair in pairs}

    def recorded(self) -> Machines:
        """The machines that the store calls wanted and ready."""
        sql = "SELECT addresses, deploy_id FROM resource WHERE kind = 'machine' AND state = 'ready'"
        rows = self._rows(sql)
        return {json.loads(str(addresses))[0]: str(deploy_id) for addresses, deploy_id in rows}

    def in_state(self, provision: int = 0) -> Machines:
        """The machines that the stored OpenTofu state knows."""
        instances = parse_state(self.state_text(provision)).instances
        values = [dict(i.values) for i in instances if i.base.endswith("terraform_data.host")]
        return {str(v["input"]["value"]["ip"]): str(v["id"]) for v in values}  # type: ignore[index]

    def state_text(self, provision: int = 0) -> str:
        rows = self._rows(f"SELECT sealed FROM tofu_state WHERE provision_id = {provision}")
        return unseal(self.home / "key", str(rows[0][0]))["state"] if rows else ""

    def unfinished(self) -> int:
        """Records that are not at rest, and operations without an end."""
        sql = "SELECT count(*) FROM resource WHERE state != 'ready' OR wanted != 'present'"
        ((records,),) = self._rows(sql)
        ((operations,),) = self._rows("SELECT count(*) FROM operation WHERE ended_at IS NULL")
        return int(str(records)) + int(str(operations))

    def addresses(self) -> set[str]:
        """The names of the leased addresses that the driver's own files show."""
        folder = self.home / "dummy" / "oneform-addresses"
        return {f.name for f in folder.iterdir() if not f.name.startswith(".")} if folder.is_dir() else set()

    def leased(self) -> set[str]:
        """By the names that the driver has for them."""
        rows = self._rows("SELECT deploy_id FROM resource WHERE kind = 'address' AND state = 'ready'")
        return {ipam.attributes(str(text))["DUMMY_ALLOCATION_ID"] for (text,) in rows}

    def holds(self, hosts: int, provision: int = 0) -> None:
        """Everything agrees on that many hosts, and nothing is under way."""
        existing = self.existing()
        assert len(existing) == hosts, existing
        assert existing == self.recorded() == self.in_state(provision)
        assert self.addresses() == self.leased()
        assert self.unfinished() == 0
        assert self.secrets_on_disk(provision) == []

    def is_recorded(self) -> bool:
        """Whether there is a provision."""
        if not (self.home / "one.db").exists():
            return False
        tables = self._rows("SELECT count(*) FROM sqlite_schema WHERE name = 'provision'")
        return tables != [(0,)] and self._rows("SELECT count(*) FROM provision") != [(0,)]

    def is_over(self, provision: int = 0) -> bool:
        """Whether it rests as it was wanted, so that there is nothing to take up."""
        return self._rows(f"SELECT state FROM provision WHERE id = {provision}")[0][0] in (6, 10)

    def secrets_on_disk(self, provision: int = 0) -> list[str]:
        """Files of the working directory that hold secrets and have no business there between two runs."""
        place = self.home / "oneform" / str(provision)
        kept = ("*.tfstate*", "*.tfvars*", "*.plan", "*.jsonl", "run.json")
        return sorted(str(f) for pattern in kept for f in place.rglob(pattern))

    def _rows(self, sql: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(f"file:{self.home / 'one.db'}?mode=ro", uri=True)) as db:
            return db.execute(sql).fetchall()
