"""Driver folders of OneForm's layout are read as they are; what is wrong with one is said with its file."""

import textwrap
from pathlib import Path

import pytest

from onecore.errors import DriverFailed, InvalidInput, NotFound, OneError
from oneprovision.folders import Folders, builtin, checksum, read_folder
from oneprovision.model import jinja
from oneprovision.model.folder import HostsBy, Input, Match
from tests.oneform import TEMPLATE, copy_of_dummy, folder

# Of the shape of the public registry's aws, scaleway and i3dnet: modules, providers, tags, secrets, comments
# that name variables, outputs through a module.
AWS = {
    "provider.tf": """
        terraform {
          required_providers {
            aws = { source = "hashicorp/aws" }
          }
          required_version = ">= 0.13"
        }
        variable "access_key" { # shown to nobody: var.access_key
          type        = string
          sensitive   = true
          description = "AWS access key"
        }
        variable "secret_key" {
          type      = string
          sensitive = true
        }
        variable "region" {
          type    = string
          default = "eu-central-1"
        }
        provider "aws" {
          access_key = var.access_key
          secret_key = var.secret_key
          region     = var.region
        }
    """,
    "variables.tf": """
        variable "oneform_hosts" {
            description = "Number of instances to create"
            type        = number
            default     = 1
        }
        variable "instance_type" {
            description = "Instance type"
            type        = string
        }
        variable "instance_disk_size" {
            description = <<EOT
Size in GB,
of each disk
EOT
            type        = number
            default     = 128
            validation {
                condition     = var.instance_disk_size > 8
                error_message = "too small: ${var.instance_disk_size}"
            }
        }
        variable "cidr_block" { default = "10.0.0.0/16" }
        variable "labels" {
            type    = map(string)
            default = { "team/name" = "a", other = "b" }
        }
        variable "oneform_tags" {
            type    = map(string)
            default = {}
        }
    """,
    "validators.tf": """
        locals {
            validators = {
                instance_type = {
                    type   = "list"
                    values = ["c5.metal", "m5.metal"]
                }
                oneform_hosts = {
                    type   = "number"
                    values = { min = 1, max = 10 }
                }
                zone = {
                    type       = "map"
                    grouped_by = "region"
                    values     = { "eu-central-1" = ["a", "b"] }
                }
                cidr_block = { type = "string", values = "^[0-9./]+$" }
            }
        }
    """,
    "main.tf": """
        resource "random_id" "key_suffix" { byte_length = 6 }
        module "host" {
            source        = "./host"
            key_suffix    = random_id.key_suffix.hex
            oneform_hosts = var.oneform_hosts
            aws_tags      = var.oneform_tags
        }
    """,
    "outputs.tf": """
        output "provisioned_hosts" {
            value = [
                for idx in range(length(module.host.id)) : {
                    instance_id = module.host.id[idx]
                    instance_ip = module.host.public_ip[idx]
                }
            ]
        }
    """,
    "host/main.tf": """
        resource "aws_key_pair" "oneadmin_pubkey" {
            key_name   = "provision_${var.provision_id}_key_${var.key_suffix}"
            public_key = file(pathexpand("~/.ssh/id_rsa.pub"))
        }
        resource "aws_instance" "host" {
            ami   = lookup(local.registred_instance_os_name, var.instance_os_name)
            count = var.oneform_hosts
            root_block_device { volume_size = var.instance_disk_size }
            tags = merge(var.aws_tags, { Name = "provision_${var.provision_id}_host_${count.index}" })
            timeouts { delete = "30m" }
        }
    """,
}
CONF = """
name: 'AWS'
description: 'Amazon Web Services Cloud Provider'
version: '1.0.0'
# FireEdge configuration (logos, metadata, etc)
fireedge:
  logo: '/fireedge/client/assets/images/providers/aws.png'
  color: "FD6F8E"
  operations: { add-host: amount, del-host: ids, add-ip: amount, del-ip: ids }
  layout:
    provider:
      - oneform_hosts
"""


def aws(place: Path, **changed: str) -> Path:
    files = {name: textwrap.dedent(text) for name, text in AWS.items()}
    return folder(place, "aws", files | changed, CONF)


def by_name(inputs: tuple[Input, ...]) -> dict[str, Input]:
    return {each.name: each for each in inputs}


def test_a_folder_of_the_registrys_shape_is_read(tmp_path):
    read = read_folder(aws(tmp_path), "here")
    assert (read.key, read.title, read.version, read.hosts_by) == (
        "oneform/aws",
        "AWS",
        "1.0.0",
        HostsBy.AMOUNT,
    )
    assert read.fireedge["color"] == "FD6F8E"
    assert [i.name for i in read.connection] == ["access_key", "secret_key", "region"]
    assert read.secret_connection == {"access_key", "secret_key"}
    assert (read.ipam, read.idempotent) == (None, False)


OTHERS = {
    "scaleway": """
        terraform {
            required_providers {
                scaleway = { source = "scaleway/scaleway" }
            }
        }
        variable "access_key" { type = string }
        variable "secret_key" {
            type        = string
            sensitive   = true
            description = "Scaleway secret key"
        }
        variable "zone" {
            type    = string
            default = "fr-par-1"
        }
        provider "scaleway" {
            secret_key = var.secret_key
            zone       = var.zone
        }
    """,
    "i3dnet": """
        terraform {
          required_providers {
            i3dnet = {
              source  = "i3D-net/i3dnet"
              version = "~> 0.3"
            }
          }
        }
        variable "api_key" {
          type      = string
          sensitive = true
        }
        variable "region" {
          description = "Region, see https://www.i3d.net/docs"
          default     = "EU: Rotterdam"
        }
        provider "i3dnet" { api_key = var.api_key }
    """,
}


@pytest.mark.parametrize("name", OTHERS)
def test_connections_of_other_providers_are_read(tmp_path, name):
    read = read_folder(aws(tmp_path, **{"provider.tf": textwrap.dedent(OTHERS[name])}), "here")
    asked = {i.name: (i.mandatory, i.sensitive, i.default) for i in read.connection}
    expected = {
        "scaleway": {
            "access_key": (True, False, None),
            "secret_key": (True, True, None),
            "zone": (False, False, "fr-par-1"),
        },
        "i3dnet": {"api_key": (True, True, None), "region": (False, False, "EU: Rotterdam")},
    }
    assert asked == expected[name]


def test_inputs_have_type_default_and_validator(tmp_path):
    inputs = by_name(read_folder(aws(tmp_path), "here").inputs)
    assert inputs["instance_type"] == Input(
        "instance_type", "string", "Instance type", None, True, False, Match("list", ["c5.metal", "m5.metal"])
    )
    assert inputs["oneform_hosts"].match == Match("number", {"min": 1, "max": 10})
    assert inputs["cidr_block"].match == Match("string", "^[0-9./]+$")
    assert inputs["instance_disk_size"].description == "Size in GB,\nof each disk"
    assert (inputs["labels"].type, inputs["labels"].default) == (
        "map(string)",
        {"team/name": "a", "other": "b"},
    )


def test_a_deployment_is_what_its_template_says(tmp_path):
    read = read_folder(aws(tmp_path), "here")
    (deployment,) = read.deployments
    assert (deployment.name, deployment.title, deployment.onedeploy_tags) == (
        "ssh_cluster",
        "SSH Cluster",
        "stage2,stage3",
    )
    asked = [i.name for i in read.user_inputs(deployment)]
    assert "oneform_public_ips" in asked
    assert "oneform_tags" not in asked


def test_the_objects_are_those_of_the_inventory(tmp_path):
    (deployment,) = read_folder(aws(tmp_path), "here").deployments
    described = jinja.objects(deployment, {"phydev": "eno1"})
    assert [store["name"] for store in described["datastores"]] == ["some_system_ds", "some_image_ds"]
    private, public = described["networks"]
    assert (private["phydev"], private["ar"]) == (
        "eno1",
        [{"type": "ip4", "ip": "172.17.2.100", "size": 100}],
    )
    assert (public["vn_mad"], public["netrole"]) == ("elastic", "public")


def test_the_inventory_names_every_host(tmp_path):
    (deployment,) = read_folder(aws(tmp_path), "here").deployments
    one = {"nodes": ["192.0.2.1", "192.0.2.2"], "frontend_ip": "192.0.2.9"}
    inventory = jinja.rendered(deployment, {"one": one, "user_inputs": {}})
    assert inventory["node"] == {
        "hosts": {
            "n1": {"ansible_user": "ubuntu", "ansible_host": "192.0.2.1"},
            "n2": {"ansible_user": "ubuntu", "ansible_host": "192.0.2.2"},
        }
    }


@pytest.mark.parametrize("name", ["dummy", "onprem"])
def test_our_own_folders_are_whole(name):
    read = Folders([("built in", builtin())]).get(name)
    assert read.idempotent
    assert read.deployments
    assert (read.ipam is not None) == (name == "dummy")
    assert read.hosts_by is (HostsBy.IPS if name == "onprem" else HostsBy.AMOUNT)


BROKEN = [
    ({"variables.tf": 'variable "x" {'}, InvalidInput, "variables.tf:1: this is not HCL"),
    ({"outputs.tf": 'output "x" { value = 1 }'}, DriverFailed, "no output 'provisioned_hosts'"),
    (
        {"validators.tf": 'locals { validators = { a = { type = "odd", values = [] } } }'},
        InvalidInput,
        "a validator needs a type",
    ),
    (
        {"validators.tf": 'locals { validators = { a = { type = "map", values = {} } } }'},
        InvalidInput,
        "grouped_by",
    ),
]


@pytest.mark.parametrize(("files", "error", "words"), BROKEN)
def test_what_is_wrong_is_said_with_its_file(tmp_path, files, error, words):
    with pytest.raises(error, match=words):
        read_folder(aws(tmp_path, **files), "here")


@pytest.mark.parametrize("missing", ["driver.conf", "terraform/main.tf", "ansible/site.yaml"])
def test_a_folder_without_a_part_is_refused(tmp_path, missing):
    (aws(tmp_path) / missing).unlink()
    with pytest.raises(DriverFailed, match=f"not whole: {missing} missing"):
        read_folder(tmp_path / "aws", "here")


def test_a_template_without_a_header_or_with_bad_syntax_is_refused(tmp_path):
    path = aws(tmp_path) / "ansible" / "templates" / "ssh_cluster.j2"
    for text, words in (("all: {}\n", "header is missing"), (TEMPLATE + "{% if %}", "no Jinja template|ssh")):
        path.write_text(text)
        with pytest.raises(OneError, match=words):
            jinja.objects(read_folder(tmp_path / "aws", "here").deployments[0], {})


def test_what_others_can_write_is_refused(tmp_path):
    path = aws(tmp_path)
    (path / "terraform" / "main.tf").chmod(0o666)
    with pytest.raises(DriverFailed, match=r"main.tf is writable by group or others"):
        read_folder(path, "here")


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    path = aws(tmp_path)
    (path / "terraform" / "extra.tf").symlink_to("/etc/passwd")
    with pytest.raises(DriverFailed, match="leads out of the driver folder"):
        read_folder(path, "here")


def test_the_checksum_follows_content_and_permission(tmp_path):
    path = copy_of_dummy(tmp_path)
    before = checksum(path)
    (path / "ipam" / "get_address").chmod(0o644)
    without = checksum(path)
    (path / "terraform" / "main.tf").write_text("# other\n")
    assert len({before, without, checksum(path)}) == 3


def test_the_first_place_that_has_a_name_wins_and_a_broken_one_is_shown(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for place in (first, second):
        copy_of_dummy(place)
    (first / "dummy" / "driver.conf").unlink()
    aws(second)
    found = {each.name: each for each in Folders([("one", first), ("two", second)]).list()}
    assert (found["dummy"].origin, found["dummy"].folder) == ("one", None)
    assert "driver.conf missing" in found["dummy"].problem
    assert found["aws"].folder is not None


def test_an_unknown_driver_is_not_found():
    with pytest.raises(NotFound, match="no OneForm driver 'nope'"):
        Folders([]).get("oneform/nope")
