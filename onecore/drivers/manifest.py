"""What a driver declares about itself in `driver.yaml`, checked and typed; without the file, the defaults."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from onecore.errors import InvalidInput

FILE_NAME = "driver.yaml"
ACTIONS = ("deploy", "cancel", "poll", "reboot", "reset", "shutdown")
EXTENSIONS = (
    *("list", "locations", "plans", "images", "prices"),
    *("allocate_ip", "release_ip", "assign_ip", "list_ips"),
    *("suspend", "resume", "snapshot"),
)


@dataclass(frozen=True)
class Limits:
    """How hard a driver may be used. `calls_per_second` 0 is no limit.

    `list_lag_s` is how long after a change `list` may still show the old picture.
    """

    parallel: int = 8
    calls_per_second: float = 0.0
    timeout_s: float = 600.0
    timeouts: Mapping[str, float] = field(default_factory=dict)
    list_lag_s: float = 0.0

    def timeout_for(self, action: str) -> float:
        return self.timeouts.get(action, self.timeout_s)


@dataclass(frozen=True)
class Manifest:
    """`inputs` is a JSON Schema of the provision parameters; `secrets` maps a connection value to the
    environment variable that carries it (those in `optional` may be left out), `settings` likewise those that
    are optional and no secret. `aliases` are further names of such a variable in the user's environment. An
    executable that is not among `extensions` is never used. `adopts`: the parameter that names a machine
    which exists already, where the driver makes none."""

    name: str
    description: str = ""
    ssh: bool = True
    adopts: str = ""
    idempotent: bool = False
    inputs: Mapping[str, object] | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    settings: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    extensions: frozenset[str] = frozenset()
    limits: Limits = field(default_factory=Limits)

    @property
    def connection(self) -> Mapping[str, str]:
        """Every connection value with the environment variable that carries it."""
        return {**self.settings, **self.secrets}

    @property
    def variables(self) -> Mapping[str, tuple[str, ...]]:
        """The variables of the account, each with the names under which the user may have set it."""
        declared = self.connection.values()
        return {variable: (variable, *self.aliases.get(variable, ())) for variable in declared}

    def hidden(self, account: Mapping[str, str]) -> tuple[str, ...]:
        """What has to be masked of an account (by variable): everything but the settings."""
        return tuple(value for name, value in account.items() if name not in self.settings.values())


def load_manifest(path: Path, name: str) -> Manifest:
    """The manifest in the file; errors name file and line."""
    # lazy: brings yaml and jsonschema
    from onecore.schema import load_file, validate

    return _build(validate(load_file(path), _schema()), name, str(path))


def _schema() -> Mapping[str, object]:
    file = Path(__file__).parents[1] / "schema" / "driver.schema.json"
    return cast(Mapping[str, object], json.loads(file.read_text("utf-8")))


def _build(checked: Mapping[str, object], name: str, source: str) -> Manifest:
    declared = checked.get("name", name)
    if declared != name:
        raise InvalidInput(
            f"{source}: name is '{declared}' but the driver's folder is '{name}'",
            hint=f"rename the folder to '{declared}' or correct the name",
        )
    secrets = cast(Mapping[str, str], checked["secrets"])
    settings = cast(Mapping[str, str], checked["settings"])
    _refuse_reserved(secrets, "secrets", source)
    _refuse_reserved(settings, "settings", source)
    aliases = cast("Mapping[str, list[str]]", checked["aliases"])
    for names in aliases.values():
        _refuse_reserved(dict(zip(names, names, strict=True)), "aliases", source)
    inputs = cast("Mapping[str, object] | None", checked.get("inputs"))
    if inputs is not None:
        _check_inputs(inputs, source)
    return Manifest(
        name=name,
        description=cast(str, checked["description"]),
        ssh=cast(bool, checked["ssh"]),
        adopts=cast(str, checked["adopts"]),
        idempotent=cast(bool, checked["idempotent"]),
        inputs=inputs,
        secrets=dict(secrets),
        optional=frozenset(cast("list[str]", checked["optional"])),
        settings=dict(settings),
        aliases={variable: tuple(names) for variable, names in aliases.items()},
        extensions=frozenset(cast("list[str]", checked["extensions"])),
        limits=_limits(cast(Mapping[str, object], checked["limits"])),
    )


def _limits(checked: Mapping[str, object]) -> Limits:
    def number(key: str) -> float:
        return float(cast(float, checked[key]))

    timeouts = cast(Mapping[str, float], checked["timeouts"])
    return Limits(
        parallel=cast(int, checked["parallel"]),
        calls_per_second=number("calls_per_second"),
        timeout_s=number("timeout_s"),
        timeouts={action: float(seconds) for action, seconds in timeouts.items()},
        list_lag_s=number("list_lag_s"),
    )


# A secret under one of these names would change which program runs, not what it knows.
_RESERVED = re.compile(r"PATH|HOME|LANG|ONE_HOME|IFS|ENV|BASH_ENV|SHELL|(LD|DYLD|LC|PYTHON)_?.*")


def is_reserved(variable: str) -> bool:
    """Whether the environment variable is not free to carry a secret."""
    return _RESERVED.fullmatch(variable) is not None


def _refuse_reserved(carriers: Mapping[str, str], key: str, source: str) -> None:
    for value, variable in carriers.items():
        if is_reserved(variable):
            raise InvalidInput(
                f"{source}: {key}.{value}: '{variable}' cannot carry a secret",
                hint="choose a variable of the provider's own, for example PROVIDER_API_TOKEN",
            )


def _check_inputs(inputs: Mapping[str, object], source: str) -> None:
    # lazy: heavy, and already loaded by the check of the manifest itself
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(inputs)
    except SchemaError as exc:
        where = ".".join(str(part) for part in ("inputs", *exc.absolute_path))
        raise InvalidInput(f"{source}: {where}: not a JSON Schema: {exc.message[:200]}") from exc
    for target in _references(inputs):
        if not target.startswith("#"):
            raise InvalidInput(
                f"{source}: inputs: '$ref: {target[:80]}' leaves the file",
                hint="put the referred schema under inputs.$defs",
            )


def _references(node: object) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
