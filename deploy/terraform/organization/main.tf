# The reader role in every account of an organization, by a CloudFormation stack set. StackSets do not deploy to the management
# account: use ../reader-role there.

locals {
  # CloudFormation fills in partition and account where the stack is made.
  inventory = jsondecode(templatefile("${path.module}/../policies/inventory.json.tftpl", {
    partition = "$${AWS::Partition}"
    account   = "$${AWS::AccountId}"
  }))

  template = {
    AWSTemplateFormatVersion = "2010-09-09"
    Description              = "Read-only role for kmswatch: CloudTrail event history and KMS keys."
    Resources = {
      Reader = {
        Type = "AWS::IAM::Role"
        Properties = {
          RoleName           = var.reader_role_name
          Description        = "Read-only: CloudTrail event history and KMS keys, for kmswatch."
          MaxSessionDuration = 3600
          AssumeRolePolicyDocument = jsondecode(templatefile("${path.module}/../policies/reader-trust.json.tftpl", {
            service_role_arn = var.service_role_arn
            external_id      = var.external_id
          }))
          Policies = [
            {
              PolicyName     = "event-history"
              PolicyDocument = jsondecode(templatefile("${path.module}/../policies/event-history.json.tftpl", {}))
            },
            {
              PolicyName = "inventory"
              PolicyDocument = {
                Version   = local.inventory.Version
                Statement = [for each in local.inventory.Statement : merge(each, { Resource = { "Fn::Sub" = each.Resource } })]
              }
            },
          ]
        }
      }
    }
  }
}

resource "aws_cloudformation_stack_set" "reader" {
  name             = var.reader_role_name
  description      = "Read-only role for kmswatch."
  permission_model = "SERVICE_MANAGED"
  call_as          = var.delegated_administrator ? "DELEGATED_ADMIN" : "SELF"
  capabilities     = ["CAPABILITY_NAMED_IAM"]
  template_body    = jsonencode(local.template)

  auto_deployment {
    enabled                          = true
    retain_stacks_on_account_removal = false
  }

  operation_preferences {
    failure_tolerance_percentage = 10
    max_concurrent_percentage    = 50
  }

  lifecycle {
    # CloudFormation sets it by itself for service-managed stack sets.
    ignore_changes = [administration_role_arn]
  }
}

resource "aws_cloudformation_stack_set_instance" "reader" {
  stack_set_name = aws_cloudformation_stack_set.reader.name
  region         = var.region
  call_as        = var.delegated_administrator ? "DELEGATED_ADMIN" : "SELF"

  deployment_targets {
    organizational_unit_ids = var.organizational_unit_ids
  }
}
