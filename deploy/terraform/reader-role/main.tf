# The role that kmswatch assumes in an account: it reads event history and keys, and can change nothing.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

resource "aws_iam_role" "reader" {
  name                 = var.name
  description          = "Read-only: CloudTrail event history and KMS keys, for kmswatch."
  max_session_duration = 3600
  tags                 = var.tags

  assume_role_policy = templatefile("${path.module}/../policies/reader-trust.json.tftpl", {
    service_role_arn = var.service_role_arn
    external_id      = var.external_id
  })
}

resource "aws_iam_role_policy" "event_history" {
  count  = var.event_history ? 1 : 0
  name   = "event-history"
  role   = aws_iam_role.reader.id
  policy = templatefile("${path.module}/../policies/event-history.json.tftpl", {})
}

resource "aws_iam_role_policy" "inventory" {
  count = var.inventory ? 1 : 0
  name  = "inventory"
  role  = aws_iam_role.reader.id

  policy = templatefile("${path.module}/../policies/inventory.json.tftpl", {
    partition = data.aws_partition.current.partition
    account   = data.aws_caller_identity.current.account_id
  })
}
