terraform {
  required_version = ">= 1.4"
}

variable "token" {
  type        = string
  description = "What a real provider would want to see; 'refused' is refused"
  default     = ""
  sensitive   = true
}

variable "region" {
  type        = string
  description = "Where the machines are said to be"
  default     = "nowhere"
}
