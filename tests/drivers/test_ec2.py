"""The ec2 driver on moto: whole lives, lost answers, kills."""

import os
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import ec2_cloud
from ec2_api import Api
from onecore.drivers.call import Calls, Surroundings, Target
from onecore.drivers.catalog import builtin_remotes, driver_at
from onecore.drivers.conformance import Setting, check
from onecore.drivers.deployment import Deployment, to_xml
from onecore.drivers.kit import Call
from onecore.drivers.protocol import PollState
from onecore.errors import DriverFailed
from tests.drivers import forked
from tests.drivers.aws import Door, door

EC2 = builtin_remotes() / "pm" / "ec2"
PARAMETERS = {"plan": "t3.micro", "image": "ami-12c6146b"}

pytestmark = pytest.mark.scenario


@pytest.fixture
def aws() -> Iterator[Door]:
    with door() as made:
        yield made


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def calls(home: Path, aws: Door) -> Calls:
    return calls_of(home, aws.environment)


def calls_of(home: Path, environment: Mapping[str, str]) -> Calls:
    return Calls(driver_at(EC2), Surroundings(home, os.environ["PATH"], environment), forked.hurried)


def name(letter: str) -> str:
    """Different in every test: moto keeps what others made."""
    return f"provision-{letter * 48}"


def deployed(calls: Calls, home: Path, host: str, **parameters: str) -> Target:
    asked = {**PARAMETERS, **parameters}
    xml = to_xml(Deployment(host, "kvm", "kvm", "ec2", provision=asked, ssh_public_key="ssh-ed25519 AAAA me"))
    return Target(host, 0, calls.deploy(Target(host), home / "deployment.xml", xml))


def test_the_driver_conforms(home: Path, aws: Door):
    setting = Setting(os.environ["PATH"], secrets=aws.environment, deadline_s=120)
    report = check(driver_at(EC2), home, {}, forked.hurried, setting)
    assert [(c.name, c.detail) for c in report.checks if c.ok is False] == []
    assert [c.name for c in report.checks if c.ok is None] == []


def test_systems_on_offer_are_those_that_the_region_has_each_by_its_newest_image(calls: Calls, aws: Door):
    there = [
        i for i in aws.client().describe_images(Owners=["137112412989"])["Images"] if "al2023" in i["Name"]
    ]
    newest = max(i["CreationDate"] for i in there if fnmatchcase(i["Name"], "al2023-ami-2023.*-x86_64"))
    systems = {str(row["id"]): str(row["name"]) for row in calls.offers("images")}
    assert list(systems) == ["amazon-linux-2023"]
    assert [i["CreationDate"] for i in there if systems["amazon-linux-2023"].endswith(i["Name"])] == [newest]


def test_a_machine_whose_answer_is_lost_is_asked_for_again_by_the_same_token(
    calls: Calls, home: Path, aws: Door
):
    aws.lose["RunInstances"] = 2
    made = deployed(calls, home, name("a"))
    assert aws.asked.count("RunInstances") == 3
    assert [m.deploy_id for m in calls.list() if m.name == name("a")] == [made.deploy_id]


def test_an_address_whose_answer_is_lost_is_found_by_its_tag_and_not_asked_for_again(calls: Calls, aws: Door):
    aws.lose["AllocateAddress"] = 1
    address = calls.allocate_ip("tag-lost")
    assert aws.asked.count("AllocateAddress") == 1
    assert [a.ip for a in calls.list_ips() if a.tag == "tag-lost"] == [address.ip]
    calls.release_ip(address.id, "tag-lost")
    assert [a for a in calls.list_ips() if a.tag == "tag-lost"] == []


def test_an_address_moves_to_a_machine_and_is_released_from_it(calls: Calls, home: Path):
    machine, address = deployed(calls, home, name("b")), calls.allocate_ip("tag-moves")
    calls.assign_ip(address.id, machine.deploy_id)
    assert calls.poll(machine).addresses[0] == address.ip
    assert next(a for a in calls.list_ips() if a.id == address.id).deploy_id == machine.deploy_id
    calls.release_ip(address.id, "tag-moves")
    assert calls.poll(machine).state is PollState.ACTIVE


def test_a_machine_carries_its_name_where_people_look(calls: Calls, home: Path, aws: Door):
    machine = deployed(calls, home, name("c"), hostname="web-0", disk="30")
    client = aws.client()
    [found] = client.describe_instances(InstanceIds=[machine.deploy_id])["Reservations"][0]["Instances"]
    assert {"Key": "Name", "Value": "web-0"} in found["Tags"]
    assert {"Key": "onesuite:name", "Value": name("c")} in found["Tags"]
    volumes = client.describe_volumes(
        Filters=[{"Name": "attachment.instance-id", "Values": [machine.deploy_id]}]
    )["Volumes"]
    assert [volume["Size"] for volume in volumes] == [30]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"image": "ami-00000000"}, "InvalidAMIID.NotFound"),
        ({"image": "minix"}, "image 'minix' is neither an ami-… nor one of debian-12"),
        ({"image": ""}, "parameter 'image' is missing"),
        ({"plan": ""}, "parameter 'plan' is missing"),
        ({"key_name": "nobodys"}, "InvalidKeyPair.NotFound"),
        ({"disk": "much"}, "disk: 'much' is not a size in GB"),
    ],
)
def test_what_cannot_be_made_is_said(calls: Calls, home: Path, parameters: dict[str, str], said: str):
    with pytest.raises(DriverFailed) as failed:
        deployed(calls, home, name("d"), **parameters)
    assert said in failed.value.message
    assert [m for m in calls.list() if m.name == name("d")] == []


@pytest.mark.parametrize(
    ("without", "said"),
    [
        ("AWS_DEFAULT_REGION", "the region is missing: set AWS_DEFAULT_REGION"),
        ("AWS_ACCESS_KEY_ID", "the access key of the AWS account is missing"),
    ],
)
def test_a_missing_account_is_said(home: Path, aws: Door, without: str, said: str):
    left = {key: value for key, value in aws.environment.items() if key != without}
    with pytest.raises(DriverFailed) as failed:
        calls_of(home, left).list()
    assert said in failed.value.message


def test_a_name_whose_machine_died_gets_a_new_one_though_its_token_is_remembered(
    calls: Calls, home: Path, aws: Door
):
    first = deployed(calls, home, name("e"))
    calls.act("cancel", first)
    second = deployed(calls, home, name("e"))  # the door answers the old token with the dead machine
    assert second.deploy_id != first.deploy_id
    assert calls.poll(second).state is PollState.ACTIVE
    assert calls.poll(first).state is PollState.GONE
    again = Target(name("e"), 0, ec2_again(aws, calls, home))
    assert again.deploy_id == second.deploy_id


def ec2_again(aws: Door, calls: Calls, home: Path) -> str:
    """A deploy that finds nothing under its tag, as EC2 answers for a while, and has only the tokens."""

    class Blind(ec2_cloud.Ec2):
        def __init__(self) -> None:
            with pytest.MonkeyPatch.context() as patch:
                for key, value in aws.environment.items():
                    patch.setenv(key, value)
                super().__init__(Api())

    return Blind().create(
        Call("deploy", name=name("e"), provision={k.upper(): v for k, v in PARAMETERS.items()})
    )
