output "provisioned_hosts" {
  value = [
    for host in terraform_data.host : {
      instance_id = host.id
      instance_ip = host.input.ip
    }
  ]
}
