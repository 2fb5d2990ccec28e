# Stands for a machine that exists already: making and removing it does nothing to the machine.
resource "terraform_data" "host" {
  for_each = toset(var.oneform_onprem_hosts)

  input = {
    instance_id = "onprem-${replace(each.value, "/[^0-9A-Za-z]/", "-")}"
    instance_ip = each.value
  }
}
