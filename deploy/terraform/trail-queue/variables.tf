variable "name" {
  description = "Name of the queue; its dead-letter queue gets the suffix -dead."
  type        = string
  default     = "kmswatch-trail"
}

variable "bucket" {
  description = "Name of the bucket that the trail writes to. It must be in the Region of this module's provider."
  type        = string
}

variable "bucket_account" {
  description = "Account that owns the bucket. Left out: this account."
  type        = string
  default     = null
}

variable "prefix" {
  description = "Prefix that the trail was given, with a slash at its end; empty where it has none."
  type        = string
  default     = ""

  validation {
    condition     = var.prefix == "" || endswith(var.prefix, "/")
    error_message = "The prefix must be empty or end with a slash."
  }
}

variable "notify_by" {
  description = "What tells the queue of new files: s3 (an event notification of the bucket; this module then owns the bucket's WHOLE notification configuration), sns (an existing topic: topic_arn), or none (you arrange it yourself)."
  type        = string
  default     = "none"

  validation {
    condition     = contains(["s3", "sns", "none"], var.notify_by)
    error_message = "notify_by must be s3, sns or none."
  }
}

variable "topic_arn" {
  description = "With notify_by = \"sns\": topic of the bucket's notifications or of the trail itself."
  type        = string
  default     = null
}

variable "trail_key_arn" {
  description = "ARN of the KMS key that encrypts the log files. Left out: they are not encrypted with a KMS key."
  type        = string
  default     = null
}

variable "reader_role_name" {
  description = "Name of the role in this account that kmswatch reads queue and bucket with."
  type        = string
}

variable "max_receive_count" {
  description = "How often a message is received before it goes to the dead-letter queue. kmswatch's quarantine_after must be the same."
  type        = number
  default     = 10
}

variable "tags" {
  description = "Tags of the queues."
  type        = map(string)
  default     = {}
}
