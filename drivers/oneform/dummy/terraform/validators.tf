locals {
  validators = {
    oneform_hosts = {
      type = "number"
      values = {
        min = 1
        max = 1000
      }
    }

    instance_type = {
      type   = "list"
      values = ["small", "large"]
    }

    region = {
      type   = "list"
      values = ["nowhere", "elsewhere"]
    }
  }
}
