"""Facts of the dummy driver, told by its executables and judged by the files of its cloud."""

import json
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.drivers.dummy_cloud import DRIVER, FAILURE, ID, NAME, Cloud, deployment


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(tmp_path / "one home")


def test_every_declared_action_is_executable_and_nothing_is_writable_by_others() -> None:
    manifest = yaml.safe_load((DRIVER / "driver.yaml").read_text())
    actions = {"deploy", "cancel", "poll", "reboot", "reset", "shutdown", *manifest["extensions"]}
    assert actions == {file.name for file in DRIVER.iterdir() if not file.suffix}
    for file in DRIVER.iterdir():
        assert file.stat().st_mode & 0o777 == (0o644 if file.suffix else 0o755)


def test_every_knob_of_the_manifest_is_explained() -> None:
    manifest = yaml.safe_load((DRIVER / "driver.yaml").read_text())
    readme = (DRIVER / "README.md").read_text()
    for knob in manifest["inputs"]["properties"]:
        assert f"`{knob}" in readme or f"`{knob.upper()}`" in readme


def test_without_one_home_every_action_says_so(cloud: Cloud) -> None:
    del cloud.environment["ONE_HOME"]
    for action in ("deploy", "cancel", "list", "allocate_ip"):
        assert cloud.error(action, "a", "h").startswith("ONE_HOME is not set")


def test_a_deployed_machine_is_a_file_only_its_owner_can_read(cloud: Cloud) -> None:
    assert cloud.deploy(plan="small", token="secret") == ID
    record = cloud.record()
    assert (record["NAME"], record["DEPLOY_ID"], record["STATE"], record["COMPLETE"]) == (
        NAME,
        ID,
        "running",
        "1",
    )
    assert record["PLAN"] == "small"
    assert "TOKEN" not in record
    assert (cloud.root / "machines" / NAME).stat().st_mode & 0o777 == 0o600
    assert cloud.root.stat().st_mode & 0o777 == 0o700


def test_deploy_reads_the_file_when_stdin_is_empty(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "deployment.xml").write_bytes(deployment(NAME))
    assert cloud.ok("deploy", str(tmp_path / "deployment.xml"), "h", "3", "h") == ID + "\n"


@pytest.mark.parametrize("xml", [b"", b"<HOST></HOST>", b"not xml at all"])
def test_deploy_without_a_name_makes_nothing(cloud: Cloud, xml: bytes) -> None:
    assert cloud.error("deploy", "/nowhere", "h", stdin=xml)
    assert cloud.names() == set()


def test_deploy_understands_one_line_attributes_comments_and_cdata(cloud: Cloud) -> None:
    xml = (
        '<?xml version="1.0"?><!-- a host --><HOST><ID>3</ID><NAME><![CDATA[web-1]]></NAME><TEMPLATE><EMPTY/>'
        '<NAME>no</NAME><PROVISION a="1"><EMPTY /><PLAN><![CDATA[a&b]]></PLAN><VMS>7</VMS></PROVISION>'
        "<PROVISION_CONNECTION><IP>192.0.2.1</IP></PROVISION_CONNECTION></TEMPLATE></HOST>"
    )
    assert cloud.ok("deploy", "-", "h", stdin=xml.encode()) == "dummy:web-1\n"
    record = cloud.record("web-1")
    assert (record["PLAN"], record["VMS"]) == ("a&b", "7")
    assert record["IP"].startswith("198.1")


def test_values_are_decoded_and_never_expanded(cloud: Cloud) -> None:
    value = "<&>\"'$(touch pwned)`touch pwned`\\n*\n=&amp;"
    cloud.deploy(metric_note=value)
    assert cloud.record()["METRIC_NOTE"] == value.replace("\n", " ")
    assert cloud.poll()["NOTE"] == value.replace("\n", " ")
    assert cloud.listed()[NAME]["metrics"]["NOTE"] == value.replace("\n", " ")


@pytest.mark.parametrize(
    "name",
    ["web_0_(service_3)-00ff", "a", "a b", 'q"u\\o', "f" * 48, "*", "é-$HOME", "provision-abc", "x" * 200],
)
def test_names_of_any_shape_work(cloud: Cloud, name: str) -> None:
    deploy_id = cloud.deploy(name)
    assert cloud.deploy(name) == deploy_id
    assert cloud.names() == {name}
    assert cloud.poll(deploy_id)["STATE"] == "a"
    assert cloud.listed()[name]["deploy_id"] == deploy_id
    cloud.ok("cancel", deploy_id, "h")
    assert cloud.names() == cloud.names("ips") == set()


@pytest.mark.parametrize("name", ["", "../evil", "a/b", ".hidden", "-x", "a\nb", "x" * 201])
def test_names_that_are_no_file_names_are_refused(cloud: Cloud, name: str) -> None:
    assert "is not usable" in cloud.call("deploy", "-", "h", stdin=deployment(name)).stderr.decode()
    assert cloud.names() == set()


def test_a_name_and_a_provision_of_that_name_have_different_ids(cloud: Cloud) -> None:
    assert cloud.deploy("provision-" + "a" * 48) != cloud.deploy("a" * 48)


def test_the_hot_path_starts_no_other_program(cloud: Cloud) -> None:
    cloud.ok("list")
    cloud.environment["PATH"] = "/nonexistent"
    assert cloud.deploy() == ID
    assert cloud.poll()["STATE"] == "a"


def test_poll_reports_what_the_record_says(cloud: Cloud) -> None:
    cloud.deploy(ip="192.0.2.10", cpu=95.5, vms="7,8", metric_load=3)
    expected = {"STATE": "a", "CPU": "95.5", "MEMORY": "524288", "NETRX": "1300", "NETTX": "800"}
    assert cloud.poll() == expected | {"GUEST_IP_ADDRESSES": "192.0.2.10", "VMS": "7,8", "LOAD": "3"}


@pytest.mark.parametrize("deploy_id", [ID, "bogus", "dummy:../../etc/passwd", "dummy-", "dummy:"])
def test_a_machine_that_does_not_exist_is_gone_and_cannot_be_acted_on(cloud: Cloud, deploy_id: str) -> None:
    assert cloud.poll(deploy_id) == {"STATE": "d"}
    assert cloud.ok("cancel", deploy_id, "h") == ""
    for action in ("reboot", "reset", "suspend", "resume"):
        assert cloud.error(action, deploy_id, "h") == f"machine {deploy_id} does not exist"
    assert "does not exist" in cloud.error("shutdown", deploy_id, "h", "SHUTDOWN")
    assert "does not exist" in cloud.error("deploy", "-", "h", stdin=deployment(NAME, deploy_id=deploy_id))
    assert cloud.names() == set()


def test_the_whole_failure_text_is_between_the_markers(cloud: Cloud) -> None:
    text = 'reboot of dummy host h failed due to "machine x does not exist"'
    assert cloud.call("reboot", "x", "h", "3", "h").stderr.decode() == FAILURE.format(text)


def test_restarts_are_counted(cloud: Cloud) -> None:
    cloud.deploy()
    for action in ("reboot", "reboot", "reset"):
        cloud.ok(action, ID, "h", "3", "h")
    assert (cloud.record()["REBOOTS"], cloud.record()["RESETS"]) == ("2", "1")


def test_poweroff_and_suspend_turn_off_and_deploy_and_resume_turn_on(cloud: Cloud) -> None:
    cloud.deploy()
    for off, on in (
        (("shutdown", ID, "h", "SHUTDOWN_POWEROFF", "3", "h"), ("resume", ID, "h")),
        (("suspend", ID, "h"), ("deploy", "-", "h")),
    ):
        cloud.ok(*off)
        assert cloud.poll()["STATE"] == "p"
        assert (cloud.listed()[NAME]["state"], cloud.listed()[NAME]["metrics"]) == ("off", {})
        cloud.ok(*on, stdin=deployment("renamed", deploy_id=ID))
        assert cloud.poll()["STATE"] == "a"
    assert cloud.names() == {NAME}


def test_shutdown_destroys_and_refuses_an_unknown_lcm_state(cloud: Cloud) -> None:
    cloud.deploy()
    assert "lcm state 'NOW'" in cloud.error("shutdown", ID, "h", "NOW")
    cloud.ok("shutdown", ID, "h", "SHUTDOWN", "3", "h")
    assert cloud.names() == cloud.names("ips") == set()


def test_cancel_twice_succeeds_and_frees_the_address(cloud: Cloud) -> None:
    cloud.deploy()
    assert cloud.names("ips") == {cloud.record()["IP"]}
    cloud.ok("cancel", ID, "h", "3", "h")
    cloud.ok("cancel", ID, "h", "3", "h")
    assert cloud.names() == cloud.names("ips") == set()


def test_a_snapshot_is_taken_once(cloud: Cloud) -> None:
    cloud.deploy()
    for name in ("one", "one", "two"):
        assert json.loads(cloud.ok("snapshot", ID, "h", name, "3", "h")) == {
            "id": f"{ID}@{name}",
            "name": name,
        }
    assert cloud.record()["SNAPSHOTS"] == "one,two"


def test_list_shows_every_machine_with_numbers_as_numbers(cloud: Cloud) -> None:
    assert cloud.listed() == {}
    cloud.deploy(vms="7", cpu="01", metric_load=2.5)
    metrics = {"CPU": "01", "MEMORY": 524288, "NETRX": 1300, "NETTX": 800, "VMS": "7", "LOAD": 2.5}
    expected = {"name": NAME, "deploy_id": ID, "state": "running", "addresses": [cloud.record()["IP"]]}
    assert cloud.listed() == {NAME: expected | {"metrics": metrics}}


def test_a_list_starts_no_process_for_each_machine(cloud: Cloud) -> None:
    cloud.deploy()
    alone = page_faults_of(cloud.listed)
    whole = (cloud.root / "machines" / NAME).read_text()
    for number in range(1000):
        (cloud.root / "machines" / f"m{number}").write_text(whole)
    assert len(cloud.listed()) == 1001
    assert page_faults_of(cloud.listed) < 20 * alone, alone


def page_faults_of(work: Callable[[], object]) -> int:
    """Those of the processes that it starts and waits for: each costs hundreds, whatever else is going on."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
    work()
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt - before


@pytest.mark.parametrize("action", ["locations", "plans", "images", "prices"])
def test_the_catalogue_has_ids_and_names(cloud: Cloud, action: str) -> None:
    entries = json.loads(cloud.ok(action))
    assert len({entry["id"] for entry in entries}) == len(entries) > 1
    for entry in entries:
        assert entry["name"]
        assert action not in ("plans", "prices") or (entry["price_per_hour"] > 0 and entry["currency"])
        assert action != "plans" or entry["cpu"] * entry["memory_mb"] * entry["disk_gb"] > 0


def test_a_tag_keeps_its_address_until_it_is_released(cloud: Cloud) -> None:
    first, again, other = (json.loads(cloud.ok("allocate_ip", tag)) for tag in ("a", "a", 'b"\\'))
    assert first == again == {"id": "dummy-ip-198.51.100.1", "ip": "198.51.100.1"}
    assert other["ip"] == "198.51.100.2"
    cloud.ok("release_ip", first["id"], "b")  # the address of another tag
    assert cloud.names("addresses") == {first["ip"], other["ip"]}
    cloud.ok("release_ip", first["id"], "a")
    cloud.ok("release_ip", first["id"], "a")
    cloud.ok("release_ip", "dummy-ip-../machines/x", "a")
    assert [entry["tag"] for entry in json.loads(cloud.ok("list_ips"))] == ['b"\\']


def test_an_address_points_at_a_machine_as_long_as_that_exists(cloud: Cloud) -> None:
    cloud.deploy()
    address = json.loads(cloud.ok("allocate_ip", "a"))
    assert "machine nobody does not exist" in cloud.error("assign_ip", address["id"], "nobody")
    assert "address bogus does not exist" in cloud.error("assign_ip", "bogus", ID)
    cloud.ok("assign_ip", address["id"], ID)
    cloud.ok("assign_ip", address["id"], ID)
    assert json.loads(cloud.ok("list_ips")) == [address | {"tag": "a", "deploy_id": ID}]
    cloud.ok("cancel", ID, "h")
    assert json.loads(cloud.ok("list_ips"))[0]["deploy_id"] == ""


def test_addresses_run_out_after_both_ranges(cloud: Cloud) -> None:
    cloud.ok("allocate_ip", "first")
    for net in ("198.51.100", "203.0.113"):
        for last in range(1, 255):
            (cloud.root / "addresses" / f"{net}.{last}").write_text("TAG=x\nCOMPLETE=1\n")
    assert cloud.error("allocate_ip", "one more") == "no public address is left"
    (cloud.root / "addresses" / "203.0.113.9").write_text("TAG=half")
    assert json.loads(cloud.ok("allocate_ip", "one more"))["ip"] == "203.0.113.9"
