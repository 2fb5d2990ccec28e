"""A short command must not pay for libraries it does not use."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HEAVY = {
    "rich",
    "yaml",
    "jsonschema",
    "paramiko",
    "requests",
    "cryptography",
    "subprocess",
    "xml",
    "email",
    "logging",
}
HEAVY |= {"csv", "difflib", "traceback", "base64", "hashlib", "hmac", "select", "shutil", "tempfile"}


@pytest.mark.parametrize(
    "module",
    [
        "onecore.access",
        "onecore.cli.confirm",
        "onecore.cli.edge",
        "onecore.cli.idlist",
        "onecore.cli.lazy",
        "onecore.cli.output",
        "onecore.cli.progress",
        "onecore.log",
    ],
)
def test_import_loads_no_heavy_library(module):
    code = f"import {module}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(done.stdout.split())
