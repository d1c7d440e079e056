# An organization trail in a log archive account, read through one queue there, and a reader role in every account for the inventory.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.40"
    }
  }
}

# The account in which kmswatch runs.
provider "aws" {
  region = "eu-west-1"
}

# The account that owns the trail's bucket.
provider "aws" {
  alias  = "log_archive"
  region = "eu-west-1"

  assume_role {
    role_arn = "arn:aws:iam::111122223333:role/terraform"
  }
}

# The management account, or the delegated administrator of CloudFormation StackSets.
provider "aws" {
  alias  = "management"
  region = "us-east-1"

  assume_role {
    role_arn = "arn:aws:iam::444455556666:role/terraform"
  }
}

locals {
  service_role_name = "kmswatch"
  service_role_arn  = "arn:aws:iam::999988887777:role/kmswatch"
  external_id       = "kmswatch-7f3c"
}

module "service" {
  source    = "../../service-role"
  role_name = local.service_role_name
}

# Its name differs from that of the stack set's role, which exists in this account as well.
module "log_archive_reader" {
  source           = "../../reader-role"
  providers        = { aws = aws.log_archive }
  service_role_arn = local.service_role_arn
  external_id      = local.external_id
  name             = "kmswatch-reader-trail"
  event_history    = false
  inventory        = false
}

module "trail" {
  source           = "../../trail-queue"
  providers        = { aws = aws.log_archive }
  bucket           = "org-cloudtrail-logs"
  notify_by        = "sns"
  topic_arn        = "arn:aws:sns:eu-west-1:111122223333:org-cloudtrail"
  trail_key_arn    = "arn:aws:kms:eu-west-1:111122223333:key/0a0a0a0a-0000-4000-8000-000000000001"
  reader_role_name = module.log_archive_reader.role_name
}

module "organization" {
  source                  = "../../organization"
  providers               = { aws = aws.management }
  service_role_arn        = local.service_role_arn
  external_id             = local.external_id
  organizational_unit_ids = ["r-ab12"]
}

output "queue_url" {
  description = "For sources.s3_trail.queues in kmswatch.yaml."
  value       = module.trail.queue_url
}
