"""The names a person may give: to a provision, a host, a driver and a parameter."""

import re
import unicodedata

from oneprovision.model.refusal import Path, refusal, shown

_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,252}")
_NOT_IN_HOST = re.compile(r"[^A-Za-z0-9._-]+")
_DRIVER = re.compile(r"(oneform/)?[a-z0-9][a-z0-9._-]{0,62}")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")
_CONTROL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def check_provision_name(name: str, path: Path = ("name",)) -> str:
    """Ids and names are interchangeable on the command line, so no name may look like an id."""
    problem = ""
    if not name.strip() or len(name) > 128:
        problem = "has to be 1 to 128 characters long"
    elif any(unicodedata.category(char) in _CONTROL for char in name):
        problem = "has control characters"
    elif "/" in name:
        problem = "has a '/'"
    elif name.isdigit():
        problem = "is a number, which would be taken for an id"
    elif name.startswith("-"):
        problem = "begins with '-', which would be taken for an option"
    if problem:
        raise refusal(path, f"the provision name {shown(name)} {problem}", "choose another name")
    return name


def check_hostname(name: str, path: Path) -> str:
    """The label of a host at its provider; it also ends up in argument lists and file names."""
    if not _HOST.fullmatch(name):
        raise refusal(
            path,
            f"{shown(name)} is not a host name",
            "1 to 253 letters, digits, '.', '_' or '-', beginning with a letter or a digit",
        )
    return name


def default_hostname(provision: str, index: int) -> str:
    """`<provision>-<index>`, with what a host name cannot hold replaced."""
    suffix = f"-{index}"
    stem = _NOT_IN_HOST.sub("-", provision).lstrip(".-")[: 253 - len(suffix)]
    return (stem or "host") + suffix


def check_driver(name: str, path: Path) -> str:
    """A driver's name is a folder's name: anything that could walk the file system is refused."""
    if not _DRIVER.fullmatch(name):
        raise refusal(
            path,
            f"{shown(name)} is not a driver name",
            "lower-case letters, digits, '.', '_' and '-'; `oneprovision driver list` shows the drivers",
        )
    return name


def check_parameter(name: str, path: Path) -> str:
    """Parameters become XML tags of the deployment file."""
    if not _PARAMETER.fullmatch(name):
        raise refusal(path, f"{shown(name)} cannot be the name of a parameter", "use letters, digits and '_'")
    return name
