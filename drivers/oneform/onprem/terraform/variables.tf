variable "oneform_onprem_hosts" {
  description = "Addresses of the hosts"
  type        = list(string)
  default     = []
}

variable "oneform_tags" {
  description = "Tags to assign to the resources"
  type        = map(string)
  default     = {}
}
