"""Driver folders for tests: copies of ours, and ones of the shape of those in OneForm's public registry."""

import shutil
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUILT_IN = ROOT / "drivers" / "oneform"


def tofu() -> Path:
    """The program that `make test` brings; without it the test is skipped."""
    found = shutil.which("tofu", path=str(Path(sys.executable).parent)) or shutil.which("tofu")
    if not found:
        pytest.skip("OpenTofu is not installed")
    return Path(found)


ANSIBLE = {
    "ansible/ansible.cfg": "[defaults]\n",
    "ansible/inventory.yaml": "---\nplugin: opennebula_form\n",
    "ansible/site.yaml": "- {hosts: node, gather_facts: no, tags: always, tasks: [{debug: {msg: hi}}]}\n",
}

TEMPLATE = """{#
name: SSH Cluster
description: |
  <p>Creates a cluster.</p>

onedeploy_tags: stage2,stage3
user_inputs:
  - name: oneform_public_ips
    description: Number of public IP addresses
    type: number
    default: 0
    mandatory: false
    match:
      type: number
      values: { min: 0, max: 5 }
#}

---
all:
  vars:
    one_version: "{{ one.version }}"
    ds:
      mode: generic
      config:
        SYSTEM_DS:
          some_system_ds:
            id: "{{ one.system_ds_id }}"
            template: { type: SYSTEM_DS, tm_mad: ssh, safe_dirs: "/var/tmp /tmp" }
        IMAGE_DS:
          some_image_ds:
            id: "{{ one.image_ds_id }}"
            template: { type: IMAGE_DS, ds_mad: fs, tm_mad: ssh }
    vn:
      private_network:
        managed: true
        template:
          vn_mad: vxlan
          phydev: {{ user_inputs.phydev | default("eth0") | to_json }}
          ar: { type: ip4, ip: 172.17.2.100, size: 100 }
      public_network:
        managed: true
        template: { vn_mad: elastic, netrole: public, bridge: br0 }
frontend:
  hosts:
    f1: { ansible_user: root, ansible_host: "{{ one.frontend_ip }}" }
node:
  hosts:
    {% for node in one.nodes %}
    n{{ loop.index }}: { ansible_user: ubuntu, ansible_host: "{{ node }}" }
    {% endfor %}
router:
  hosts:
    {% if one.nodes | length > 0 %}
    n1: { ansible_user: ubuntu, ansible_host: "{{ one.nodes[0] }}" }
    {% endif %}
"""


def folder(
    place: Path, name: str, terraform: Mapping[str, str], conf: str = "", template: str = TEMPLATE
) -> Path:
    """A driver folder with these files under terraform/."""
    path = place / name
    files = {
        **ANSIBLE,
        "driver.conf": conf or f"name: '{name}'\ndescription: 'a driver'\nversion: '1.0.0'\n",
        "ansible/templates/ssh_cluster.j2": template,
        **{f"terraform/{file}": text for file, text in terraform.items()},
    }
    for file, text in files.items():
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).write_text(text)
    for each in (place, path, *path.rglob("*")):
        each.chmod(each.stat().st_mode & ~0o022)
    return path


def copy_of_dummy(place: Path, name: str = "dummy") -> Path:
    shutil.copytree(BUILT_IN / "dummy", place / name)
    return place / name


# Of the shape of the registry's arsys: hosts in a module, and one thing that knows all of them. The machines
# are files beside the state; while there is a file `slow`, making one takes long.
TIED = {
    "provider.tf": 'variable "token" {\n  sensitive = true\n}\n',
    "variables.tf": """
        variable "oneform_hosts" {
          type = number
        }
        variable "oneform_tags" {
          type    = map(string)
          default = {}
        }
    """,
    "main.tf": """
        resource "terraform_data" "shared" {
          count = var.oneform_hosts > 0 ? 1 : 0
        }
        module "host" {
          source = "./host"
          amount = var.oneform_hosts
          tags   = var.oneform_tags
        }
    """,
    "outputs.tf": """
        output "provisioned_hosts" {
          value = [
            for idx in range(length(module.host.id)) : {
              instance_id = module.host.id[idx]
              instance_ip = module.host.ip[idx]
            }
          ]
        }
    """,
    "host/main.tf": """
        variable "amount" { type = number }
        variable "tags" { type = map(string) }
        resource "terraform_data" "disk" {
          count = var.amount
          input = "disk-${count.index}"
        }
        resource "terraform_data" "host" {
          count = var.amount
          input = {
            disk = terraform_data.disk[count.index].output
            ip   = "192.0.2.${count.index + 1}"
          }
          provisioner "local-exec" {
            command = "sh ./made.sh ${count.index} ${self.id} ${self.input.ip}"
          }
          provisioner "local-exec" {
            when    = destroy
            command = "rm -f $ONE_HOME/dummy/oneform/tied-${self.input.ip}"
          }
        }
        TIE
        output "id" { value = terraform_data.host[*].id }
        output "ip" { value = [for host in terraform_data.host : host.input.ip] }
    """,
    "made.sh": """
        mkdir -p "$ONE_HOME/dummy/oneform"
        if [ -f "$ONE_HOME/dummy/slow" ]; then sleep 30; fi
        printf 'ID=%s\\nIP=%s\\n' "$2" "$3" >"$ONE_HOME/dummy/oneform/tied-$3"
    """,
}
TIE = """resource "terraform_data" "network" {
          input            = [for host in terraform_data.host : host.id]
          triggers_replace = [] # changes in place
        }"""


def tied(place: Path, name: str = "tied", tie: str = "") -> Path:
    """A folder of that shape; with a `tie` something shared depends on every host."""
    files = {file: textwrap.dedent(text.replace("TIE", tie)) for file, text in TIED.items()}
    return folder(place, name, files)
