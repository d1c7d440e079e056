# One account that is read by its event history and, within seconds, by an EventBridge rule.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.40"
    }
  }
}

provider "aws" {
  region = "eu-west-1"
}

module "reader" {
  source           = "../../reader-role"
  service_role_arn = "arn:aws:iam::999988887777:role/kmswatch"
  external_id      = "kmswatch-7f3c"
}

module "events" {
  source           = "../../event-rule"
  reader_role_name = module.reader.role_name
}

output "reader_role_arn" {
  description = "For role_arn in kmswatch.yaml."
  value       = module.reader.role_arn
}

output "events_queue_url" {
  description = "For sources.eventbridge.queues in kmswatch.yaml."
  value       = module.events.queue_url
}
