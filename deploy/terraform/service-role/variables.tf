variable "role_name" {
  description = "Name of the existing role that kmswatch runs under (of the instance, task or pod)."
  type        = string
}

variable "reader_role_name" {
  description = "Name of the reader role in every account."
  type        = string
  default     = "kmswatch-reader"
}
