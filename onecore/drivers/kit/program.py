"""The skeleton of a driver in Python: arguments in, answers out, errors between the markers, exit codes.

A driver folder holds executables that all say, with `cloud.py` being the driver's own module beside them,

    #!/usr/bin/env python3
    from onecore.drivers.kit import serve

    serve("cloud")

and `cloud.ACTIONS` maps `deploy`, `cancel` and the others to functions.

Every function takes a Call. What it returns is printed: text as it is, for `poll` a mapping as one line of
KEY=VALUE words, anything else as JSON; None prints nothing. It raises Failed to say what went wrong.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BEGIN = "ERROR MESSAGE --8<------"
END = "ERROR MESSAGE ------>8--"
USAGE_ERROR = 2


class Failed(Exception):
    """The action did not succeed; the text is for the user."""


@dataclass(frozen=True)
class Call:
    """The arguments of one call; `name`, `provision`, `connection` (keys in upper case) and the public key
    are those of the deployment file, `snapshot` is the name of a snapshot."""

    action: str
    host: str = ""
    host_id: str = ""
    deploy_id: str = ""
    lcm_state: str = ""
    tag: str = ""
    address_id: str = ""
    snapshot: str = ""
    name: str = ""
    ssh_public_key: str = ""
    provision: Mapping[str, str] = field(default_factory=dict, repr=False)
    connection: Mapping[str, str] = field(default_factory=dict, repr=False)

    def asked(self, name: str, otherwise: str = "") -> str:
        """A provision parameter, by its name in lower case."""
        return self.provision.get(name.upper(), "").strip() or otherwise

    def list(self, name: str) -> list[str]:
        """A provision parameter that holds several values, separated by commas."""
        return [part.strip() for part in self.asked(name).split(",") if part.strip()]


Action = Callable[[Call], object]


def serve(module: str) -> None:
    """Run the action that the program is named after, of the module beside it, and exit."""
    # The folder of a driver holds what its author put there: a cache in it, writable as the umask has it,
    # could make the whole driver refused.
    sys.dont_write_bytecode = True
    from importlib import import_module  # lazy: only programs come here

    try:
        actions = import_module(module).ACTIONS
    except ImportError as exc:
        sys.exit(_fail(f"a part of this driver is not installed: {exc}", 1))
    main(actions)


def main(actions: Mapping[str, Action], argv: Sequence[str] | None = None) -> None:
    """Run the action that the program is named after, and exit."""
    sys.exit(run(actions, sys.argv if argv is None else argv))


def run(actions: Mapping[str, Action], argv: Sequence[str]) -> int:
    """Run the action named by the first argument's last part; returns the exit code."""
    name = Path(argv[0]).name
    try:
        _print_answer(name, _action(actions, name)(_call(name, argv[1:])))
    except _Usage as exc:
        return _fail(str(exc), USAGE_ERROR)
    except Failed as exc:
        return _fail(str(exc), 1)
    except Exception as exc:  # noqa: BLE001  the edge of this program: a bug, too, is told in the protocol's way
        return _fail(f"{type(exc).__name__}: {exc}", 1)
    return 0


def read_deployment(xml: bytes) -> dict[str, object]:
    """`name`, `provision` and `connection` of a deployment file."""
    from xml.etree import ElementTree  # lazy: no action but deploy reads XML

    text = xml.decode("utf-8")
    # An entity can read files or grow without end, and no deployment file has one.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Failed("the deployment file declares a document type, which is refused")
    try:
        host = ElementTree.fromstring(text)  # noqa: S314  without a document type there is nothing to expand
    except ElementTree.ParseError as exc:
        raise Failed(f"the deployment file is no XML: {exc}") from exc

    def values(path: str) -> dict[str, str]:
        return {child.tag: child.text or "" for child in host.iterfind(f"{path}/*")}

    return {
        "name": host.findtext("NAME", ""),
        "provision": values("TEMPLATE/PROVISION"),
        "connection": values("TEMPLATE/PROVISION_CONNECTION"),
        "ssh_public_key": host.findtext("TEMPLATE/CONTEXT/SSH_PUBLIC_KEY", ""),
    }


class _Usage(Exception):
    pass


# The arguments that matter, in order; HOST_ID and HOST may follow and may be absent, as in the old tool.
_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "deploy": ("file", "host"),
    "shutdown": ("deploy_id", "host", "lcm_state"),
    "snapshot": ("deploy_id", "host", "snapshot"),
    **dict.fromkeys(("cancel", "poll", "reboot", "reset", "suspend", "resume"), ("deploy_id", "host")),
    "allocate_ip": ("tag",),
    "release_ip": ("address_id", "tag"),
    "assign_ip": ("address_id", "deploy_id"),
}


def _action(actions: Mapping[str, Action], name: str) -> Action:
    if name not in actions:
        raise _Usage(f"this driver cannot {name}")
    return actions[name]


def _call(action: str, arguments: Sequence[str]) -> Call:
    names = _ARGUMENTS.get(action, ())
    if len(arguments) < len(names):
        raise _Usage(f"usage: {action} {' '.join(names).upper()}")
    given = dict(zip(names, arguments, strict=False))
    if len(arguments) > len(names) and "host" in names:
        given["host_id"] = arguments[len(names)]
    file = given.pop("file", "")
    deployment = read_deployment(_deployment_file(file)) if action == "deploy" else {}
    if action == "allocate_ip" and (piped := _piped()):
        deployment = {**read_deployment(piped), "name": ""}
    return Call(action, **given, **deployment)  # type: ignore[arg-type]  # the keys are fields by construction


def _deployment_file(path: str) -> bytes:
    """Standard input, or what the file holds already where nothing was piped."""
    return _piped() or Path(path).read_bytes()


def _piped() -> bytes:
    return b"" if sys.stdin.isatty() else sys.stdin.buffer.read().strip()


def _print_answer(action: str, answer: object) -> None:
    if answer is None:
        return
    if isinstance(answer, str):
        text = answer
    elif action == "poll" and isinstance(answer, Mapping):
        text = " ".join(
            f'{key}="{value}"' if "," in str(value) else f"{key}={value}" for key, value in answer.items()
        )
    else:
        import json  # lazy: most actions print no JSON

        text = json.dumps(answer)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _fail(text: str, code: int) -> int:
    sys.stderr.write(f"{BEGIN}\n{text}\n{END}\n")
    return code
