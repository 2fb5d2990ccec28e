"""A home for provisions of driver folders."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.scenario.command import Answer, Home
from tests.scenario.oneform_law import Law


@dataclass
class Clusters(Home):
    """`further` is added to the environment of the commands."""

    further: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> Mapping[str, str]:
        return {**super().environment, **self.further}

    @property
    def law(self) -> Law:
        return Law(self.path)

    def file(self, name: str, values: Mapping[str, object]) -> str:
        (self.folder / name).write_text(json.dumps(values))
        return str(self.folder / name)

    def inputs(self, **values: object) -> str:
        return self.file("inputs.json", values)

    def order(self, *options: str, code: int = 0, driver: str = "dummy", **values: object) -> Answer:
        return self.run("create", driver, self.inputs(**values), *options, code=code)

    def account(self, driver: str = "dummy", **connection: str) -> str:
        """A provider, and its id."""
        about = {"name": "acc", "driver": f"oneform/{driver}", "connection": connection}
        file = self.file("account.json", about)
        self.run("provider", "create", file)
        return "0"

    def knobs(self, *lines: str) -> None:
        """What the dummy cloud is to do from now on."""
        self.cloud.mkdir(parents=True, exist_ok=True)
        (self.cloud / "oneform.conf").write_text("".join(f"{line}\n" for line in lines))


def opened(folder: Path) -> Clusters:
    made = Clusters(folder, deadline_s=120.0)
    made.path.mkdir(mode=0o700)
    return made
