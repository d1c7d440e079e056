variable "service_role_arn" {
  description = "ARN of the role that kmswatch runs under; it alone may assume the reader role."
  type        = string
}

variable "external_id" {
  description = "External id of your choice; kmswatch is configured with the same."
  type        = string
}

variable "name" {
  description = "Name of the role. The same in every account, so that kmswatch needs to know one name only."
  type        = string
  default     = "kmswatch-reader"
}

variable "event_history" {
  description = "Allow cloudtrail:LookupEvents, for the source lookup_events."
  type        = bool
  default     = true
}

variable "inventory" {
  description = "Allow reading the account's KMS keys (describe, policy, rotation, grants, aliases, tags), for the inventory."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags of the role."
  type        = map(string)
  default     = {}
}
