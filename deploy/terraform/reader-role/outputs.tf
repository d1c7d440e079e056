output "role_arn" {
  description = "ARN of the role, for `role_arn` in kmswatch.yaml."
  value       = aws_iam_role.reader.arn
}

output "role_name" {
  description = "Name of the role, for the modules that add to it."
  value       = aws_iam_role.reader.name
}
