output "queue_url" {
  description = "URL of the queue, for `sources.s3_trail.queues` in kmswatch.yaml."
  value       = aws_sqs_queue.trail.url
}

output "queue_arn" {
  description = "ARN of the queue, for a notification that you arrange yourself."
  value       = aws_sqs_queue.trail.arn
}

output "dead_letter_queue_url" {
  description = "URL of the dead-letter queue."
  value       = aws_sqs_queue.dead.url
}
