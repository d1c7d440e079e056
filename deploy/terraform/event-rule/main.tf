# The fast way: an EventBridge rule of one Region that puts KMS events into a queue within seconds, best effort.

data "aws_caller_identity" "current" {}

resource "aws_sqs_queue" "dead" {
  name                      = "${var.name}-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_sqs_queue" "events" {
  name                       = var.name
  message_retention_seconds  = 1209600
  receive_wait_time_seconds  = 20
  visibility_timeout_seconds = 120
  sqs_managed_sse_enabled    = true
  tags                       = var.tags

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = var.max_receive_count
  })
}

resource "aws_cloudwatch_event_rule" "kms" {
  name        = var.name
  description = "KMS events for kmswatch."
  # A rule in state ENABLED never sees read-only calls, whatever its pattern says.
  state = var.read_only_calls ? "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" : "ENABLED"
  tags  = var.tags

  event_pattern = jsonencode({
    source = ["aws.kms"]
    "detail-type" = [
      "AWS API Call via CloudTrail",
      "AWS Service Event via CloudTrail",
      "KMS CMK Rotation",
      "KMS CMK Deletion",
      "KMS Imported Key Material Expiration",
    ]
  })
}

resource "aws_cloudwatch_event_target" "queue" {
  rule = aws_cloudwatch_event_rule.kms.name
  arn  = aws_sqs_queue.events.arn

  dead_letter_config {
    arn = aws_sqs_queue.dead.arn
  }

  depends_on = [aws_sqs_queue_policy.events, aws_sqs_queue_policy.dead]
}

resource "aws_sqs_queue_policy" "events" {
  queue_url = aws_sqs_queue.events.id

  policy = templatefile("${path.module}/../policies/queue.json.tftpl", {
    queue_arn      = aws_sqs_queue.events.arn
    sender_service = "events.amazonaws.com"
    sender_arn     = aws_cloudwatch_event_rule.kms.arn
    sender_account = data.aws_caller_identity.current.account_id
  })
}

# Events that EventBridge could not deliver go to the dead-letter queue as well.
resource "aws_sqs_queue_policy" "dead" {
  queue_url = aws_sqs_queue.dead.id

  policy = templatefile("${path.module}/../policies/queue.json.tftpl", {
    queue_arn      = aws_sqs_queue.dead.arn
    sender_service = "events.amazonaws.com"
    sender_arn     = aws_cloudwatch_event_rule.kms.arn
    sender_account = data.aws_caller_identity.current.account_id
  })
}

resource "aws_iam_role_policy" "queue" {
  name = "${var.name}-queue"
  role = var.reader_role_name

  policy = templatefile("${path.module}/../policies/queue-reader.json.tftpl", {
    queue_arn             = aws_sqs_queue.events.arn
    dead_letter_queue_arn = aws_sqs_queue.dead.arn
  })
}
