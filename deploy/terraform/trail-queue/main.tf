# The queue that learns of each new log file, its dead-letter queue, and what kmswatch needs to read queue and files.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  sender_service = var.notify_by == "sns" ? "sns.amazonaws.com" : "s3.amazonaws.com"
  sender_arn     = var.notify_by == "sns" ? var.topic_arn : "arn:${data.aws_partition.current.partition}:s3:::${var.bucket}"
  sender_account = var.notify_by == "sns" ? element(split(":", coalesce(var.topic_arn, ":::::")), 4) : coalesce(var.bucket_account, data.aws_caller_identity.current.account_id)
}

resource "aws_sqs_queue" "dead" {
  name                      = "${var.name}-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_sqs_queue" "trail" {
  name = var.name
  # Two weeks, the most that SQS keeps: an outage of kmswatch of that length loses nothing.
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

resource "aws_sqs_queue_policy" "trail" {
  queue_url = aws_sqs_queue.trail.id

  policy = templatefile("${path.module}/../policies/queue.json.tftpl", {
    queue_arn      = aws_sqs_queue.trail.arn
    sender_service = local.sender_service
    sender_arn     = local.sender_arn
    sender_account = local.sender_account
  })
}

resource "aws_s3_bucket_notification" "trail" {
  count  = var.notify_by == "s3" ? 1 : 0
  bucket = var.bucket

  queue {
    queue_arn     = aws_sqs_queue.trail.arn
    events        = ["s3:ObjectCreated:*"]
    filter_prefix = "${var.prefix}AWSLogs/"
  }

  depends_on = [aws_sqs_queue_policy.trail]
}

resource "aws_sns_topic_subscription" "trail" {
  count                = var.notify_by == "sns" ? 1 : 0
  topic_arn            = var.topic_arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.trail.arn
  raw_message_delivery = true

  depends_on = [aws_sqs_queue_policy.trail]
}

resource "aws_iam_role_policy" "queue" {
  name = "${var.name}-queue"
  role = var.reader_role_name

  policy = templatefile("${path.module}/../policies/queue-reader.json.tftpl", {
    queue_arn             = aws_sqs_queue.trail.arn
    dead_letter_queue_arn = aws_sqs_queue.dead.arn
  })
}

resource "aws_iam_role_policy" "files" {
  name = "${var.name}-files"
  role = var.reader_role_name

  policy = templatefile("${path.module}/../policies/trail-files.json.tftpl", {
    partition = data.aws_partition.current.partition
    bucket    = var.bucket
    prefix    = var.prefix
  })
}

resource "aws_iam_role_policy" "key" {
  count = var.trail_key_arn == null ? 0 : 1
  name  = "${var.name}-key"
  role  = var.reader_role_name

  policy = templatefile("${path.module}/../policies/trail-key.json.tftpl", {
    key_arn    = var.trail_key_arn
    dns_suffix = data.aws_partition.current.dns_suffix
  })
}
