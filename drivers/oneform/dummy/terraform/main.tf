locals {
  provision_id = tonumber(try(var.oneform_tags["provision_id"], "0"))
  owner        = try(var.oneform_tags["owner"], "provision-${local.provision_id}")
  # Each provision has its own thousand of addresses in 10.64.0.0/10.
  first = (local.provision_id % 4096) * 1024 + 1
}

# What all machines share, as a network would be.
resource "terraform_data" "cluster" {
  input = {
    owner  = local.owner
    region = var.region
  }

  lifecycle {
    precondition {
      condition     = var.token != "refused"
      error_message = "the provider refuses this token"
    }
  }
}

resource "terraform_data" "host" {
  count = var.oneform_hosts

  input = {
    name  = "${terraform_data.cluster.output.owner}-host-${count.index}"
    index = count.index
    ip    = cidrhost("10.64.0.0/10", local.first + count.index)
    type  = var.instance_type
  }

  provisioner "local-exec" {
    command = "sh ./machine.sh create ${self.input.index} ${self.input.name} ${self.id} ${self.input.ip}"
  }

  provisioner "local-exec" {
    when    = destroy
    command = "sh ./machine.sh destroy ${self.input.index} ${self.input.name}"
  }
}
