"""What driver.yaml may say and how mistakes in it are told."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from onecore.drivers.manifest import ACTIONS, EXTENSIONS, Limits, Manifest, load_manifest
from onecore.errors import InvalidInput

WHOLE = """\
name: cloud
description: a cloud
ssh: false
idempotent: true
inputs:
  type: object
  properties: {plan: {$ref: "#/$defs/plan"}}
  $defs: {plan: {type: string}}
secrets: {token: CLOUD_TOKEN}
extensions: [list, allocate_ip]
limits: {parallel: "3", calls_per_second: 0.5, timeout_s: 60, timeouts: {deploy: 120}, list_lag_s: 5}
x-maintainer: somebody
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "driver.yaml"
    file.write_text(text)
    return file


def manifest_of(folder: Path, data: Mapping[str, object]) -> Manifest:
    return load_manifest(written(folder, json.dumps(data)), "cloud")  # JSON is YAML


def test_every_field_is_read(tmp_path: Path) -> None:
    manifest = load_manifest(written(tmp_path, WHOLE), "cloud")
    assert manifest.inputs is not None
    assert manifest == Manifest(
        name="cloud",
        description="a cloud",
        ssh=False,
        idempotent=True,
        inputs=manifest.inputs,
        secrets={"token": "CLOUD_TOKEN"},
        extensions=frozenset({"list", "allocate_ip"}),
        limits=Limits(3, 0.5, 60.0, {"deploy": 120.0}, 5.0),
    )
    assert manifest.inputs["properties"] == {"plan": {"$ref": "#/$defs/plan"}}


def test_a_manifest_that_says_nothing_means_the_defaults(tmp_path: Path) -> None:
    assert manifest_of(tmp_path, {}) == Manifest("cloud")


def test_defaults_are_those_of_a_driver_that_knows_nothing_of_us() -> None:
    manifest = Manifest("cloud")
    assert (manifest.ssh, manifest.idempotent, manifest.extensions, manifest.inputs) == (
        True,
        False,
        frozenset(),
        None,
    )
    assert manifest.limits == Limits(8, 0.0, 600.0, {}, 0.0)


def test_an_action_without_a_timeout_of_its_own_has_the_general_one() -> None:
    limits = Limits(timeout_s=60, timeouts={"deploy": 900})
    assert (limits.timeout_for("deploy"), limits.timeout_for("poll")) == (900, 60)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_every_known_extension_can_be_declared(tmp_path: Path, extension: str) -> None:
    data = {"extensions": [extension], "limits": {"timeouts": {extension: 1}}}
    assert manifest_of(tmp_path, data).extensions == {extension}


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_can_have_its_own_timeout(tmp_path: Path, action: str) -> None:
    manifest = manifest_of(tmp_path, {"limits": {"timeouts": {action: 2}}})
    assert manifest.limits.timeout_for(action) == 2.0


@pytest.mark.parametrize(
    "text",
    [
        "idempotnet: true",
        "name: other",
        "extensions: [lists]",
        "extensions: list",
        "limits: {parallel: 0}",
        "limits: {parallel: many}",
        "limits: {timeout_s: 0}",
        "limits: {timeouts: {deplyo: 3}}",
        "limits: {retries: 3}",
        "secrets: {token: cloud-token}",
        "secrets: {token: PATH}",
        "secrets: {token: LD_PRELOAD}",
        "secrets: {token: PYTHONPATH}",
        "secrets: {token: ONE_HOME}",
        "secrets: [token]",
        "inputs: {type: objekt}",
        "inputs: {$ref: 'https://example.com/schema.json'}",
        "inputs: {properties: {a: {anyOf: [{$ref: 'other.json'}]}}}",
        "ssh: maybe",
        "[]",
        "name: [",
    ],
)
def test_a_wrong_manifest_is_refused_with_its_file_named(text: str, tmp_path: Path) -> None:
    file = written(tmp_path, text)
    with pytest.raises(InvalidInput, match=r"driver\.yaml"):
        load_manifest(file, "cloud")


def test_a_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    file = written(tmp_path, "name: cloud\nlimits:\n  parallel: many\n")
    with pytest.raises(InvalidInput, match=r"driver\.yaml:3: .*parallel"):
        load_manifest(file, "cloud")


def test_a_secret_that_may_be_left_out_is_a_secret_all_the_same(tmp_path: Path) -> None:
    secrets = {"key": "CLOUD_KEY", "session": "CLOUD_SESSION"}
    manifest = manifest_of(tmp_path, {"secrets": secrets, "optional": ["session"]})
    assert manifest.optional == {"session"}
    assert manifest.hidden({"CLOUD_SESSION": "s3cr3t"}) == ("s3cr3t",)
