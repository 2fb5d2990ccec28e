"""The only reader of the environment: where things are and who is asking."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from onecore.errors import InvalidInput


@dataclass(frozen=True)
class Settings:
    """What the environment says.

    `home` holds all state (DESIGN 6). `remotes` are the folders named by `--remotes` and `ONE_REMOTES`,
    in that order. `auth_file` is set when the user named a credentials file of his own by `ONE_AUTH`.
    `tofu` is the OpenTofu or Terraform to use (`ONE_TOFU`), where it is not just the one on PATH.
    `opennebula` is the address of the OpenNebula to work in, if any; `auth_file` are the credentials there.
    `registry` and `registry_auth` are those of one where only objects are registered.
    """

    home: Path
    remotes: tuple[tuple[str, Path], ...] = ()
    auth_file: Path | None = None
    debug: bool = False
    tofu: str = ""
    opennebula: str = ""
    registry: str = ""
    registry_auth: Path | None = None
    base_environment: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def database(self) -> Path:
        return self.home / "one.db"

    @property
    def run_directory(self) -> Path:
        return self.home / "run"

    @property
    def log_directory(self) -> Path:
        return self.home / "logs"

    @property
    def base_home(self) -> Path:
        """Where the settings of an installation are, whichever cloud it works with."""
        return self.home.parents[1] if self.opennebula else self.home

    def registering(self) -> "Settings":
        """With the OpenNebula that ONE_XMLRPC names, if it does, as the one where objects are registered. The
        credentials of ONE_AUTH are for it, then."""
        url = self._endpoint()
        return replace(self, registry=url, registry_auth=self._one_auth(), auth_file=None) if url else self

    def in_opennebula(self) -> "Settings":
        """The settings for the OpenNebula that ONE_XMLRPC names, if it does: what belongs to it is kept apart
        from everything else, in a folder of its own."""
        url = self._endpoint()
        if not url:
            return self
        name = re.sub(r"[^A-Za-z0-9.-]+", "-", url.partition("://")[2]).strip("-.")
        return replace(self, home=self.home / "opennebula" / name, opennebula=url, auth_file=self._one_auth())

    def _endpoint(self) -> str:
        url = self.environ.get("ONE_XMLRPC", "")
        if url and not re.fullmatch(r"https?://[^\s@]+", url):
            raise InvalidInput(
                f"ONE_XMLRPC is no address of an OpenNebula: {url!r}", hint="such as http://one:2633/RPC2"
            )
        return url

    def _one_auth(self) -> Path:
        """ONE_AUTH, else as OpenNebula's own tools have it."""
        if self.auth_file is not None:
            return self.auth_file
        return Path(self.environ.get("HOME") or "/var/lib/one") / ".one" / "one_auth"

    def account_from_environment(self, variables: Mapping[str, Iterable[str]]) -> dict[str, str]:
        """The account of a driver: each variable that it declares, under the first of its names that is
        set."""
        found = {
            variable: next((self.environ[name] for name in names if self.environ.get(name)), "")
            for variable, names in variables.items()
        }
        return {variable: value for variable, value in found.items() if value}

    def endpoint(self, variable: str, file: str = "") -> tuple[str, str]:
        """The server that is to be asked, and where that is said: by the variable, or in a file of that name
        in ~/.one or /var/lib/one/.one, where OpenNebula's clients look. Whoever names his state by ONE_HOME
        is not sent elsewhere by a file. Two empty texts for none."""
        if self.environ.get(variable):
            return self.environ[variable], variable
        if not file or self.environ.get("ONE_HOME"):
            return "", ""
        homes = [Path(self.environ["HOME"], ".one")] if self.environ.get("HOME") else []
        found = ((_first_line(folder / file), str(folder / file)) for folder in [*homes, _SHARED])
        return next((each for each in found if each[0]), ("", ""))

    def tool_environment(self) -> dict[str, str]:
        """What a tool that fetches its plugins needs of our environment, and nothing more."""
        further = {name: self.environ[name] for name in _NETWORK if name in self.environ}
        return {**self.base_environment, **further}


_SHARED = Path("/var/lib/one/.one")

# How programs are told of proxies and certificates, and OpenTofu of mirrors.
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
_NETWORK = (
    *_PROXIES,
    *(name.upper() for name in _PROXIES),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR"),
)


def read(environ: Mapping[str, str] = os.environ, remotes: str = "") -> Settings:
    """The settings of this process; `remotes` is the value of `--remotes`."""
    home = environ.get("ONE_HOME") or _data_home(environ) / "one"
    return Settings(
        home=Path(home).expanduser().absolute(),
        remotes=tuple(_remotes(environ, remotes)),
        auth_file=Path(environ["ONE_AUTH"]).expanduser() if environ.get("ONE_AUTH") else None,
        debug=wants_debug(environ),
        tofu=environ.get("ONE_TOFU", ""),
        environ=environ,
        base_environment={
            name: environ[name] for name in ("PATH", "HOME", "TMPDIR", "TZ") if name in environ
        },
    )


def environment() -> Mapping[str, str]:
    """For programs of drivers, which are told everything by their environment."""
    return os.environ


def wants_debug(environ: Mapping[str, str] = os.environ) -> bool:
    """Asked apart from the rest, because it has an answer even where there is no home."""
    return environ.get("ONE_DEBUG", "") not in ("", "0")


def _data_home(environ: Mapping[str, str]) -> Path:
    if environ.get("XDG_DATA_HOME"):
        return Path(environ["XDG_DATA_HOME"])
    if environ.get("HOME"):
        return Path(environ["HOME"], ".local", "share")
    raise InvalidInput(
        "neither ONE_HOME nor HOME is set", hint="set ONE_HOME to the folder that holds the state"
    )


def _first_line(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip().partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _remotes(environ: Mapping[str, str], option: str) -> list[tuple[str, Path]]:
    named = [("--remotes", option), ("ONE_REMOTES", environ.get("ONE_REMOTES", ""))]
    return [
        (origin, Path(folder).expanduser().absolute())
        for origin, value in named
        for folder in value.split(os.pathsep)
        if folder
    ]
