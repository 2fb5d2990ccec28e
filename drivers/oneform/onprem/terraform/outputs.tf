output "provisioned_hosts" {
  value = [
    for host in terraform_data.host : {
      instance_id = host.input.instance_id
      instance_ip = host.input.instance_ip
    }
  ]
}
