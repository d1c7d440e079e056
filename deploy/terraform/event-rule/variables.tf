variable "name" {
  description = "Name of rule and queue; the dead-letter queue gets the suffix -dead."
  type        = string
  default     = "kmswatch-events"
}

variable "read_only_calls" {
  description = "Let the rule deliver read-only calls (Decrypt, Describe, Get, List) as well. KMS has very many of them."
  type        = bool
  default     = false
}

variable "reader_role_name" {
  description = "Name of the role in this account that kmswatch reads the queue with."
  type        = string
}

variable "max_receive_count" {
  description = "How often a message is received before it goes to the dead-letter queue. kmswatch's quarantine_after must be the same."
  type        = number
  default     = 10
}

variable "tags" {
  description = "Tags of rule and queues."
  type        = map(string)
  default     = {}
}
