"""A dummy cloud of its own: calls the executables as real processes, reads the files as a witness."""

import contextlib
import json
import shlex
import subprocess
from pathlib import Path
from xml.sax.saxutils import escape

DRIVER = Path(__file__).parents[2] / "drivers" / "remotes" / "pm" / "dummy"
FAILURE = "ERROR MESSAGE --8<------\n{}\nERROR MESSAGE ------>8--\n"
NAME = "provision-" + "c968cbcf40716f8e" * 3
ID = "dummy-" + "c968cbcf40716f8e" * 3

Answer = subprocess.CompletedProcess[bytes]


def deployment(name: str, **parameters: object) -> bytes:
    tags = "".join(
        f"<{key.upper()}>{escape(str(value), {chr(10): '&#10;', chr(34): '&quot;'})}</{key.upper()}>\n"
        for key, value in parameters.items()
    )
    return (
        f"<HOST>\n<NAME>{escape(name)}</NAME>\n<PM_MAD>dummy</PM_MAD>\n<TEMPLATE>\n<PM_MAD>dummy</PM_MAD>\n"
        f"<PROVISION>\n<NAME>cluster</NAME><DRIVER>dummy</DRIVER>\n{tags}</PROVISION>\n</TEMPLATE>\n</HOST>\n"
    ).encode()


class Cloud:
    """The cloud under one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.root = home / "dummy"
        self.environment = {"PATH": "/usr/bin:/bin", "ONE_HOME": str(home)}

    def start(self, action: str, *arguments: str, stdin: bytes = b"") -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            [DRIVER / action, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, env=self.environment
        )
        assert process.stdin
        with contextlib.suppress(BrokenPipeError):  # an action may answer without reading its stdin
            process.stdin.write(stdin)
            process.stdin.close()
        process.stdin = None
        return process

    def call(self, action: str, *arguments: str, stdin: bytes = b"", timeout: float = 20) -> Answer:
        with self.start(action, *arguments, stdin=stdin) as process:
            try:
                out, err = process.communicate(timeout=timeout)
            finally:
                process.kill()
        return Answer([action, *arguments], process.returncode, out, err)

    def ok(self, action: str, *arguments: str, stdin: bytes = b"") -> str:
        answer = self.call(action, *arguments, stdin=stdin)
        assert (answer.returncode, answer.stderr) == (0, b"")
        return answer.stdout.decode()

    def error(self, action: str, *arguments: str, stdin: bytes = b"") -> str:
        answer = self.call(action, *arguments, stdin=stdin)
        assert answer.returncode == 1
        first, message, last, end = answer.stderr.decode().split("\n")
        assert f"{first}\n{{}}\n{last}\n{end}" == FAILURE
        return message.partition(' failed due to "')[2].removesuffix('"')

    def deploy(self, name: str = NAME, **parameters: object) -> str:
        return self.ok("deploy", "-", "h", stdin=deployment(name, **parameters)).removesuffix("\n")

    def poll(self, deploy_id: str = ID) -> dict[str, str]:
        return dict(word.split("=", 1) for word in shlex.split(self.ok("poll", deploy_id, "h", "3", "h")))

    def listed(self) -> dict[str, dict]:
        return {machine["name"]: machine for machine in json.loads(self.ok("list"))}

    def record(self, name: str = NAME, folder: str = "machines") -> dict[str, str]:
        lines = (self.root / folder / name).read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def edit(self, line: str, name: str = NAME) -> None:
        with (self.root / "machines" / name).open("a") as file:
            file.write(line)

    def configure(self, *lines: str) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "cloud.conf").write_text("\n".join(lines))

    def names(self, folder: str = "machines") -> set[str]:
        return {file.name for file in (self.root / folder).iterdir()}
