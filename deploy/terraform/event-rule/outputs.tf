output "queue_url" {
  description = "URL of the queue, for `sources.eventbridge.queues` in kmswatch.yaml."
  value       = aws_sqs_queue.events.url
}
