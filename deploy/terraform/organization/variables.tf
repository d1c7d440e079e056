variable "service_role_arn" {
  description = "ARN of the role that kmswatch runs under; it alone may assume the reader roles."
  type        = string
}

variable "external_id" {
  description = "External id of your choice; kmswatch is configured with the same."
  type        = string
}

variable "reader_role_name" {
  description = "Name of the role in every account."
  type        = string
  default     = "kmswatch-reader"
}

variable "organizational_unit_ids" {
  description = "Organizational units, or the root, whose accounts get the role; accounts that join later get it by themselves."
  type        = list(string)
}

variable "region" {
  description = "Region in which CloudFormation works. IAM is global, so one is enough."
  type        = string
  default     = "us-east-1"
}

variable "delegated_administrator" {
  description = "Run from a delegated administrator's account rather than the management account."
  type        = bool
  default     = false
}
