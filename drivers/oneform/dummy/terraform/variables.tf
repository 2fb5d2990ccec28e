variable "oneform_hosts" {
  description = "Number of instances to create"
  type        = number
  default     = 1
}

variable "oneform_tags" {
  description = "Tags to assign to the resources"
  type        = map(string)
  default     = {}
}

variable "instance_type" {
  description = "Size of the machines"
  type        = string
  default     = "small"
}
